// Package server is the way of a request: from the listener through the
// middleware and the route to a handler's sandbox, its transaction and the
// response. Start reading at routes.go.
package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/lectern-lms/lectern/host/engine"
	"github.com/lectern-lms/lectern/host/transaction"
	"golang.org/x/time/rate"
)

// The time-outs of a connection. A request's own time is Options.Timeout.
const (
	headerTimeout = 5 * time.Second
	readTimeout   = 30 * time.Second
	idleTimeout   = 2 * time.Minute
	// writeMargin is what a slow reader gets beyond the request's time.
	writeMargin = 30 * time.Second
	maxHeader   = 32 << 10
)

// Options configure a Server.
type Options struct {
	World    transaction.World
	Handlers []*engine.Handler
	Logger   *slog.Logger
	// Timeout is what one request may take, waiting for a sandbox included.
	Timeout time.Duration
	// MaxBody is the longest request body in bytes.
	MaxBody int64
	// ForceHTTPS redirects plain HTTP and sends HSTS.
	ForceHTTPS bool
	// TrustedProxies are believed about the client's address and scheme.
	TrustedProxies []netip.Prefix
	// SignIn is the path of the sign-in page unless a handler has one.
	SignIn string
	// Native are the host's own endpoints by pattern, such as "/healthz".
	Native map[string]http.Handler
	// Trace, if set, is told of each run of a handler before its effects are
	// committed.
	Trace func(Run)
	// Observe, if set, is told of each request that was answered.
	Observe func(route string, status int, took time.Duration)
}

// Run is one run of a handler. A request that meets a conflict has several.
type Run struct {
	Handler *engine.Handler
	Scope   transaction.Scope
	Tx      *transaction.Tx
	// Err is that of engine.Handler.Serve.
	Err error
	// Took is the time of Serve: to get a sandbox, to run, to restore it.
	Took time.Duration
}

// Server answers HTTP requests.
type Server struct {
	options Options
	http    *http.Server
	// plan says which handler stands behind which.
	plan *plan
	// errorPages is the handler that makes the site's error pages, or nil.
	errorPages *engine.Handler
	// signIn is where people who must sign in are sent, or "".
	signIn string
	turns  *turns
	// busy counts the requests for which no sandbox came free, and busyLog keeps
	// them from filling the log, which would make the cause worse.
	busy     atomic.Int64
	busyLog  rate.Sometimes
	stopping atomic.Bool
}

// New builds the routes. It fails if two handlers claim the same one.
func New(o Options) (*Server, error) {
	s := &Server{options: o, signIn: o.SignIn, turns: newTurns(), busyLog: rate.Sometimes{Interval: time.Second}}
	routes, err := s.routes()
	if err != nil {
		return nil, err
	}
	s.http = &http.Server{
		Handler:           s.middleware(routes),
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      o.Timeout + writeMargin,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          slog.NewLogLogger(o.Logger.Handler(), slog.LevelDebug),
	}
	return s, nil
}

// Handler answers requests without a listener, for tests and benchmarks.
func (s *Server) Handler() http.Handler { return s.http.Handler }

// Serve accepts connections until Shutdown, after which it returns nil.
func (s *Server) Serve(l net.Listener) error {
	if err := s.http.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("server: %w", err)
	}
	return nil
}

// Stopping reports whether Shutdown has begun; readiness follows it.
func (s *Server) Stopping() bool { return s.stopping.Load() }

// Shutdown says "not ready", waits for a moment that gives proxies time to
// see it, stops accepting and waits for requests in flight until ctx ends.
func (s *Server) Shutdown(ctx context.Context, notice time.Duration) error {
	s.stopping.Store(true)
	s.http.SetKeepAlivesEnabled(false)
	select {
	case <-time.After(notice):
	case <-ctx.Done():
	}
	if err := s.http.Shutdown(ctx); err != nil {
		return errors.Join(fmt.Errorf("server: requests were still in flight: %w", err), s.http.Close())
	}
	return nil
}
