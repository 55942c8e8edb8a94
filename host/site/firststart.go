package site

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/lectern-lms/lectern/guest/abi"
	"github.com/lectern-lms/lectern/host/auth"
	"github.com/lectern-lms/lectern/host/engine"
	"github.com/lectern-lms/lectern/host/transaction"
	"github.com/lectern-lms/lectern/kv"
)

const (
	// setupHandler is the internal handler that fills an empty store.
	setupHandler = "setup"
	// setupKey is written with everything else of the first start, so that it
	// happens once however many processes try.
	setupKey = "system/first-start"
	// demoAdmin is the administrator's name and password in development.
	demoAdmin = "lms-admin"
)

// Times of a first start that several processes or nodes try.
const (
	// fillTries is how often it is tried when the store refuses it though nobody
	// else was quicker: a check may fail without a change.
	fillTries = 5
	// fillPoll is how often a node that lets another go first looks.
	fillPoll = 100 * time.Millisecond
)

// firstStart fills an empty store: the administrator, and in development the
// demo site that the setup handler writes, all in one commit. The processes
// and nodes of a site may try at the same time; one of them succeeds.
func (s *Site) firstStart(ctx context.Context) error {
	begin := time.Now()
	done, err := s.letOthersFill(ctx)
	for try := 1; !done && err == nil; try++ {
		if err = s.options.Config.RequireAdmin(); err != nil {
			return err
		}
		failed := s.fillOnce(ctx)
		if failed == nil {
			break
		}
		// Whatever went wrong, another may have been quicker.
		if done, err = s.filled(ctx); !done && err == nil && (try == fillTries || !errors.Is(failed, kv.ErrConflict)) {
			err = fmt.Errorf("the site could not be set up: %w", failed)
		}
	}
	if done || err != nil {
		return err
	}
	s.log.Info("first start: the site was set up", "demo", !s.options.Config.Production() && !s.options.NoDemo, "took", time.Since(begin).Round(time.Millisecond))
	return nil
}

// letOthersFill waits as long as the options allow for another node to fill
// the store, and tells whether it is filled.
func (s *Site) letOthersFill(ctx context.Context) (bool, error) {
	for end := time.Now().Add(max(s.options.FillPatience, s.options.Stores.fillPatience)); ; {
		done, err := s.filled(ctx)
		if done || err != nil || time.Now().After(end) {
			return done, err
		}
		select {
		case <-time.After(fillPoll):
		case <-ctx.Done():
			return false, ctx.Err()
		}
	}
}

// filled tells whether the first start has happened.
func (s *Site) filled(ctx context.Context) (bool, error) {
	_, err := s.options.Stores.Records.Get(ctx, setupKey)
	if err != nil && !errors.Is(err, kv.ErrNotFound) {
		return false, fmt.Errorf("the store cannot be read: %w", err)
	}
	return err == nil, nil
}

// fillOnce tries to fill the store.
func (s *Site) fillOnce(ctx context.Context) error {
	tx, err := s.fill(ctx)
	if err == nil {
		_, err = tx.Commit(ctx)
	}
	return err
}

// fill gathers everything that an empty store needs in one transaction.
func (s *Site) fill(ctx context.Context) (*transaction.Tx, error) {
	cfg := s.options.Config
	scope := transaction.Scope{Manifest: &abi.Manifest{}, Pattern: "POST /setup", Setup: true}
	tx := s.world.Begin(scope)
	if !cfg.Production() && !s.options.NoDemo {
		h, err := s.engine.Load(ctx, s.options.Modules[setupHandler])
		if err != nil {
			return nil, fmt.Errorf("handler %s: %w", setupHandler, err)
		}
		defer h.Close(ctx)
		scope.Manifest = h.Manifest()
		tx = s.world.Begin(scope)
		x := &engine.Exchange{
			Request:  engine.Request{Method: http.MethodPost, URI: "/setup", Proto: "HTTP/1.1"},
			Response: engine.Response{Header: http.Header{}}, Calls: tx,
		}
		if err := h.Serve(ctx, x); err != nil {
			return nil, err
		}
		if x.Response.Status != http.StatusOK {
			return nil, fmt.Errorf("handler %s answered with status %d; the log says why", setupHandler, x.Response.Status)
		}
	}
	admin := auth.NewAccount{Login: cfg.AdminUser, Password: cfg.AdminPassword.Reveal(), Role: abi.RoleAdmin}
	if !cfg.Production() {
		admin.AllowWeak = true
		admin.Login, admin.Password = orElse(admin.Login, demoAdmin), orElse(admin.Password, demoAdmin)
	}
	_, checks, writes, err := s.world.Accounts.Prepare(ctx, admin)
	if err != nil {
		return nil, fmt.Errorf("the administrator (ADMIN_USER, ADMIN_PSWD): %w", err)
	}
	checks, writes = append(checks, kv.Absent(setupKey)), append(writes, kv.Put(setupKey, []byte(time.Now().UTC().Format(time.RFC3339))))
	if err := tx.Include(checks, writes); err != nil {
		return nil, errors.New("ADMIN_USER is the name of a person of the demo site: choose another")
	}
	return tx, nil
}

// orElse is value, or fallback if that is empty.
func orElse(value, fallback string) string {
	if value == "" {
		return fallback
	}
	return value
}
