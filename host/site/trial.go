package site

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/lectern-lms/lectern/host/auth"
	"github.com/lectern-lms/lectern/host/config"
	"github.com/lectern-lms/lectern/host/engine"
	"github.com/lectern-lms/lectern/host/server"
	"github.com/lectern-lms/lectern/kv/session"
)

// Trial is one request to one handler, in a site that exists for it alone: in
// memory, in development, with the server that every site has.
type Trial struct {
	// Name is that of the handler in errors.
	Name string
	// Module is the handler, and Demo the one that fills the store first; nil
	// leaves it empty but for the administrator.
	Module, Demo []byte
	// Behind are the handlers, by name, to which it can pass requests on.
	Behind map[string][]byte
	// User is the login of who asks, "" for a visitor.
	User string
	// Method and Target are the request line's, such as "GET" and "/home?q=1".
	Method, Target string
	// Form, if not nil, is the body, as a browser would post it.
	Form   url.Values
	Header http.Header
	// SignIn is the path to which visitors are sent who must sign in.
	SignIn string
	// Config is the site's; see config.Load.
	Config config.Config
	// CacheDir keeps compiled handlers.
	CacheDir string
	Logger   *slog.Logger
}

// TrialResult is what came of a Trial.
type TrialResult struct {
	Status int
	Header http.Header
	Body   []byte
	// Runs are the runs of the handler: none if the host answered by itself,
	// several after conflicts or if it also made an error page.
	Runs []TrialRun
	// Written is what the runs wrote to their sandboxes' memory, in bytes, by
	// whole pages; 0 after a failure, which ends the sandbox.
	Written int
}

// TrialRun is one run of a handler.
type TrialRun struct {
	server.Run
	// Call is the time that the handler worked; the rest of Took went into
	// getting a sandbox and restoring it.
	Call time.Duration
}

// Failure is why the last run gave no answer, or nil.
func (r *TrialResult) Failure() error {
	if len(r.Runs) == 0 {
		return nil
	}
	return r.Runs[len(r.Runs)-1].Err
}

// Run answers the request. The error says why there could be no request at
// all; what the handler did wrong is in the result.
func (t Trial) Run(ctx context.Context) (*TrialResult, error) {
	result := &TrialResult{}
	watch := &stopwatch{}
	stores := OpenMemory()
	modules := map[string][]byte{t.Name: t.Module, setupHandler: t.Demo}
	maps.Copy(modules, t.Behind)
	s, err := Open(ctx, Options{
		Config: t.Config, Stores: stores, Modules: modules, NoDemo: t.Demo == nil,
		Logger: t.Logger, CacheDir: t.CacheDir, Sandboxes: watch, SignIn: t.SignIn,
		Trace: func(r server.Run) { result.Runs = append(result.Runs, TrialRun{Run: r, Call: watch.took}) },
	})
	if err != nil {
		return nil, errors.Join(err, stores.Close())
	}
	err = t.answer(ctx, s, watch, result)
	return result, errors.Join(err, s.Close(ctx), stores.Close())
}

// answer sends the request through the whole server.
func (t Trial) answer(ctx context.Context, s *Site, watch *stopwatch, result *TrialResult) error {
	request, err := t.request(ctx)
	if err != nil {
		return err
	}
	if t.User != "" {
		cookie, err := s.signIn(ctx, t.User)
		if err != nil {
			return err
		}
		request.AddCookie(cookie)
	}
	w := &answerBuffer{header: http.Header{}}
	s.Handler().ServeHTTP(w, request)
	if result.Failure() == nil {
		result.Written = watch.written
	}
	result.Status, result.Header, result.Body = w.status, w.header, w.body.Bytes()
	return nil
}

// request is the trial's as the server reads it from a connection.
func (t Trial) request(ctx context.Context) (*http.Request, error) {
	body := ""
	if t.Form != nil {
		body = t.Form.Encode()
	}
	r, err := http.NewRequestWithContext(ctx, t.Method, t.Target, strings.NewReader(body))
	if err != nil || !strings.HasPrefix(t.Target, "/") {
		return nil, fmt.Errorf("%s %s is no request: give a method such as GET and a path such as /home", t.Method, t.Target)
	}
	r.RequestURI, r.Host, r.RemoteAddr = t.Target, "localhost", "127.0.0.1:1"
	for name, values := range t.Header {
		r.Header[name] = values
	}
	if host := r.Header.Get("Host"); host != "" {
		r.Host = host // net/http has it here, and so does the router
		r.Header.Del("Host")
	}
	if t.Form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return r, nil
}

// signIn makes a session of an account, without its password.
func (s *Site) signIn(ctx context.Context, login string) (*http.Cookie, error) {
	account, err := s.world.Accounts.Find(ctx, login)
	if errors.Is(err, auth.ErrUnknown) {
		return nil, fmt.Errorf("nobody on this site has the login %q; the demo site has %s, student and instructor", login, demoAdmin)
	}
	if err != nil {
		return nil, err
	}
	visit, err := s.world.Sessions.Load(ctx, session.Cookies{})
	if err != nil {
		return nil, err
	}
	visit.SignIn(account.ID, account.Generation)
	cookies, err := s.world.Sessions.Save(ctx, visit)
	if err != nil {
		return nil, err
	}
	return cookies[0], nil
}

// stopwatch keeps how long the last call of a handler took.
type stopwatch struct {
	took    time.Duration
	written int // bytes that restoring the sandbox took
}

// Handler implements engine.Observer.
func (w *stopwatch) Handler(string) engine.Meter { return w }

// Served implements engine.Meter.
func (w *stopwatch) Served(took time.Duration, _ string) { w.took = took }

// Started implements engine.Meter.
func (w *stopwatch) Started(time.Duration) {}

// Restored implements engine.Meter.
func (w *stopwatch) Restored(_ time.Duration, bytes int) { w.written = bytes }

// Ended implements engine.Meter.
func (w *stopwatch) Ended(string) {}

// answerBuffer is a response in memory.
type answerBuffer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// Header implements http.ResponseWriter.
func (w *answerBuffer) Header() http.Header { return w.header }

// WriteHeader implements http.ResponseWriter.
func (w *answerBuffer) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
}

// Write implements http.ResponseWriter.
func (w *answerBuffer) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(p)
}
