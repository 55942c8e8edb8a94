// Package site puts one process of a Lectern site together: the stores, the
// sessions and accounts on them, the engine with its handlers, and the server.
// It is what `lectern serve`, the tests and the benchmarks have in common.
package site

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/lectern-lms/lectern/guest/abi"
	"github.com/lectern-lms/lectern/host/auth"
	"github.com/lectern-lms/lectern/host/config"
	"github.com/lectern-lms/lectern/host/debug"
	"github.com/lectern-lms/lectern/host/engine"
	"github.com/lectern-lms/lectern/host/server"
	"github.com/lectern-lms/lectern/host/sizing"
	"github.com/lectern-lms/lectern/host/transaction"
	"github.com/lectern-lms/lectern/kv/session"
	"github.com/prometheus/client_golang/prometheus"
)

// spares is how many started sandboxes of each handler wait for requests.
const spares = 2

// readyNotice is how long a process that stops still accepts connections, so
// that a proxy which asks /readyz can look elsewhere.
const readyNotice = 100 * time.Millisecond

// Options say what a site is made of.
type Options struct {
	Config config.Config
	// Stores are where sessions and records are kept.
	Stores Stores
	// Modules are the handlers' WebAssembly modules by name.
	Modules map[string][]byte
	Logger  *slog.Logger
	// Plan bounds the sandboxes; one by the processors alone if it is zero.
	Plan sizing.Plan
	// Worker is this process's number, from 0.
	Worker int
	// Metrics are this process's measurements; made if nil.
	Metrics *debug.Metrics
	// CacheDir keeps compiled handlers; the data directory's "cache" if "".
	CacheDir string
	// FillPatience is how long another node may take to fill an empty store
	// before this one does.
	FillPatience time.Duration
	// NoDemo leaves the demo courses and people out in development too.
	NoDemo bool
	// SignIn is the path of the sign-in page unless a handler has one.
	SignIn string
	// Trace, if set, is told of each run of a handler.
	Trace func(server.Run)
	// Sandboxes, if set, is told of the sandboxes' work in place of Metrics.
	Sandboxes engine.Observer
	// Peers gives the measurements of the node's other workers; may be nil.
	Peers prometheus.Gatherer
}

// Site is one process's part of a site.
type Site struct {
	options  Options
	world    transaction.World
	engine   *engine.Engine
	handlers []*engine.Handler
	server   *server.Server
	log      *slog.Logger
}

// Open makes a site ready to serve. At the very first start it also creates
// the administrator and, in development, the demo courses.
func Open(ctx context.Context, o Options) (*Site, error) {
	if len(o.Modules) == 0 {
		return nil, errors.New("site: this binary carries no handlers, so it has no page to show: build it with `task build`")
	}
	if o.Metrics == nil {
		o.Metrics = debug.NewMetrics(o.Worker)
	}
	if o.Sandboxes == nil {
		o.Sandboxes = o.Metrics.Sandboxes()
	}
	if o.CacheDir == "" {
		o.CacheDir = filepath.Join(o.Config.DataDir, "cache")
	}
	if o.Plan.Threads == 0 {
		o.Plan = sizing.Make(sizing.Machine{CPUs: runtime.GOMAXPROCS(0)}, sizing.Wishes{Workers: 1, Threads: int(o.Config.Threads)}, Serving(o.Modules))
	}
	s := &Site{options: o, log: o.Logger}
	if err := s.open(ctx); err != nil {
		return nil, errors.Join(err, s.Close(ctx))
	}
	return s, nil
}

func (s *Site) open(ctx context.Context) error {
	cfg := s.options.Config
	keys := [][]byte{[]byte(cfg.SecretKey.Reveal())}
	for _, k := range cfg.SecretKeyFallbacks {
		keys = append(keys, []byte(k.Reveal()))
	}
	sessions, err := session.NewManager(s.options.Stores.Sessions, session.Config{
		Keys: keys, Secure: cfg.CookieSecure, SameSite: http.SameSite(cfg.CookieSameSite),
		Idle: cfg.SessionIdle, Absolute: cfg.SessionAbsolute,
		Remember: cfg.Remember, Limit: cfg.SessionLimit, Logger: s.log,
	})
	if err != nil {
		return fmt.Errorf("site: %w", err)
	}
	s.world = transaction.World{
		Records: s.options.Stores.Records, Sessions: sessions, Logger: s.log,
		Accounts: auth.New(s.options.Stores.Records, auth.Options{
			Limits: s.options.Stores.Sessions, Keys: keys, Secure: cfg.CookieSecure, Logger: s.log,
		}),
		Settings: map[string]string{abi.SettingSiteName: cfg.SiteName, abi.SettingRememberDays: days(cfg.Remember)},
	}
	s.engine, err = engine.New(ctx, engine.Options{
		CacheDir: s.options.CacheDir, Sandboxes: s.options.Plan.Threads, Memory: s.options.Plan.PoolMemory(), Spares: spares,
		Logger: s.log, Observer: s.options.Sandboxes,
	})
	if err != nil {
		return fmt.Errorf("site: %w", err)
	}
	if err := s.firstStart(ctx); err != nil {
		return fmt.Errorf("site: %w", err)
	}
	if err := s.load(ctx); err != nil {
		return fmt.Errorf("site: %w", err)
	}
	s.options.Metrics.WatchSandboxes(s.handlers)
	s.options.Metrics.WatchNear(s.options.Stores.Near)
	s.options.Modules = nil // tens of MB that nobody needs any more
	s.server, err = server.New(s.serverOptions())
	debug.FreeMemory()
	return err
}

// days writes a time in whole days, "" for none.
func days(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return strconv.Itoa(int(d / (24 * time.Hour)))
}

// Serving counts the modules whose handlers serve visitors: all but the one
// that fills an empty store.
func Serving(modules map[string][]byte) int {
	n := len(modules)
	if _, ok := modules[setupHandler]; ok {
		n--
	}
	return n
}

// load compiles every handler that visitors can reach, side by side, and keeps
// them in the order of their names.
func (s *Site) load(ctx context.Context) error {
	var names []string
	for name := range s.options.Modules {
		if name != setupHandler {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	loaded, faults := make([]*engine.Handler, len(names)), make([]error, len(names))
	var wait sync.WaitGroup
	for i, name := range names {
		wait.Go(func() { loaded[i], faults[i] = s.loadOne(ctx, name) })
	}
	wait.Wait()
	s.handlers = slices.DeleteFunc(loaded, func(h *engine.Handler) bool { return h == nil })
	return errors.Join(faults...)
}

// loadOne compiles one handler.
func (s *Site) loadOne(ctx context.Context, name string) (*engine.Handler, error) {
	begin := time.Now()
	h, err := s.engine.Load(ctx, s.options.Modules[name])
	if err != nil {
		return nil, fmt.Errorf("handler %s: %w", name, err)
	}
	m := h.Manifest()
	u := h.Usage()
	s.log.Info("handler loaded", "handler", m.Name, "version", m.Version, "routes", len(m.Routes),
		"sandboxes", u.Most, "sandbox_cost", sizing.Size(u.Cost).String(), "took", time.Since(begin).Round(time.Millisecond))
	return h, nil
}

// serverOptions gathers what the server needs of the rest.
func (s *Site) serverOptions() server.Options {
	cfg, stores := s.options.Config, s.options.Stores
	guard := func(h http.Handler) http.Handler { return debug.Guard(cfg.DebugEndpoints, h) }
	native := map[string]http.Handler{
		"GET /healthz":       debug.Healthz(),
		"GET /readyz":        debug.Readyz(s.Components()),
		"GET /metrics":       s.options.Metrics.Handler(s.options.Peers),
		"GET /debug/session": guard(debug.Session(s.world, stores.Backend, s.options.Worker)),
		"GET /debug/config":  guard(debug.Config(cfg, stores.Backend)),
		"GET /debug/redis":   guard(debug.Redis(stores.Redis)),
	}
	return server.Options{
		World: s.world, Handlers: s.handlers, Logger: s.log, Native: native,
		Timeout: cfg.RequestTimeout, MaxBody: int64(cfg.MaxBody), ForceHTTPS: cfg.ForceHTTPS,
		TrustedProxies: cfg.TrustedProxy, Observe: s.options.Metrics.Request, Trace: s.options.Trace, SignIn: s.options.SignIn,
	}
}

// Components are what /readyz asks: each says whether it works.
func (s *Site) Components() []debug.Component {
	return []debug.Component{
		{Name: "server", Check: func(context.Context) (string, error) {
			if s.server != nil && s.server.Stopping() {
				return "", errors.New("stopping")
			}
			return "accepting", nil
		}},
		{Name: "records", Check: s.options.Stores.checkRecords},
		{Name: "sessions", Check: s.options.Stores.checkSessions},
		{Name: "engine", Check: func(context.Context) (string, error) { return "wazero compiler", nil }},
		{Name: "handlers", Check: func(context.Context) (string, error) {
			if len(s.handlers) == 0 {
				return "", errors.New("none loaded")
			}
			return fmt.Sprintf("%d loaded", len(s.handlers)), nil
		}},
	}
}

// Serve answers requests until Shutdown.
func (s *Site) Serve(l net.Listener) error { return s.server.Serve(l) }

// Handler answers requests without a listener.
func (s *Site) Handler() http.Handler { return s.server.Handler() }

// Shutdown stops accepting and waits for the requests in flight.
func (s *Site) Shutdown(ctx context.Context) error { return s.server.Shutdown(ctx, readyNotice) }

// Close frees the handlers and the engine. The stores belong to the caller.
func (s *Site) Close(ctx context.Context) error {
	var faults []error
	for _, h := range s.handlers {
		faults = append(faults, h.Close(ctx))
	}
	if s.engine != nil {
		faults = append(faults, s.engine.Close(ctx))
	}
	return errors.Join(faults...)
}
