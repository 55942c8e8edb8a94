package site

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/lectern-lms/lectern/host/config"
	"github.com/lectern-lms/lectern/host/debug"
	"github.com/lectern-lms/lectern/kv"
	"github.com/lectern-lms/lectern/kv/jetstream"
	"github.com/lectern-lms/lectern/kv/redis"
)

// StoreOptions say how a process gets at its stores.
type StoreOptions struct {
	Config config.Config
	// Connect reaches the node's embedded store; not called if Redis holds
	// everything.
	Connect Connector
	// RecordsEpoch, if set, is the [Stores.RecordsEpoch] that the process which
	// started this one has seen. A bucket in Redis that is another one by now
	// is refused, so that no worker sets up a new site in an emptied Redis.
	RecordsEpoch string
	// Worker says that another process of this node has logged what there is to
	// say about the stores.
	Worker bool
	Logger *slog.Logger
}

// replicas is how many nodes hold the embedded store's buckets.
func (o StoreOptions) replicas() int { return jetstream.Replicas(len(o.Config.ClusterPeers)) }

// settingRedis is the variable that puts everything on a Redis.
const settingRedis = "REDIS_URL"

// OpenStores opens the buckets where the configuration says. A Redis that
// cannot be used is an error, never a reason to keep the data elsewhere.
func OpenStores(ctx context.Context, o StoreOptions) (Stores, error) {
	cfg := o.Config
	if cfg.SessionsRedis() == "" {
		return OpenJetStream(ctx, o.Connect, o.replicas(), o.Logger)
	}
	var s Stores
	var err error
	if cfg.RedisURL == "" {
		s, err = openRecords(ctx, o)
	} else {
		s, err = redisRecords(ctx, o)
	}
	if err == nil {
		err = s.redisSessions(ctx, o)
	}
	if err != nil {
		return Stores{}, errors.Join(fmt.Errorf("site: the store cannot be opened: %w", err), s.Close())
	}
	s.keepNear(o.Logger)
	return s, nil
}

// openRecords opens the records alone in the embedded store.
func openRecords(ctx context.Context, o StoreOptions) (Stores, error) {
	s := Stores{RecordsBackend: backendJetStream}
	var err error
	s.Records, err = s.jetStream(ctx, o.Connect, o.replicas(), o.Logger, "records")
	return s, err
}

// redisRecords opens the records in REDIS_URL.
func redisRecords(ctx context.Context, o StoreOptions) (Stores, error) {
	s := Stores{RecordsBackend: backendRedis}
	c, err := s.connectRedis(ctx, o, settingRedis, o.Config.RedisURL, "records")
	if err != nil {
		return s, err
	}
	records, err := redis.Open(ctx, c, redis.Bucket{Name: "records", Epoch: o.RecordsEpoch})
	if err != nil {
		return s, fmt.Errorf("%s: %w", settingRedis, err)
	}
	s.Records, s.RecordsEpoch = records, records.Epoch()
	s.holds(settingRedis, c, "records", records)
	if !o.Worker {
		s.fillPatience, err = claimFirstStart(ctx, records)
	}
	return s, err
}

// claimKey is held by the server that sets a new site up, and claimTime is how
// long it may take before others try too: compiling a handler on a busy machine
// included.
const (
	claimKey  = "system/first-start-claim"
	claimTime = time.Minute
)

// claimFirstStart lets one of the servers that start on an empty Redis set the
// site up, and returns how long this one should wait for it.
func claimFirstStart(ctx context.Context, records kv.Store) (time.Duration, error) {
	checks := []kv.Check{kv.Absent(setupKey), kv.Absent(claimKey)}
	_, err := records.Commit(ctx, checks, []kv.Write{kv.PutTTL(claimKey, nil, claimTime)})
	switch {
	case errors.Is(err, kv.ErrConflict):
		return claimTime, nil // it is set up, or another server does that
	case err != nil:
		return 0, fmt.Errorf("%s: %w", settingRedis, err)
	}
	return 0, nil
}

// redisSessions opens the sessions in the Redis that the configuration names.
func (s *Stores) redisSessions(ctx context.Context, o StoreOptions) error {
	setting := settingRedis
	if o.Config.SessionRedisURL != "" {
		setting = "SESSION_REDIS_URL"
	}
	c, err := s.connectRedis(ctx, o, setting, o.Config.SessionsRedis(), "sessions")
	if err != nil {
		return err
	}
	sessions, err := redis.Open(ctx, c, redis.Bucket{Name: "sessions", Volatile: true})
	if err != nil {
		return fmt.Errorf("%s: %w", setting, err)
	}
	s.Sessions, s.Backend, s.Reason = sessions, backendRedis, setting+" is set"
	s.holds(setting, c, "sessions", sessions)
	if o.Worker {
		return nil
	}
	return checkSameKey(ctx, sessions, o.Config, o.Logger)
}

// holds notes for /debug/redis what a setting's Redis holds.
func (s *Stores) holds(setting string, c *redis.Conn, bucket string, store *redis.Store) {
	for _, server := range s.Redis {
		if server.Setting == setting {
			server.Buckets[bucket] = store
			return
		}
	}
	s.Redis = append(s.Redis, debug.RedisServer{Setting: setting, Conn: c, Buckets: map[string]*redis.Store{bucket: store}})
}

// connectRedis makes the connection of one bucket. Findings about a server are
// logged once.
func (s *Stores) connectRedis(ctx context.Context, o StoreOptions, setting string, u config.RedisURL, bucket string) (*redis.Conn, error) {
	quiet := o.Worker || slices.ContainsFunc(s.Redis, func(r debug.RedisServer) bool { return r.Setting == setting })
	c, err := redis.Connect(ctx, redis.Options{URL: u.Reveal(), Name: "lectern-" + bucket, Logger: o.Logger, Quiet: quiet})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", setting, err)
	}
	s.closers = append(s.closers, c.Close)
	return c, nil
}
