package debug

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/lectern-lms/lectern/guest/abi"
	"github.com/lectern-lms/lectern/host/auth"
	"github.com/lectern-lms/lectern/host/transaction"
	"github.com/lectern-lms/lectern/kv"
	"github.com/lectern-lms/lectern/kv/memory"
	"github.com/lectern-lms/lectern/kv/session"
)

// world is a site in memory with one account.
type world struct {
	transaction.World
	sessions kv.Store
	ada      auth.Account
}

// newWorld makes one.
func newWorld(t *testing.T) *world {
	t.Helper()
	records := memory.New()
	quiet := slog.New(slog.DiscardHandler)
	w := &world{sessions: memory.New()}
	sessions, err := session.NewManager(w.sessions, session.Config{Keys: [][]byte{[]byte("a key of a test")}, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	w.World = transaction.World{
		Records: records, Sessions: sessions, Logger: quiet,
		Accounts: auth.New(records, auth.Options{Params: auth.Params{Memory: 8, Time: 1, Threads: 1}, Logger: quiet}),
	}
	w.ada, err = w.Accounts.Create(t.Context(), auth.NewAccount{Login: "ada", Email: "ada@example.org", Password: "correct horse", Role: "admin"})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// cookie is that of a session with a value and a notice; user may be "".
func (w *world) cookie(t *testing.T, user string) *http.Cookie {
	t.Helper()
	s, err := w.Sessions.Load(t.Context(), session.Cookies{})
	if err != nil {
		t.Fatal(err)
	}
	if user != "" {
		s.SignIn(user, 0)
	}
	if err := s.Set("v.lang", "es"); err != nil {
		t.Fatal(err)
	}
	list, err := w.Sessions.Save(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.AddCookie(list[0])
	tx := w.Begin(transaction.Scope{Manifest: &abi.Manifest{}, Pattern: "POST /x", Cookies: w.Sessions.Cookies(r)})
	if status, answer := tx.Call(t.Context(), abi.OpNotify, abi.Writer(nil).String("private notice")); status != abi.StatusOK {
		t.Fatalf("notify: %s", answer)
	}
	if again, err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	} else if again != nil {
		list = again
	}
	return list[0]
}

// ask sends a GET, with a cookie unless it is nil.
func ask(h http.Handler, cookie *http.Cookie) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, "/debug/x", nil)
	if cookie != nil {
		r.AddCookie(cookie)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// object reads an answer as JSON.
func object(t *testing.T, body *bytes.Buffer) map[string]any {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal(body.Bytes(), &v); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	return v
}
