//go:build !wasip1

package sdk

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/lectern-lms/lectern/guest/abi"
)

// Fake is a host in memory, so that handlers are tested by plain `go test`:
//
//	f := sdk.NewFake()
//	f.Records["course/go"] = []byte(`{"code":"go"}`)
//	answer := f.Serve("GET", "/course/go/view", nil)
//
// Serve runs the function that the package under test has registered for the
// route. The Fake answers its calls with the statuses of the real host: a safe
// method cannot write, what the manifest does not name is denied, and what a
// handler that returns an error wanted is dropped. What it commits stays in
// the fields below, so that the next Serve sees it. Change the fields freely
// between requests.
//
// What a Fake leaves out: conflicts, the end of records with a time to live,
// and the sandbox itself: a panic of the handler is a panic of the test.
type Fake struct {
	// Manifest is enforced: records, rights, routes, who may use them, and the
	// blanking of secret fields. Nil allows everything but the records that
	// the host keeps for itself.
	Manifest *abi.Manifest
	// User and Role are who is signed in; the zero values are a visitor.
	User User
	Role string
	// Session holds the values of the reader's session.
	Session map[string]string
	// Notices wait for the reader's next page.
	Notices []string
	// Records are the store, by key.
	Records map[string][]byte
	// Accounts are who can sign in; OpSignUp and OpCreateAccount add to them.
	Accounts []FakeAccount
	// Outcome, unless OutcomeOK, is what every operation on accounts answers.
	Outcome abi.Outcome
	// Wait is for how long an attempt with OutcomeThrottled must wait.
	Wait time.Duration
	// Devices are where the reader is signed in; those that a handler ends are
	// taken out. SetPassword and EndOtherDevices leave the current one.
	Devices []abi.Device
	// Remembered is the notice that Remember was given, "" if the device is
	// not remembered.
	Remembered string
	// Settings are what the operator has set.
	Settings map[string]string
	// AcceptLanguage is what the reader's browser prefers, as in the header.
	AcceptLanguage string
	// Header holds further headers of the requests.
	Header http.Header
	// Now is the time that handlers see.
	Now time.Time
	// Setup says that the host is filling an empty store.
	Setup bool
	// Down makes the store fail.
	Down bool
	// Next answers what a handler in front of others lets through; nil finds
	// no route. The body of the request is what the handler was shown.
	Next func(r *http.Request) FakeAnswer

	// ids numbers the accounts that were made.
	ids int
}

// FakeAccount is an account of a Fake.
type FakeAccount struct {
	User     User
	Password string
	Role     string
	// Inactive accounts cannot sign in.
	Inactive bool
}

// FakeRequestID is the id of every request of a Fake.
const FakeRequestID = "0123456789abcdef"

// NewFake makes a host with an empty store, a visitor and the time
// 2026-01-02 15:04:05 UTC.
func NewFake() *Fake {
	return &Fake{
		Session: map[string]string{}, Records: map[string][]byte{}, Header: http.Header{},
		Settings: map[string]string{abi.SettingSiteName: "Lectern"},
		Now:      time.Date(2026, 1, 2, 15, 4, 5, 0, time.UTC),
	}
}

// SignIn makes the reader the account with this login, which must exist. It
// returns f.
func (f *Fake) SignIn(login string) *Fake {
	i := slices.IndexFunc(f.Accounts, func(a FakeAccount) bool { return a.User.Login == login })
	if i < 0 {
		panic("sdk: the Fake has no account " + login)
	}
	f.User, f.Role = f.Accounts[i].User, f.Accounts[i].Role
	return f
}

// FakeResponse is what a handler answered and changed.
type FakeResponse struct {
	Status int
	Header http.Header
	Body   string
	// ErrorPage says that the host would show the site's error page for
	// Status: the handler returned an error, or no route matched.
	ErrorPage bool
	// Written are the records that the request changed; nil means deleted.
	Written map[string][]byte
	// Log is what the handler logged, which includes the text of an error
	// that is no StatusError.
	Log []string
}

// turn lets one Fake serve at a time, since the SDK knows one host.
var turn sync.Mutex

// Serve sends one request through the registered routes. A form is sent as a
// browser sends one; nil sends no body. HEAD is served as GET, as by the host.
func (f *Fake) Serve(method, uri string, form url.Values) *FakeResponse {
	if form == nil {
		return f.ServeBody(method, uri, "", "")
	}
	return f.ServeBody(method, uri, "application/x-www-form-urlencoded", form.Encode())
}

// ServeBody is Serve with any body.
func (f *Fake) ServeBody(method, uri, contentType, body string) *FakeResponse {
	r, err := http.NewRequest(method, uri, strings.NewReader(body))
	if err != nil {
		panic("sdk: " + err.Error())
	}
	mux, answer := http.NewServeMux(), &FakeResponse{Status: http.StatusNotFound, Header: http.Header{}, ErrorPage: true}
	for pattern := range routes {
		require, known := f.requirement(pattern)
		if !known {
			continue
		}
		mux.HandleFunc(pattern, func(_ http.ResponseWriter, r *http.Request) {
			if f.admit(answer, require) {
				*answer = *f.begin(r, pattern).run(r, contentType, body)
			}
		})
	}
	if front.Request != nil && f.Manifest != nil && f.Manifest.Next != "" && len(f.Manifest.Routes) == 0 {
		mux.HandleFunc("/", func(_ http.ResponseWriter, r *http.Request) {
			*answer = *f.begin(r, r.Method+" "+r.URL.EscapedPath()).run(r, contentType, body)
		})
	}
	native := &fakeWriter{answer: answer}
	mux.ServeHTTP(native, r)
	if native.written {
		answer.ErrorPage = answer.Status >= http.StatusBadRequest
	}
	return answer
}

// fakeWriter takes what the router answers by itself: 404, 405 with Allow, and
// the redirect to a clean path.
type fakeWriter struct {
	answer  *FakeResponse
	written bool
}

// Header implements http.ResponseWriter.
func (w *fakeWriter) Header() http.Header { return w.answer.Header }

// WriteHeader implements http.ResponseWriter.
func (w *fakeWriter) WriteHeader(status int) { w.answer.Status, w.written = status, true }

// Write drops the router's text.
func (w *fakeWriter) Write(p []byte) (int, error) { return len(p), nil }

// ServeError asks for the site's error page for a status, as the host does.
func (f *Fake) ServeError(status int) *FakeResponse {
	tx := f.begin(&http.Request{Method: http.MethodGet}, abi.ErrorPattern)
	tx.values = []abi.Field{{Name: "status", Value: strconv.Itoa(status)}}
	answer := tx.run(&http.Request{Method: http.MethodGet, URL: &url.URL{Path: "/"}}, "", "")
	answer.Status = status
	return answer
}

// requirement is what the manifest demands of readers of a route, and whether
// it names the route at all.
func (f *Fake) requirement(pattern string) (require string, known bool) {
	if pattern == abi.ErrorPattern {
		return "", false // asked for by the host alone, see ServeError
	}
	if f.Manifest == nil {
		return abi.RequireNobody, true
	}
	for _, r := range f.Manifest.Routes {
		if r.Pattern == pattern {
			return r.Require, true
		}
	}
	return "", false
}

// admit does what the host does before it asks a handler: whoever must sign in
// is sent away with 303, whoever lacks a role gets 403.
func (f *Fake) admit(answer *FakeResponse, require string) bool {
	switch {
	case require == abi.RequireNobody:
		return true
	case f.User.ID == "":
		answer.Status, answer.ErrorPage = http.StatusSeeOther, false
		return false
	case require == abi.RequireSignedIn, f.Role == require, f.Role == abi.RoleAdmin:
		return true
	}
	answer.Status = http.StatusForbidden
	return false
}

// run gives the request to its function and, unless it failed, commits.
func (tx *fakeTx) run(r *http.Request, contentType, body string) *FakeResponse {
	tx.request, tx.input = r, []byte(body)
	tx.requestHeader = tx.fake.Header.Clone()
	if tx.requestHeader == nil {
		tx.requestHeader = http.Header{}
	}
	tx.requestHeader.Del("Cookie")
	tx.requestHeader.Del("Authorization")
	if contentType != "" {
		tx.requestHeader.Set("Content-Type", contentType)
	}
	if refused := tx.hideSecrets(); refused != 0 {
		return &FakeResponse{Status: refused, Header: http.Header{}, ErrorPage: true}
	}
	turn.Lock()
	defer turn.Unlock()
	before := current
	current = tx
	defer func() { current = before }()
	if serve() {
		tx.passOn()
		answered()
	}
	answer := &FakeResponse{Status: tx.status, Header: tx.answerHeader, Body: tx.output.String(), Log: tx.logged, Written: map[string][]byte{}}
	if tx.answerHeader.Get(ErrorHeader) != "" {
		answer.ErrorPage = true
		return answer
	}
	if tx.spoilt {
		return answer
	}
	for key, w := range tx.writes {
		answer.Written[key] = w.value
	}
	tx.commit()
	return answer
}

// hideSecrets keeps the whole form for the host and blanks secret fields in
// the handler's copy. The status is that of the host if it must refuse.
func (tx *fakeTx) hideSecrets() int {
	kind, _, _ := strings.Cut(tx.requestHeader.Get("Content-Type"), ";")
	isForm := kind == "application/x-www-form-urlencoded"
	form, err := url.ParseQuery(string(tx.input))
	secrets := tx.fake.Manifest != nil && len(tx.fake.Manifest.Secrets) > 0 && len(tx.input) > 0
	if secrets && !isForm {
		return http.StatusUnsupportedMediaType
	}
	if secrets && err != nil {
		return http.StatusBadRequest
	}
	if !isForm {
		return 0
	}
	tx.form = form
	if secrets {
		shown := maps.Clone(form)
		for _, name := range tx.fake.Manifest.Secrets {
			if shown.Has(name) {
				shown.Set(name, "")
			}
		}
		tx.input = []byte(shown.Encode())
	}
	return 0
}
