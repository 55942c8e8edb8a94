package config

import (
	"cmp"
	"errors"
	"log/slog"
	"strings"

	"github.com/lectern-lms/lectern/kv"
	"github.com/lectern-lms/lectern/kv/redis"
)

// RedisURL is the address of a Redis server, "" for none. It may hold a
// password, so everything that prints it leaves that out; [RedisURL.Reveal]
// gives the text itself.
type RedisURL string

// Reveal returns the whole address, to connect with only.
func (u RedisURL) Reveal() string { return string(u) }

// String returns the address without its password.
func (u RedisURL) String() string {
	if u == "" {
		return Mask("")
	}
	return redis.Mask(string(u))
}

// GoString returns the address without its password, for the verb %#v.
func (u RedisURL) GoString() string { return u.String() }

// LogValue returns the address without its password, for slog.
func (u RedisURL) LogValue() slog.Value { return slog.StringValue(u.String()) }

// MarshalText returns the address without its password, for JSON.
func (u RedisURL) MarshalText() ([]byte, error) { return []byte(u.String()), nil }

// parseRedisURL takes any text; checkRedis says what is wrong with it.
func parseRedisURL(v string) (any, error) { return RedisURL(strings.TrimSpace(v)), nil }

// SessionsRedis is the Redis that holds the sessions, "" if none does.
func (c Config) SessionsRedis() RedisURL { return cmp.Or(c.SessionRedisURL, c.RedisURL) }

// checkRedis finds addresses that cannot be read. A Redis that other machines
// may use as well needs a key that these have too, so it is given one.
func checkRedis(cfg *Config, faults *Faults) {
	for name, u := range map[string]RedisURL{"REDIS_URL": cfg.RedisURL, "SESSION_REDIS_URL": cfg.SessionRedisURL} {
		if u == "" {
			continue
		}
		if err := redis.ParseURL(u.Reveal()); err != nil {
			faults.add(name, "%s", strings.TrimPrefix(err.Error(), kv.ErrInvalid.Error()+": "))
		}
	}
	if cfg.RedisURL != "" && cfg.Clustered() {
		faults.add("REDIS_URL", "the nodes of a cluster keep the records in their own stores; unset this or LMS_CLUSTER_PEERS (SESSION_REDIS_URL may stay)")
	}
	if u := cfg.SessionsRedis(); u != "" && !cfg.Production() && redis.Remote(u.Reveal()) {
		err := weak(cfg.SecretKey)
		if cfg.SecretKey == "" {
			err = errors.New("not set")
		}
		if err != nil {
			faults.add("SECRET_KEY", "%v, and other machines may share the sessions in Redis and need the same key; %s", err, secretKeyRemedy)
		}
	}
}
