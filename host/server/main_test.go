package server_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lectern-lms/lectern/guest/abi"
	"github.com/lectern-lms/lectern/host/auth"
	"github.com/lectern-lms/lectern/host/engine"
	"github.com/lectern-lms/lectern/host/engine/wasmtest"
	"github.com/lectern-lms/lectern/host/handlertest"
	"github.com/lectern-lms/lectern/host/server"
	"github.com/lectern-lms/lectern/host/transaction"
	"github.com/lectern-lms/lectern/kv"
	"github.com/lectern-lms/lectern/kv/memory"
	"github.com/lectern-lms/lectern/kv/session"
)

// kit compiles the handlers catalog and account, as built, and
// testdata/trouble.
var kit = &handlertest.Kit{Modules: func(ctx context.Context) ([][]byte, error) {
	trouble, err := handlertest.Build(ctx, "testdata/trouble")
	catalog, err1 := handlertest.Built("catalog")
	account, err2 := handlertest.Built("account")
	return [][]byte{trouble, catalog, account}, errors.Join(err, err1, err2)
}}

// sandboxLog is where the shared engine writes.
var sandboxLog = &logBook{}

// loaded makes the engine of all tests of the package with its handlers, when
// the first needs it; end closes them.
var (
	loaded = sync.OnceValues(load)
	shared *engine.Engine
	end    []func(context.Context) error
)

// TestMain runs the tests and closes the engine.
func TestMain(m *testing.M) {
	code := kit.Run(m)
	for _, f := range slices.Backward(end) {
		if err := f(context.Background()); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

// load makes the shared engine.
func load() ([]*engine.Handler, error) {
	ctx := context.Background()
	modules, dir, err := kit.Ready()
	if err != nil {
		return nil, err
	}
	e, err := engine.New(ctx, engine.Options{CacheDir: dir, Sandboxes: 8, Spares: 1, Logger: slog.New(slog.NewTextHandler(sandboxLog, nil))})
	if err != nil {
		return nil, err
	}
	shared, end = e, append(end, e.Close)
	var handlers []*engine.Handler
	for _, module := range modules {
		h, err := e.Load(ctx, module)
		if err != nil {
			return nil, err
		}
		end = append(end, h.Close)
		handlers = append(handlers, h)
	}
	return handlers, nil
}

// handlers are trouble, catalog and account, loaded.
func handlers(t testing.TB) []*engine.Handler {
	t.Helper()
	list, err := loaded()
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// scripted loads a handler that does what its steps say; see
// handlertest.Scripted.
func scripted(t testing.TB, m abi.Manifest, steps ...string) *engine.Handler {
	t.Helper()
	module, err := handlertest.Scripted(m, steps...)
	if err != nil {
		t.Fatal(err)
	}
	return loadOne(t, module)
}

// bare loads a handler that answers nothing; loading it takes no time.
func bare(t testing.TB, m abi.Manifest) *engine.Handler {
	t.Helper()
	m.ABI = abi.Version
	manifest, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	var module wasmtest.Module
	module.Memory(1, 1)
	module.Export("handle_request", wasmtest.KindFunction, module.Func("", "l", "", wasmtest.I64(0)))
	module.Export("handle_response", wasmtest.KindFunction, module.Func("ii", "", ""))
	return loadOne(t, abi.AppendManifest(module.Bytes(), manifest))
}

// loadOne loads a handler until the end of the test.
func loadOne(t testing.TB, module []byte) *engine.Handler {
	t.Helper()
	handlers(t) // makes the engine
	h, err := shared.Load(t.Context(), module)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return h
}

// with adds handlers to a site's options.
func with(added ...*engine.Handler) func(*server.Options) {
	return func(o *server.Options) { o.Handlers = append(slices.Clone(o.Handlers), added...) }
}

// logBook keeps what is logged, for many goroutines.
type logBook struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write implements io.Writer.
func (l *logBook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// String is everything so far.
func (l *logBook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// site is a server with a store of its own and the shared handlers.
type site struct {
	*server.Server
	t       testing.TB
	world   transaction.World
	records kv.Store
	log     *logBook
}

// newSite makes one; change may alter the options.
func newSite(t testing.TB, change func(*server.Options)) *site {
	t.Helper()
	s := &site{t: t, records: memory.New(), log: &logBook{}}
	logger := slog.New(slog.NewTextHandler(s.log, nil))
	sessions, err := session.NewManager(memory.New(), session.Config{Keys: [][]byte{[]byte("a key of a test")}, Logger: logger})
	if err != nil {
		t.Fatal(err)
	}
	s.world = transaction.World{
		Records: s.records, Sessions: sessions, Logger: logger,
		Accounts: auth.New(s.records, auth.Options{Params: auth.Params{Memory: 8, Time: 1, Threads: 1}, Logger: logger}),
		Settings: map[string]string{abi.SettingSiteName: "Test site"},
	}
	for login, role := range map[string]string{"ada": "student", "grace": "instructor", "boss": "admin"} {
		if _, err := s.world.Accounts.Create(t.Context(), auth.NewAccount{Login: login, Password: password, Role: role}); err != nil {
			t.Fatal(err)
		}
	}
	o := server.Options{World: s.world, Handlers: handlers(t), Logger: logger, Timeout: 20 * time.Second, MaxBody: 4 << 10}
	if change != nil {
		change(&o)
	}
	if s.Server, err = server.New(o); err != nil {
		t.Fatal(err)
	}
	return s
}

// password is that of every account.
const password = "correct horse battery"

// request makes a request from a client at 192.0.2.1 by plain HTTP.
func request(method, path string, form url.Values) *http.Request {
	r := httptest.NewRequest(method, "http://site.example"+path, strings.NewReader(form.Encode()))
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return r
}

// do sends a request past the network.
func (s *site) do(r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, r)
	return w
}

// get asks for a page.
func (s *site) get(path string) *httptest.ResponseRecorder {
	return s.do(request(http.MethodGet, path, nil))
}

// signIn gives the cookie of somebody who has signed in.
func (s *site) signIn(login string) *http.Cookie {
	s.t.Helper()
	w := s.do(request(http.MethodPost, "/user/login", url.Values{"usuario": {login}, "acceso": {password}}))
	cookies := w.Result().Cookies()
	if w.Code != http.StatusSeeOther || len(cookies) != 1 {
		s.t.Fatalf("sign-in: status %d, cookies %v\n%s", w.Code, cookies, s.log)
	}
	return cookies[0]
}

// value is a record, "-" if there is none.
func (s *site) value(key string) string {
	e, err := s.records.Get(context.Background(), key)
	if err != nil {
		return "-"
	}
	return string(e.Value)
}
