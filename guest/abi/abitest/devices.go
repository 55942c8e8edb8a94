package abitest

import (
	"net/url"

	"github.com/lectern-lms/lectern/guest/abi"
)

// devices are the cases of remembered devices, passwords and the list of
// where a reader is signed in.
func devices() []Case {
	yes, no1 := abi.Writer{}.Bool(true), abi.Writer{}.Bool(false)
	change := text("p", "q", "n")
	forms := func(present, next string) func(*Site) {
		return func(s *Site) {
			s.SignedIn, s.Form = true, url.Values{"l": {Ada.Login}, "p": {present}, "q": {next}}
		}
	}
	list := []Case{
		{"remember", form("ada", "", Ada.Password), []Step{
			ok(abi.OpRemember, text("n"), no1), ok(abi.OpSignIn, text("l", "p"), outcome(abi.OutcomeOK)), ok(abi.OpRemember, text("n"), yes),
		}},
		{"remember in another request than the sign-in", signedIn, []Step{ok(abi.OpRemember, text("n"), no1)}},
		{"remember with two lines", form("ada", "", Ada.Password), []Step{
			ok(abi.OpSignIn, text("l", "p"), nil), no(abi.OpRemember, text("a\nb"), abi.StatusInvalid),
		}},
		{"set a password", forms(Ada.Password, "another long word"), []Step{
			ok(abi.OpSetPassword, change, outcome(abi.OutcomeOK)), ok(abi.OpUser, nil, text(Ada.ID, Ada.Login, Ada.Email)),
			no(abi.OpSetPassword, change, abi.StatusInvalid),
		}},
		{"set a password of nobody", func(s *Site) { forms(Ada.Password, "another long word")(s); s.SignedIn = false }, []Step{
			no(abi.OpSetPassword, change, abi.StatusDenied),
		}},
		{"devices of nobody", nil, []Step{
			ok(abi.OpDevices, nil, abi.Writer{}.Devices(nil)), no(abi.OpEndDevice, text("d"), abi.StatusDenied), no(abi.OpEndOthers, nil, abi.StatusDenied),
		}},
		{"a device that is not there", signedIn, []Step{
			ok(abi.OpEndDevice, text("nonsense"), no1), ok(abi.OpEndDevice, text(""), no1), ok(abi.OpSignedIn, nil, yes),
		}},
		{"the other devices", signedIn, []Step{ok(abi.OpDevices, nil, nil), ok(abi.OpEndOthers, nil, nil), ok(abi.OpSignedIn, nil, yes)}},
		{"devices without the right", func(s *Site) { s.Manifest.Rights, s.SignedIn = nil, true }, []Step{
			no(abi.OpDevices, nil, abi.StatusDenied), no(abi.OpEndDevice, text("d"), abi.StatusDenied), no(abi.OpEndOthers, nil, abi.StatusDenied),
			no(abi.OpRemember, text("n"), abi.StatusDenied), no(abi.OpSetPassword, change, abi.StatusDenied),
		}},
		{"devices by a safe method", func(s *Site) { s.Safe, s.SignedIn = true, true }, []Step{
			ok(abi.OpDevices, nil, nil), no(abi.OpEndDevice, text("d"), abi.StatusReadOnly), no(abi.OpEndOthers, nil, abi.StatusReadOnly),
			no(abi.OpRemember, text("n"), abi.StatusReadOnly), no(abi.OpSetPassword, change, abi.StatusReadOnly),
		}},
	}
	for _, f := range []struct {
		name, present, next string
		want                abi.Outcome
	}{
		{"without the present one", "wrong password", "another long word", abi.OutcomeWrong},
		{"that is short", Ada.Password, "short", abi.OutcomePasswordShort},
		{"that is missing", Ada.Password, "", abi.OutcomePasswordShort},
	} {
		list = append(list, Case{"set a password " + f.name, forms(f.present, f.next), []Step{
			ok(abi.OpSetPassword, change, outcome(f.want)), ok(abi.OpSignedIn, nil, yes),
		}})
	}
	return list
}
