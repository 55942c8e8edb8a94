package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"

	"github.com/lectern-lms/lectern/host/config"
	"github.com/lectern-lms/lectern/host/debug"
	"github.com/lectern-lms/lectern/host/site"
	"github.com/lectern-lms/lectern/host/supervisor"
	"github.com/lectern-lms/lectern/kv/jetstream"
)

// The variables by which a supervisor tells its workers where the store is.
// The token is drawn anew at each start.
const (
	envStoreURL   = "LECTERN_STORE_URL"
	envStoreToken = "LECTERN_STORE_TOKEN"
)

// supervise holds the listener and the store, and keeps the workers alive.
func supervise(ctx context.Context, cfg config.Config, l *net.TCPListener, store *jetstream.Server, log *slog.Logger, out io.Writer) error {
	// The first start and the compilation of the handlers happen here, once;
	// the workers then find the code in the cache.
	p, err := openProcess(ctx, cfg, store.Connect, log, 0, nil)
	if err != nil {
		return err
	}
	p.close()
	program, err := os.Executable()
	if err != nil {
		return fmt.Errorf("this program's own file cannot be found to start workers: %w", err)
	}
	addr := l.Addr()
	s, err := supervisor.Start(ctx, supervisor.Options{
		Listener: l, Workers: cfg.Workers, Logger: log,
		Command: func(int) *exec.Cmd {
			cmd := exec.Command(program, "serve")
			cmd.Env = append(os.Environ(), envStoreURL+"="+store.URL(), envStoreToken+"="+store.Token())
			return cmd
		},
	})
	if err != nil {
		return err
	}
	log.Info("serving", "address", addr.String(), "environment", string(cfg.Env), "workers", cfg.Workers)
	announce(out, cfg, addr)
	<-ctx.Done()
	log.Info("stopping: waiting for the workers", "limit", cfg.ShutdownTimeout)
	drain, cancel := context.WithTimeout(context.Background(), cfg.ShutdownTimeout)
	defer cancel()
	err = s.Stop(drain)
	log.Info("stopped", "complete", err == nil)
	return err
}

// work is the life of a worker: it ends when the supervisor says so, or dies.
func work(ctx context.Context, cfg config.Config, w *supervisor.Worker, log *slog.Logger) error {
	log = log.With("worker", w.Index)
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
	p, err := openProcess(ctx, cfg, connect, log, w.Index, func(o *site.Options) error {
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
