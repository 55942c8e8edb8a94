package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"syscall"

	"github.com/lectern-lms/lectern/host/config"
	"github.com/lectern-lms/lectern/host/debug"
	"github.com/lectern-lms/lectern/host/site"
	"github.com/lectern-lms/lectern/host/sizing"
	"github.com/lectern-lms/lectern/host/supervisor"
	"github.com/lectern-lms/lectern/kv/jetstream"
	"github.com/nats-io/nats.go"
)

// serve runs the site: all in this process, or a supervisor with workers. A
// process that a supervisor started becomes a worker.
func serve(ctx context.Context, out io.Writer) error {
	cfg, err := config.Load(os.Environ())
	if err != nil {
		return err
	}
	log := newLogger(cfg)
	worker, ok, err := supervisor.Inherited()
	if err != nil {
		return err
	}
	if ok {
		cfg.HandlersDir = os.Getenv(envHandlers)
	}
	plan, machine, err := planNode(cfg)
	if err != nil {
		return err
	}
	if ok {
		return work(ctx, cfg, worker, plan, log)
	}
	for _, w := range cfg.Warnings {
		log.Warn(w)
	}
	log.LogAttrs(ctx, slog.LevelInfo, "sized to the machine", plan.Attrs()...)
	unlock, err := config.PrepareDataDir(cfg.DataDir)
	if err != nil {
		return err
	}
	defer unlock()
	if err := config.EnsureSecret(&cfg); err != nil {
		return err
	}
	listener, err := listen(cfg)
	if err != nil {
		return err
	}
	defer listener.Close()
	store, err := startStore(ctx, cfg, plan.Workers > 1, log)
	if err != nil {
		return err
	}
	if store != nil {
		defer store.Shutdown()
	}
	node := &node{cfg: cfg, plan: plan, machine: machine, listener: listener, store: store, log: log, out: out}
	if plan.Workers > 1 {
		return node.supervise(ctx)
	}
	return node.serveAlone(ctx)
}

// newLogger writes to standard error, at a level that SIGUSR1 switches to
// debug and back.
func newLogger(cfg config.Config) *slog.Logger {
	level := &slog.LevelVar{}
	level.Set(cfg.LogLevel)
	toggleDebug(level)
	return debug.NewLogger(os.Stderr, cfg.LogFormat, level)
}

// listen opens the port, or says who to ask about it.
func listen(cfg config.Config) (*net.TCPListener, error) {
	l, err := net.Listen("tcp", cfg.Address())
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("port %d on %s is in use by another program; stop it or set another LMS_PORT", cfg.Port, cfg.Bind)
	case errors.Is(err, syscall.EACCES):
		return nil, fmt.Errorf("port %d may not be opened by this user; set LMS_PORT to 1024 or more", cfg.Port)
	case err != nil:
		return nil, fmt.Errorf("cannot listen on LMS_BIND %s, LMS_PORT %d: %w", cfg.Bind, cfg.Port, err)
	}
	return l.(*net.TCPListener), nil
}

// node is this machine's part of the site: what the process that was started
// by hand holds, whether it serves itself or supervises workers.
type node struct {
	cfg      config.Config
	plan     sizing.Plan
	machine  sizing.Machine
	listener *net.TCPListener
	store    *jetstream.Server // nil if Redis holds everything
	log      *slog.Logger
	out      io.Writer
}

// open opens the site in this process.
func (n *node) open(ctx context.Context) (*process, error) {
	stores := site.StoreOptions{Config: n.cfg, Logger: n.log}
	options := site.Options{Config: n.cfg, Plan: n.plan, Logger: n.log}
	if n.store != nil {
		stores.Connect, options.FillPatience = n.store.Connect, fillPatience(n.store)
	}
	return openProcess(ctx, options, stores)
}

// serveAlone is the site in one process.
func (n *node) serveAlone(ctx context.Context) error {
	limitGo(n.plan.GoLimit, n.log)
	p, err := n.open(ctx)
	if err != nil {
		return err
	}
	defer p.close()
	announce(n.out, n.cfg, n.listener.Addr())
	return p.serve(ctx, n.listener)
}

// process is the site of this process with the stores that it opened.
type process struct {
	cfg    config.Config
	site   *site.Site
	stores site.Stores
	log    *slog.Logger
}

// openProcess opens the stores and the site on them. It fills in the options'
// stores and modules.
func openProcess(ctx context.Context, options site.Options, from site.StoreOptions) (*process, error) {
	log := options.Logger
	modules, err := allModules(options.Config.HandlersDir)
	if err != nil {
		return nil, err
	}
	stores, err := site.OpenStores(ctx, from)
	if err != nil {
		return nil, err
	}
	log.Info("session store chosen", "session_store", stores.Backend, "reason", stores.Reason, "record_store", stores.RecordsBackend)
	options.Stores, options.Modules = stores, modules
	s, err := site.Open(ctx, options)
	if err != nil {
		return nil, errors.Join(err, stores.Close())
	}
	return &process{cfg: options.Config, site: s, stores: stores, log: log}, nil
}

// serve answers requests until ctx ends, then drains.
func (p *process) serve(ctx context.Context, l net.Listener) error {
	failed := make(chan error, 1)
	go func() { failed <- p.site.Serve(l) }()
	p.log.Info("serving", "address", l.Addr().String(), "environment", string(p.cfg.Env))
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	p.log.Info("stopping: waiting for the requests in flight", "limit", p.cfg.ShutdownTimeout)
	drain, cancel := context.WithTimeout(context.Background(), p.cfg.ShutdownTimeout)
	defer cancel()
	err := p.site.Shutdown(drain)
	p.log.Info("stopped", "complete", err == nil)
	return err
}

// close frees the site and its stores, in that order: no request is under way
// any more.
func (p *process) close() {
	if err := errors.Join(p.site.Close(context.Background()), p.stores.Close()); err != nil {
		p.log.Warn("closing was not clean", "error", err)
	}
}

// readyWords begin the line that tells where the site is.
const readyWords = "Lectern is ready: "

// announce tells the person at the terminal where the site is.
func announce(out io.Writer, cfg config.Config, addr net.Addr) {
	fmt.Fprintf(out, "\n%shttp://%s\n", readyWords, addr)
	if !cfg.Production() && cfg.AdminUser == "" && cfg.AdminPassword == "" {
		fmt.Fprint(out, "Sign in as lms-admin with the password lms-admin, or as student with lms-student.\n")
	}
	fmt.Fprint(out, "Press Ctrl-C to stop.\n\n")
}

// dialer gives a worker its connections to the supervisor's store.
func dialer(url, token string) site.Connector {
	return func(name string) (*nats.Conn, error) { return jetstream.Dial(url, token, name) }
}
