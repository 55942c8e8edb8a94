package abitest

import (
	"net/url"
	"strings"

	"github.com/lectern-lms/lectern/guest/abi"
)

// outcome is the answer of OpSignIn and OpSetPassword.
func outcome(o abi.Outcome) abi.Writer { return abi.Writer{}.Uint(uint64(o)).Uint(0) }

// refusedAccount is the answer of OpSignUp and OpCreateAccount for a fault.
func refusedAccount(o abi.Outcome) abi.Writer { return abi.Writer{}.Uint(uint64(o)).String("") }

// form fills in the fields l, e and p, and makes the site's form of them.
func form(login, email, password string) func(*Site) {
	return func(s *Site) { s.Form = url.Values{"l": {login}, "e": {email}, "p": {password}} }
}

// accounts are the cases of signing in, up and out.
func accounts() []Case {
	signIn, signUp := text("l", "p"), text("l", "e", "p", "student")
	bob := text("bob", "bob@example.org", "long enough word", "student")
	yes, nobody := abi.Writer{}.Bool(true), abi.Writer{}.Bool(false)
	list := []Case{
		{"sign-in", form("ada", "", Ada.Password), []Step{
			ok(abi.OpSessionSet, text("lang", "es"), nil),
			ok(abi.OpSignIn, signIn, outcome(abi.OutcomeOK)), ok(abi.OpUser, nil, text(Ada.ID, Ada.Login, Ada.Email)),
			ok(abi.OpRole, nil, text(Ada.Role)), ok(abi.OpSessionGet, text("lang"), found("es")),
		}},
		{"sign-in by e-mail", form("ada@example.org", "", Ada.Password), []Step{ok(abi.OpSignIn, signIn, outcome(abi.OutcomeOK)), ok(abi.OpSignedIn, nil, yes)}},
		{"sign-in with a wrong password", form("ada", "", "wrong"), []Step{ok(abi.OpSignIn, signIn, outcome(abi.OutcomeWrong)), ok(abi.OpSignedIn, nil, nobody)}},
		{"sign-in of nobody", form("", "", ""), []Step{ok(abi.OpSignIn, signIn, outcome(abi.OutcomeWrong)), ok(abi.OpSignedIn, nil, nobody)}},
		{"sign-in by fields that are not there", nil, []Step{ok(abi.OpSignIn, text("x", "y"), outcome(abi.OutcomeWrong))}},
		{"sign-out", signedIn, []Step{
			ok(abi.OpSessionSet, text("lang", "es"), nil), ok(abi.OpSignOut, nil, nil), ok(abi.OpSignedIn, nil, nobody),
			ok(abi.OpRole, nil, text("")), ok(abi.OpSessionGet, text("lang"), absent),
			ok(abi.OpNotify, text("bye"), nil), ok(abi.OpNotices, nil, abi.Writer{}.Strings([]string{"bye"})),
		}},
		{"sign-in is abandoned", form("ada", "", Ada.Password), []Step{
			ok(abi.OpSignIn, signIn, outcome(abi.OutcomeOK)), ok(abi.OpAbandon, nil, nil), ok(abi.OpSignedIn, nil, nobody),
		}},
		{"sign-up", form("bob", "bob@example.org", "long enough word"), []Step{ok(abi.OpSignUp, signUp, nil), ok(abi.OpSignedIn, nil, yes), ok(abi.OpRole, nil, text("student"))}},
		{"sign-up as an administrator", form("bob", "", "long enough word"), []Step{
			no(abi.OpSignUp, text("l", "e", "p", abi.RoleAdmin), abi.StatusDenied), ok(abi.OpSignedIn, nil, nobody),
		}},
		{"sign-up with a role that is none", form("bob", "", "long enough word"), []Step{no(abi.OpSignUp, text("l", "e", "p", "Boss!"), abi.StatusInvalid)}},
		{"rights that the manifest does not ask for", func(s *Site) { s.Manifest.Rights, s.Setup = nil, true }, []Step{
			no(abi.OpSignIn, signIn, abi.StatusDenied), no(abi.OpSignUp, signUp, abi.StatusDenied),
			no(abi.OpSignOut, nil, abi.StatusDenied), no(abi.OpCreateAccount, bob, abi.StatusDenied),
		}},
		{"accounts by a safe method", safe, []Step{
			no(abi.OpSignIn, signIn, abi.StatusReadOnly), no(abi.OpSignUp, signUp, abi.StatusReadOnly),
			no(abi.OpSignOut, nil, abi.StatusReadOnly), no(abi.OpCreateAccount, bob, abi.StatusReadOnly),
		}},
		{"accounts are made at the first start only", nil, []Step{no(abi.OpCreateAccount, bob, abi.StatusDenied)}},
		{"accounts of the first start", func(s *Site) { s.Setup = true }, []Step{
			ok(abi.OpCreateAccount, bob, nil), ok(abi.OpSignedIn, nil, nobody), ok(abi.OpCreateAccount, bob, refusedAccount(abi.OutcomeLoginTaken)),
			ok(abi.OpCreateAccount, text("ada", "", "long enough word", "admin"), refusedAccount(abi.OutcomeLoginTaken)),
		}},
	}
	faults := []struct {
		name, login, email, password string
		want                         abi.Outcome
	}{
		{"a login that is taken", "ada", "bob@example.org", "long enough word", abi.OutcomeLoginTaken},
		{"an e-mail that is taken", "bob", "ada@example.org", "long enough word", abi.OutcomeEmailTaken},
		{"a login that is none", "<b>", "bob@example.org", "long enough word", abi.OutcomeLoginInvalid},
		{"no login", "", "bob@example.org", "long enough word", abi.OutcomeLoginInvalid},
		{"an e-mail that is none", "bob", "bob", "long enough word", abi.OutcomeEmailInvalid},
		{"a short password", "bob", "bob@example.org", "short", abi.OutcomePasswordShort},
		{"an endless password", "bob", "bob@example.org", strings.Repeat("p", 1001), abi.OutcomePasswordLong},
	}
	for _, f := range faults {
		list = append(list, Case{"sign-up with " + f.name, form(f.login, f.email, f.password), []Step{
			ok(abi.OpSignUp, signUp, refusedAccount(f.want)), ok(abi.OpSignedIn, nil, nobody),
		}})
	}
	return list
}

// malformed are the cases of messages that are not what the operation takes:
// cut off and with a byte too many. None may change anything.
func malformed() []Case {
	whole := map[abi.Op]abi.Writer{
		abi.OpRoute: {}, abi.OpRequestID: {}, abi.OpSignedIn: {}, abi.OpRole: {}, abi.OpUser: {}, abi.OpNow: {},
		abi.OpSetting: text("a"), abi.OpLanguage: abi.Writer{}.Strings([]string{"en"}), abi.OpSessionGet: text("a"),
		abi.OpSessionSet: text("a", "b"), abi.OpSessionDelete: text("kept"), abi.OpGet: text("read/a"),
		abi.OpScan: scan("read/", "", 1), abi.OpPut: put("write/a", "x"), abi.OpDelete: text("write/a"),
		abi.OpRandom: abi.Writer{}.Uint(1), abi.OpSignIn: text("l", "p"), abi.OpSignUp: text("l", "e", "p", "student"),
		abi.OpSignOut: {}, abi.OpCreateAccount: text("b", "", "long enough word", "student"), abi.OpNotify: text("n"),
		abi.OpNotices: {}, abi.OpAbandon: {}, abi.OpRemember: text("n"), abi.OpSetPassword: text("p", "q", "n"),
		abi.OpDevices: {}, abi.OpEndDevice: text("d"), abi.OpEndOthers: {},
	}
	steps := []Step{ok(abi.OpSessionSet, text("kept", "yes"), nil), ok(abi.OpNotify, text("kept"), nil), ok(abi.OpPut, put("write/b", "kept"), nil)}
	for op := abi.OpRoute; op < abi.OpEnd; op++ {
		message, known := whole[op]
		if !known {
			panic("abitest: no message for an operation: add it to malformed")
		}
		steps = append(steps, no(op, append(message[:len(message):len(message)], 0), abi.StatusInvalid))
		if len(message) > 0 {
			steps = append(steps, no(op, message[:len(message)-1], abi.StatusInvalid), no(op, nil, abi.StatusInvalid))
		}
	}
	steps = append(steps,
		ok(abi.OpSessionGet, text("kept"), found("yes")), ok(abi.OpNotices, nil, abi.Writer{}.Strings([]string{"kept"})),
		ok(abi.OpGet, text("write/a"), found("a")), ok(abi.OpGet, text("write/b"), found("kept")),
		ok(abi.OpSignedIn, nil, abi.Writer{}.Bool(true)))
	return []Case{{"malformed messages", func(s *Site) { s.Setup, s.SignedIn = true, true }, steps}}
}
