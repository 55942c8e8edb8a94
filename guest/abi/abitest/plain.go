package abitest

import "github.com/lectern-lms/lectern/guest/abi"

// safe makes the request of a case a GET.
func safe(s *Site) { s.Safe = true }

// signedIn makes Ada the reader.
func signedIn(s *Site) { s.SignedIn = true }

// plain are the cases of what a request is told.
func plain() []Case {
	yes, nobody := abi.Writer{}.Bool(true), abi.Writer{}.Bool(false)
	languages := abi.Writer{}.Strings([]string{"en", "es", "pt-BR"})
	return []Case{
		{"route", nil, []Step{ok(abi.OpRoute, nil, text("POST /suite/{name}").Fields([]abi.Field{{Name: "name", Value: "x/y"}}))}},
		{"setting", nil, []Step{ok(abi.OpSetting, text(abi.SettingSiteName), text("Suite")), ok(abi.OpSetting, text("none"), text(""))}},
		{"visitor", nil, []Step{ok(abi.OpSignedIn, nil, nobody), ok(abi.OpRole, nil, text("")), ok(abi.OpUser, nil, text("", "", ""))}},
		{"reader", signedIn, []Step{
			ok(abi.OpSignedIn, nil, yes), ok(abi.OpRole, nil, text(Ada.Role)), ok(abi.OpUser, nil, text(Ada.ID, Ada.Login, Ada.Email)),
		}},
		{"language of the browser", func(s *Site) { s.AcceptLanguage = "fr;q=0.9, es-MX;q=0.8" }, []Step{ok(abi.OpLanguage, languages, text("es"))}},
		{"language of none", func(s *Site) { s.AcceptLanguage = "ja" }, []Step{ok(abi.OpLanguage, languages, text("en"))}},
		{"language of nonsense", func(s *Site) { s.AcceptLanguage = "\x00;q=x" }, []Step{ok(abi.OpLanguage, languages, text("en"))}},
		{"language that is none", nil, []Step{no(abi.OpLanguage, abi.Writer{}.Strings([]string{"en", "!"}), abi.StatusInvalid)}},
		{"no language", nil, []Step{no(abi.OpLanguage, abi.Writer{}.Strings(nil), abi.StatusInvalid)}},
		{"random", nil, []Step{
			ok(abi.OpRandom, abi.Writer{}.Uint(1024), nil), ok(abi.OpRandom, abi.Writer{}.Uint(0), text("")),
			no(abi.OpRandom, abi.Writer{}.Uint(1025), abi.StatusTooLarge), no(abi.OpRandom, abi.Writer{}.Uint(1<<63), abi.StatusTooLarge),
		}},
		{"time and id", nil, []Step{ok(abi.OpNow, nil, nil), ok(abi.OpRequestID, nil, nil)}},
		{"unknown operation", nil, []Step{no(abi.OpEnd, nil, abi.StatusUnknown), no(1<<32-1, text("x"), abi.StatusUnknown)}},
	}
}

// absent and found are answers of OpSessionGet and OpGet.
var absent = abi.Writer{}.Bool(false).String("")

// found is the answer for a value that is there.
func found(value string) abi.Writer { return abi.Writer{}.Bool(true).String(value) }

// sessions are the cases of session values and notices.
func sessions() []Case {
	long := string(make([]byte, 8<<10))
	nine := []Step{}
	for _, n := range []string{"1", "2", "3", "4", "5", "6", "7", "8", "9"} {
		nine = append(nine, ok(abi.OpNotify, text(n), nil))
	}
	many := []Step{}
	for i := range 64 {
		many = append(many, ok(abi.OpSessionSet, text(string(rune('0'+i)), "v"), nil))
	}
	return []Case{
		{"session value", nil, []Step{
			ok(abi.OpSessionGet, text("lang"), absent), ok(abi.OpSessionSet, text("lang", "es"), nil),
			ok(abi.OpSessionGet, text("lang"), found("es")), ok(abi.OpSessionDelete, text("lang"), nil),
			ok(abi.OpSessionGet, text("lang"), absent),
		}},
		{"the host's own values stay hidden", signedIn, []Step{
			ok(abi.OpNotify, text("hello"), nil), ok(abi.OpSessionGet, text("notices"), absent),
			ok(abi.OpSessionDelete, text("notices"), nil), ok(abi.OpNotices, nil, abi.Writer{}.Strings([]string{"hello"})),
		}},
		{"session of a safe method", safe, []Step{
			no(abi.OpSessionSet, text("a", "b"), abi.StatusReadOnly), no(abi.OpSessionDelete, text("a"), abi.StatusReadOnly),
			no(abi.OpNotify, text("a"), abi.StatusReadOnly), ok(abi.OpNotices, nil, abi.Writer{}.Strings(nil)),
		}},
		{"session value too long", nil, []Step{
			no(abi.OpSessionSet, text("a", long), abi.StatusTooLarge), ok(abi.OpSessionGet, text("a"), absent),
			no(abi.OpSessionSet, text(long[:127], "b"), abi.StatusTooLarge), no(abi.OpNotify, text(long), abi.StatusTooLarge),
		}},
		{"too many session values", nil, append(many, no(abi.OpSessionSet, text("one more", "v"), abi.StatusTooLarge))},
		{"notices are shown once", nil, []Step{
			ok(abi.OpNotify, text("a"), nil), ok(abi.OpNotify, text("b"), nil),
			ok(abi.OpNotices, nil, abi.Writer{}.Strings([]string{"a", "b"})), ok(abi.OpNotices, nil, abi.Writer{}.Strings(nil)),
		}},
		{"notice of two lines", nil, []Step{no(abi.OpNotify, text("a\nb"), abi.StatusInvalid)}},
		{"the oldest notice leaves", nil, append(nine, ok(abi.OpNotices, nil, abi.Writer{}.Strings([]string{"2", "3", "4", "5", "6", "7", "8", "9"})))},
	}
}
