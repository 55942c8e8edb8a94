//go:build !wasip1

package sdk

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/lectern-lms/lectern/guest/abi"
)

// fakeTx is one request of a Fake: what it asks and answers through http-wasm,
// and what it wants to change.
type fakeTx struct {
	fake    *Fake
	pattern string
	values  []abi.Field
	safe    bool
	// passed says that a handler behind has answered, and spoilt that it
	// failed, so that nothing is stored; see Fake.Next.
	passed, spoilt bool
	// form holds the posted fields with the secret ones.
	form url.Values

	request       *http.Request
	requestHeader http.Header
	input         []byte

	status       int
	answerHeader http.Header
	output       bytes.Buffer
	logged       []string

	// What the handler wants; commit moves it into the Fake.
	writes  map[string]fakeWrite
	effects int
	user    User
	role    string
	// session has the handler's values under "v." and the notices as lines
	// under "notices", as the host keeps them, so that the limits are equal.
	session  map[string]string
	accounts []FakeAccount
	// entered says that this request has signed somebody in, others and ended
	// which devices it signs out; changed are accounts with a new password.
	entered, others bool
	ended           []string
	changed         []FakeAccount
	// remembered is the notice of the reader's remembered device, or "".
	remembered string
}

// fakeWrite is one buffered change of a record.
type fakeWrite struct {
	value  []byte
	remove bool
}

// The names in fakeTx.session.
const (
	fakeValuePrefix = "v."
	fakeNotices     = "notices"
)

// begin starts a request of a route.
func (f *Fake) begin(r *http.Request, pattern string) *fakeTx {
	tx := &fakeTx{
		fake: f, pattern: pattern, status: http.StatusOK, answerHeader: http.Header{},
		safe: r.Method == http.MethodGet || r.Method == http.MethodHead,
	}
	for rest := pattern; ; {
		_, after, found := strings.Cut(rest, "{")
		if !found {
			break
		}
		name, tail, _ := strings.Cut(after, "}")
		rest = tail
		if name = strings.TrimSuffix(name, "..."); name != "" && name != "$" {
			tx.values = append(tx.values, abi.Field{Name: name, Value: r.PathValue(name)})
		}
	}
	tx.abandon()
	return tx
}

// abandon goes back to what the Fake holds.
func (tx *fakeTx) abandon() {
	tx.writes, tx.effects = map[string]fakeWrite{}, 0
	tx.user, tx.role, tx.accounts = tx.fake.User, tx.fake.Role, nil
	tx.entered, tx.others, tx.ended, tx.changed, tx.remembered = false, false, nil, nil, tx.fake.Remembered
	tx.session = map[string]string{}
	for name, value := range tx.fake.Session {
		tx.session[fakeValuePrefix+name] = value
	}
	if len(tx.fake.Notices) > 0 {
		tx.session[fakeNotices] = strings.Join(tx.fake.Notices, "\n")
	}
}

// commit makes the request's changes the Fake's.
func (tx *fakeTx) commit() {
	f := tx.fake
	if f.Records == nil {
		f.Records = map[string][]byte{}
	}
	for key, w := range tx.writes {
		if w.remove {
			delete(f.Records, key)
		} else {
			f.Records[key] = w.value
		}
	}
	f.User, f.Role = tx.user, tx.role
	f.Accounts = append(f.Accounts, tx.accounts...)
	tx.commitDevices()
	f.Notices = fakeLines(tx.session[fakeNotices])
	f.Session = map[string]string{}
	for name, value := range tx.session {
		if name, ok := strings.CutPrefix(name, fakeValuePrefix); ok {
			f.Session[name] = value
		}
	}
}

// fakeLines gives the notices that are kept as lines.
func fakeLines(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(text, "\n")
}

// allAccounts are those of the Fake and of this request.
func (tx *fakeTx) allAccounts() []FakeAccount {
	return append(slices.Clone(tx.fake.Accounts), tx.accounts...)
}

// allRecords are those of the Fake with this request's changes.
func (tx *fakeTx) allRecords() map[string][]byte {
	all := maps.Clone(tx.fake.Records)
	if all == nil {
		all = map[string][]byte{}
	}
	for key, w := range tx.writes {
		if w.remove {
			delete(all, key)
		} else {
			all[key] = w.value
		}
	}
	return all
}

// method implements host.
func (tx *fakeTx) method() string {
	if tx.request.Method == http.MethodHead {
		return http.MethodGet
	}
	return tx.request.Method
}

// uri implements host.
func (tx *fakeTx) uri() string { return tx.request.URL.RequestURI() }

// header implements host.
func (tx *fakeTx) header(name string) string { return tx.requestHeader.Get(name) }

// body implements host.
func (tx *fakeTx) body() []byte { return bytes.Clone(tx.input) }

// setStatus implements host.
func (tx *fakeTx) setStatus(code int) { tx.status = code }

// setHeader implements host.
func (tx *fakeTx) setHeader(name, value string) { tx.answerHeader.Add(name, value) }

// writeBody implements host.
func (tx *fakeTx) writeBody(p []byte) {
	if tx.passed {
		tx.output.Reset()
		tx.passed = false
	}
	tx.output.Write(p)
}

// log implements host.
func (tx *fakeTx) log(level int32, message string) {
	tx.logged = append(tx.logged, fmt.Sprintf("%d: %s", level, message))
}
