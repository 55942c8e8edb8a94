package transaction

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/lectern-lms/lectern/guest/abi"
	"github.com/lectern-lms/lectern/guest/abi/abitest"
	"github.com/lectern-lms/lectern/host/auth"
	"github.com/lectern-lms/lectern/kv"
	"github.com/lectern-lms/lectern/kv/memory"
	"github.com/lectern-lms/lectern/kv/session"
)

// cheap are parameters of argon2id that cost no time worth mentioning.
var cheap = auth.Params{Memory: 8, Time: 1, Threads: 1}

// world is a site in memory that a test can look into.
type world struct {
	World
	t        testing.TB
	sessions kv.Store
	log      bytes.Buffer
}

// newWorld makes a site whose one account is abitest.Ada.
func newWorld(t testing.TB) *world {
	t.Helper()
	records := memory.New()
	w := &world{t: t, sessions: memory.New()}
	logger := slog.New(slog.NewTextHandler(&w.log, nil))
	sessions, err := session.NewManager(w.sessions, session.Config{Keys: [][]byte{[]byte("a key of a test")}, Remember: 30 * 24 * time.Hour, Logger: logger})
	if err != nil {
		t.Fatal(err)
	}
	w.World = World{
		Records: records, Sessions: sessions, Accounts: auth.New(records, auth.Options{Params: cheap, Logger: logger}),
		Settings: map[string]string{abi.SettingSiteName: "Suite"}, Logger: logger,
	}
	a := abitest.Ada
	if _, err := w.Accounts.Create(t.Context(), auth.NewAccount{ID: a.ID, Login: a.Login, Email: a.Email, Password: a.Password, Role: a.Role}); err != nil {
		t.Fatal(err)
	}
	return w
}

// scope is that of a POST which may do all that abitest.Manifest allows.
func (w *world) scope() Scope {
	return Scope{Manifest: abitest.Manifest(), Pattern: "POST /suite", RequestID: "r1", Form: url.Values{
		"l": {abitest.Ada.Login}, "p": {abitest.Ada.Password},
	}}
}

// put stores records past every transaction.
func (w *world) put(pairs ...string) {
	w.t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		if _, err := w.Records.Commit(context.Background(), nil, []kv.Write{kv.Put(pairs[i], []byte(pairs[i+1]))}); err != nil {
			w.t.Fatal(err)
		}
	}
}

// value is a record, "-" if there is none.
func (w *world) value(key string) string {
	w.t.Helper()
	e, err := w.Records.Get(context.Background(), key)
	if err != nil {
		return "-"
	}
	return string(e.Value)
}

// signedIn gives the cookie of a session of Ada.
func (w *world) signedIn() session.Cookies {
	w.t.Helper()
	tx := w.Begin(w.scope())
	must(w.t, tx, abi.OpSignIn, abi.Writer{}.String("l").String("p"))
	return w.commit(tx)
}

// commit ends a transaction well and gives the values of the cookies that it
// sets.
func (w *world) commit(tx *Tx) session.Cookies {
	w.t.Helper()
	list, err := tx.Commit(context.Background())
	if err != nil {
		w.t.Fatal(err)
	}
	return w.browser(list)
}

// browser is what a browser sends that got these cookies.
func (w *world) browser(list []*http.Cookie) session.Cookies {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	for _, c := range list {
		if c.MaxAge >= 0 {
			r.AddCookie(c)
		}
	}
	return w.Sessions.Cookies(r)
}

// noCookies is what a visitor's browser sends.
var noCookies session.Cookies

// must makes a call that succeeds.
func must(t testing.TB, tx *Tx, op abi.Op, message abi.Writer) *abi.Reader {
	t.Helper()
	status, answer := tx.Call(context.Background(), op, message)
	if status != abi.StatusOK {
		t.Fatalf("operation %d: status %d: %s", op, status, answer)
	}
	return abi.NewReader(answer)
}

// text is a message of strings.
func text(parts ...string) abi.Writer {
	w := abi.Writer{}
	for _, p := range parts {
		w = w.String(p)
	}
	return w
}

// faulty is a store that fails while down is set.
type faulty struct {
	kv.Store
	down bool
}

// Get fails while the store is down.
func (f *faulty) Get(ctx context.Context, key string) (kv.Entry, error) {
	if f.down {
		return kv.Entry{}, kv.ErrUnavailable
	}
	return f.Store.Get(ctx, key)
}

// Scan fails while the store is down.
func (f *faulty) Scan(ctx context.Context, r kv.Range) (kv.Page, error) {
	if f.down {
		return kv.Page{}, kv.ErrUnavailable
	}
	return f.Store.Scan(ctx, r)
}

// Commit fails while the store is down.
func (f *faulty) Commit(ctx context.Context, checks []kv.Check, writes []kv.Write) (kv.Revision, error) {
	if f.down {
		return 0, kv.ErrUnavailable
	}
	return f.Store.Commit(ctx, checks, writes)
}

// soon bounds what a test waits for.
const soon = 10 * time.Second
