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

// The variables by which a supervisor tells its workers where the embedded
// store is, if there is one (the token is drawn anew at each start), which life
// of the records in Redis it has seen, and in which directory they meet.
const (
	envStoreURL     = "LECTERN_STORE_URL"
	envStoreToken   = "LECTERN_STORE_TOKEN"
	envRecordsEpoch = "LECTERN_RECORDS_EPOCH"
	envRunDir       = "LECTERN_RUN_DIR"
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
	epoch := p.stores.RecordsEpoch
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
	dir, err := os.MkdirTemp("", "lectern-run-")
	if err != nil {
		return fmt.Errorf("the workers' directory cannot be made; is TMPDIR writable? %w", err)
	}
	defer os.RemoveAll(dir)
	inherited := append(n.storeEnv(), machine, envHandlers+"="+n.cfg.HandlersDir, envRunDir+"="+dir, envRecordsEpoch+"="+epoch)
	addr := n.listener.Addr()
	s, err := supervisor.Start(ctx, supervisor.Options{
		Listener: n.listener, Workers: n.plan.Workers, Logger: n.log,
		Command: func(int) *exec.Cmd {
			cmd := exec.Command(program, "serve")
			cmd.Env = append(os.Environ(), inherited...)
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

// storeEnv tells workers how to reach the embedded store.
func (n *node) storeEnv() []string {
	if n.store == nil {
		return nil
	}
	return []string{envStoreURL + "=" + n.store.URL(), envStoreToken + "=" + n.store.Token()}
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
	if err := config.EnsureSecret(&cfg); err != nil {
		return err
	}
	options := site.Options{Config: cfg, Plan: plan, Logger: log, Worker: w.Index, Metrics: debug.NewMetrics(w.Index)}
	options.Peers = options.Metrics.Peers(os.Getenv(envRunDir), w.Workers)
	shared, err := options.Metrics.Share(os.Getenv(envRunDir))
	if err != nil {
		return err
	}
	defer shared.Close()
	p, err := openProcess(ctx, options, site.StoreOptions{
		Config: cfg, Connect: dialer(os.Getenv(envStoreURL), os.Getenv(envStoreToken)),
		RecordsEpoch: os.Getenv(envRecordsEpoch), Worker: true, Logger: log,
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
