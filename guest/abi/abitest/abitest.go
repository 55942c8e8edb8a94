// Package abitest is the conformance suite of hosts: whatever answers the
// calls of module "lectern" must answer these cases with these statuses. The
// real host (host/transaction) and the fake one (guest/sdk) both run it, so
// that a handler which passes its own tests meets no surprise.
package abitest

import (
	"bytes"
	"net/url"
	"testing"

	"github.com/lectern-lms/lectern/guest/abi"
)

// Person is an account that exists before a case begins.
type Person struct{ ID, Login, Email, Password, Role string }

// Ada is the one person of every site; Role is no administrator's.
var Ada = Person{ID: "01JBZ3QK6V9M2T4N8R5W7X0YAD", Login: "ada", Email: "ada@example.org", Password: "correct horse", Role: "student"}

// Site is what a host must hold when a case begins.
type Site struct {
	Manifest *abi.Manifest
	Pattern  string
	Values   []abi.Field
	// Safe says that the method is GET.
	Safe bool
	// SignedIn says that the reader is Ada.
	SignedIn bool
	// Setup says that the host fills an empty store.
	Setup          bool
	Records        map[string][]byte
	Settings       map[string]string
	AcceptLanguage string
	// Form is the posted form, with the secret fields.
	Form url.Values
}

// Host answers calls of one request.
type Host func(op abi.Op, message []byte) (abi.Status, []byte)

// Step is one call and what must come of it.
type Step struct {
	Op      abi.Op
	Message abi.Writer
	Status  abi.Status
	// Answer is compared unless it is nil.
	Answer abi.Writer
}

// Case is a request that makes some calls.
type Case struct {
	Name string
	// Change alters the site that Run begins with; it may be nil.
	Change func(*Site)
	Steps  []Step
}

// Manifest is what the requests of all cases have: more than they may use.
func Manifest() *abi.Manifest {
	return &abi.Manifest{
		ABI: abi.Version, Name: "suite", Routes: []abi.Route{{Pattern: "POST /suite/{name}"}},
		Read: []string{"read/"}, Write: []string{"write/", "account/", "system/"},
		Rights: []string{abi.RightSignIn, abi.RightSignUp, abi.RightSetup},
	}
}

// newSite is the site of a case before its Change.
func newSite() Site {
	return Site{
		Manifest: Manifest(), Pattern: "POST /suite/{name}", Values: []abi.Field{{Name: "name", Value: "x/y"}},
		Records: map[string][]byte{
			"read/a": []byte("1"), "read/b": []byte("2"), "other/c": []byte("3"),
			"write/a": []byte("a"), "write/b": []byte("b"), "write/c": []byte("c"), "write/d": []byte("d"),
		},
		Settings: map[string]string{abi.SettingSiteName: "Suite", abi.SettingRememberDays: "30"},
		Form:     url.Values{},
	}
}

// Run runs every case. begin makes a host that holds the site and starts one
// request on it.
func Run(t *testing.T, begin func(*testing.T, Site) Host) {
	for _, c := range Cases() {
		t.Run(c.Name, func(t *testing.T) {
			site := newSite()
			if c.Change != nil {
				c.Change(&site)
			}
			call := begin(t, site)
			for i, s := range c.Steps {
				status, answer := call(s.Op, s.Message)
				if status != s.Status {
					t.Fatalf("step %d, operation %d: status %d (%q), want %d", i+1, s.Op, status, answer, s.Status)
				}
				if s.Answer != nil && !bytes.Equal(answer, s.Answer) {
					t.Fatalf("step %d, operation %d: answer %q, want %q", i+1, s.Op, answer, s.Answer)
				}
			}
		})
	}
}

// Cases are all cases.
func Cases() []Case {
	var all []Case
	for _, group := range [][]Case{plain(), sessions(), records(), bounds(), accounts(), devices(), malformed()} {
		all = append(all, group...)
	}
	return all
}

// text is a message of strings one after the other.
func text(parts ...string) abi.Writer {
	w := abi.Writer{}
	for _, p := range parts {
		w = w.String(p)
	}
	return w
}

// ok is a step that succeeds with an answer; nil does not compare it.
func ok(op abi.Op, message, answer abi.Writer) Step {
	return Step{Op: op, Message: message, Answer: answer}
}

// no is a step that ends with a status.
func no(op abi.Op, message abi.Writer, status abi.Status) Step {
	return Step{Op: op, Message: message, Status: status}
}
