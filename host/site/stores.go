package site

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/lectern-lms/lectern/kv"
	"github.com/lectern-lms/lectern/kv/jetstream"
	"github.com/lectern-lms/lectern/kv/memory"
	"github.com/nats-io/nats.go"
)

// Stores are the two buckets of a site.
type Stores struct {
	Records, Sessions kv.Store
	// Backend names the kind of store for logs and /debug/session, and Reason
	// says why it was chosen.
	Backend, Reason string
	// close ends the connections that the stores use.
	close func()
}

// Connector makes a connection to the node's NATS server; each part of the
// process has its own, so that a fault on one cannot cut the others off.
type Connector func(name string) (*nats.Conn, error)

// OpenJetStream opens the buckets in the node's embedded store, which as many
// nodes as there are replicas hold.
func OpenJetStream(ctx context.Context, connect Connector, replicas int, log *slog.Logger) (Stores, error) {
	s := Stores{Backend: "jetstream", Reason: "the embedded store; REDIS_URL is not set"}
	var conns []*nats.Conn
	s.close = func() {
		for _, nc := range conns {
			nc.Close()
		}
	}
	open := func(bucket string) (kv.Store, error) {
		nc, err := connect("lectern-" + bucket)
		if err != nil {
			return nil, err
		}
		conns = append(conns, nc)
		return jetstream.Open(ctx, nc, jetstream.Bucket{Name: bucket, Replicas: replicas, Logger: log})
	}
	var err error
	if s.Records, err = open("records"); err == nil {
		s.Sessions, err = open("sessions")
	}
	if err != nil {
		return s, errors.Join(fmt.Errorf("site: the store cannot be opened: %w", err), s.Close())
	}
	return s, nil
}

// OpenMemory keeps everything in this process, for tests: it is gone when the
// process ends.
func OpenMemory() Stores {
	return Stores{Records: memory.New(), Sessions: memory.New(), Backend: "memory", Reason: "a test asked for it", close: func() {}}
}

// Close closes the buckets and their connections. The data stay.
func (s Stores) Close() error {
	var faults []error
	for _, store := range []kv.Store{s.Records, s.Sessions} {
		if store != nil {
			faults = append(faults, store.Close())
		}
	}
	s.close()
	return errors.Join(faults...)
}

func (s Stores) checkRecords(ctx context.Context) (string, error) {
	return s.check(ctx, s.Records)
}

func (s Stores) checkSessions(ctx context.Context) (string, error) {
	return s.check(ctx, s.Sessions)
}

// check reads a key that need not exist: that the store can say so is enough.
func (s Stores) check(ctx context.Context, store kv.Store) (string, error) {
	if _, err := store.Get(ctx, "system/ready"); err != nil && !errors.Is(err, kv.ErrNotFound) {
		return "", errors.New("the store does not answer")
	}
	return s.Backend, nil
}
