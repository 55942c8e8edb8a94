package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/lectern-lms/lectern/host/config"
	"github.com/lectern-lms/lectern/host/debug"
	"github.com/lectern-lms/lectern/host/modules"
	"github.com/lectern-lms/lectern/host/site"
	"github.com/lectern-lms/lectern/host/sizing"
	"github.com/lectern-lms/lectern/host/supervisor"
)

// The variables by which a supervisor tells its workers where the store is.
// The token is drawn anew at each start.
const (
	envStoreURL   = "LECTERN_STORE_URL"
	envStoreToken = "LECTERN_STORE_TOKEN"
)

// envHandlers tells the workers where the operator's handlers are kept: the
// supervisor copies them, so that a worker which takes the place of a dead one
// runs the same as the others.
const envHandlers = "LECTERN_HANDLERS"

// supervise holds the listener and the store, and keeps the workers alive.
func (n *node) supervise(ctx context.Context) error {
	if err := n.keepHandlers(); err != nil {
		return err
	}
	// The first start and the compilation of the handlers happen here, once;
	// the workers then find the code in the cache.
	p, err := n.open(ctx)
	if err != nil {
		return err
	}
	p.close()
	limitGo(n.plan.StoreLimit, n.log)
	debug.FreeMemory()
	program, err := os.Executable()
	if err != nil {
		return fmt.Errorf("this program's own file cannot be found to start workers: %w", err)
	}
	machine, err := handDown(n.machine)
	if err != nil {
		return err
	}
	addr := n.listener.Addr()
	s, err := supervisor.Start(ctx, supervisor.Options{
		Listener: n.listener, Workers: n.plan.Workers, Logger: n.log,
		Command: func(int) *exec.Cmd {
			cmd := exec.Command(program, "serve")
			cmd.Env = append(os.Environ(), envStoreURL+"="+n.store.URL(), envStoreToken+"="+n.store.Token(), machine, envHandlers+"="+n.cfg.HandlersDir)
			return cmd
		},
	})
	if err != nil {
		return err
	}
	n.log.Info("serving", "address", addr.String(), "environment", string(n.cfg.Env), "workers", n.plan.Workers)
	announce(n.out, n.cfg, addr)
	<-ctx.Done()
	n.log.Info("stopping: waiting for the workers", "limit", n.cfg.ShutdownTimeout)
	drain, cancel := context.WithTimeout(context.Background(), n.cfg.ShutdownTimeout)
	defer cancel()
	err = s.Stop(drain)
	n.log.Info("stopped", "complete", err == nil)
	return err
}

// keepHandlers copies the operator's handlers into the data directory, from
// where this node takes them from now on.
func (n *node) keepHandlers() error {
	if n.cfg.HandlersDir == "" {
		return nil
	}
	kept := filepath.Join(n.cfg.DataDir, "handlers")
	if err := modules.Keep(n.cfg.HandlersDir, kept); err != nil {
		return err
	}
	n.cfg.HandlersDir = kept
	return nil
}

// work is the life of a worker: it ends when the supervisor says so, or dies.
func work(ctx context.Context, cfg config.Config, w *supervisor.Worker, plan sizing.Plan, log *slog.Logger) error {
	log = log.With("worker", w.Index)
	limitGo(plan.GoLimit, log)
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		<-w.Done()
		stop()
	}()
	connect := dialer(os.Getenv(envStoreURL), os.Getenv(envStoreToken))
	if err := config.EnsureSecret(&cfg); err != nil {
		return err
	}
	options := site.Options{Config: cfg, Plan: plan, Logger: log, Worker: w.Index}
	p, err := openProcess(ctx, connect, options, func(o *site.Options) error {
		return shareMetrics(o, connect, w.Workers)
	})
	if err != nil {
		return err
	}
	defer p.close()
	if err := w.Ready(); err != nil {
		return err
	}
	return p.serve(ctx, w.Listener)
}

// shareMetrics lets any worker answer a scrape for all of them.
func shareMetrics(o *site.Options, connect site.Connector, workers int) error {
	nc, err := connect("lectern-metrics")
	if err != nil {
		return err
	}
	o.Metrics = debug.NewMetrics(o.Worker)
	o.Peers = o.Metrics.Peers(nc, workers)
	return o.Metrics.Share(nc)
}
