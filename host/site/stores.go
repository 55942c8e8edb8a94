package site

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/lectern-lms/lectern/host/debug"
	"github.com/lectern-lms/lectern/kv"
	"github.com/lectern-lms/lectern/kv/jetstream"
	"github.com/lectern-lms/lectern/kv/memory"
	"github.com/lectern-lms/lectern/kv/near"
	"github.com/nats-io/nats.go"
)

// The kinds of store, as logs, /readyz and /debug/session name them.
const (
	backendJetStream = "jetstream"
	backendRedis     = "redis"
	backendMemory    = "memory"
)

// Stores are the two buckets of a site.
type Stores struct {
	Records, Sessions kv.Store
	// Backend names the kind of store that holds the sessions, for logs and
	// /debug/session, and Reason says why it was chosen. RecordsBackend is the
	// kind that holds the records.
	Backend, Reason, RecordsBackend string
	// RecordsEpoch tells one life of the records' bucket in Redis from another;
	// "" in other stores.
	RecordsEpoch string
	// Redis are the servers that hold a bucket, for /debug/redis.
	Redis []debug.RedisServer
	// Near are the near caches over the buckets, by the buckets' names; nil
	// where the store is in this process.
	Near map[string]*near.Store
	// fillPatience is how long another server may take to fill the records, zero
	// if this one should.
	fillPatience time.Duration
	// closers end the connections that the stores use.
	closers []func()
}

// Connector makes a connection to the node's NATS server; each part of the
// process has its own, so that a fault on one cannot cut the others off.
type Connector func(name string) (*nats.Conn, error)

// OpenJetStream opens the buckets in the node's embedded store, which as many
// nodes as there are replicas hold.
func OpenJetStream(ctx context.Context, connect Connector, replicas int, log *slog.Logger) (Stores, error) {
	s := Stores{Backend: backendJetStream, RecordsBackend: backendJetStream, Reason: "the embedded store; REDIS_URL is not set"}
	var err error
	if s.Records, err = s.jetStream(ctx, connect, replicas, log, "records"); err == nil {
		s.Sessions, err = s.jetStream(ctx, connect, replicas, log, "sessions")
	}
	if err != nil {
		return s, errors.Join(fmt.Errorf("site: the store cannot be opened: %w", err), s.Close())
	}
	s.keepNear(log)
	return s, nil
}

// jetStream opens one bucket in the node's embedded store. The result is nil
// if there is an error.
func (s *Stores) jetStream(ctx context.Context, connect Connector, replicas int, log *slog.Logger, bucket string) (kv.Store, error) {
	nc, err := connect("lectern-" + bucket)
	if err != nil {
		return nil, err
	}
	s.closers = append(s.closers, nc.Close)
	store, err := jetstream.Open(ctx, nc, jetstream.Bucket{Name: bucket, Replicas: replicas, Logger: log})
	if err != nil {
		return nil, err
	}
	return store, nil
}

// OpenMemory keeps everything in this process, for tests: it is gone when the
// process ends.
func OpenMemory() Stores {
	return Stores{Records: memory.New(), Sessions: memory.New(), Backend: backendMemory, RecordsBackend: backendMemory, Reason: "a test asked for it"}
}

// Close closes the buckets and their connections. The data stay.
func (s Stores) Close() error {
	var faults []error
	for _, store := range []kv.Store{s.Records, s.Sessions} {
		if store != nil {
			faults = append(faults, store.Close())
		}
	}
	for _, end := range s.closers {
		end()
	}
	return errors.Join(faults...)
}

func (s Stores) checkRecords(ctx context.Context) (string, error) {
	return check(ctx, s.Records, s.RecordsBackend)
}

func (s Stores) checkSessions(ctx context.Context) (string, error) {
	return check(ctx, s.Sessions, s.Backend)
}

// check reads a key that need not exist: that the store can say so is enough.
func check(ctx context.Context, store kv.Store, backend string) (string, error) {
	if _, err := store.Get(ctx, readyPrefix+"ready"); err != nil && !errors.Is(err, kv.ErrNotFound) {
		return "", fmt.Errorf("the store (%s) does not answer", backend)
	}
	return backend, nil
}
