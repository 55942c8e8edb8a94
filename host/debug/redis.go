package debug

import (
	"context"
	"net/http"
	"time"

	"github.com/lectern-lms/lectern/kv/redis"
)

// RedisServer is a Redis that holds a part of the site.
type RedisServer struct {
	// Setting is the variable that names it.
	Setting string
	Conn    *redis.Conn
	// Buckets are what it holds, by name.
	Buckets map[string]*redis.Store
}

// redisStats are the reference's figures.
type redisStats struct {
	Version string `json:"redis_version"`
	Uptime  int64  `json:"uptime_in_seconds"`
	Clients int64  `json:"connected_clients"`
}

// redisMemory is what a server says of its memory, in bytes.
type redisMemory struct {
	Used    int64  `json:"used_bytes"`
	Max     int64  `json:"max_bytes"`
	Policy  string `json:"maxmemory_policy"`
	Evicted int64  `json:"evicted_keys"`
}

// redisPersistence is what a server keeps on its disk.
type redisPersistence struct {
	AppendOnly bool   `json:"appendonly"`
	Fsync      string `json:"appendfsync"`
	Snapshots  string `json:"save"`
}

// redisState is one server in the answer of /debug/redis.
type redisState struct {
	Setting     string           `json:"setting"`
	URL         string           `json:"url"`
	Keys        map[string]int64 `json:"keys"`
	Version     string           `json:"redis_version"`
	Mode        string           `json:"redis_mode"`
	Role        string           `json:"role"`
	Latency     float64          `json:"latency_ms"`
	Clock       float64          `json:"clock_offset_ms"`
	Memory      redisMemory      `json:"memory"`
	Persistence redisPersistence `json:"persistence"`
	Replicas    int64            `json:"connected_replicas"`
	MinReplicas int64            `json:"min_replicas_to_write"`
	Findings    []redis.Finding  `json:"findings"`
}

// redisReport is the answer of /debug/redis when all servers answer.
type redisReport struct {
	Status   string       `json:"status"`
	Message  string       `json:"message"`
	Stats    redisStats   `json:"stats"`
	Sessions int64        `json:"session_keys_count"`
	Servers  []redisState `json:"servers"`
}

// Redis answers how the site's Redis servers are, in the reference's words and
// with what should be mended. The figures of the reference are those of the
// server that holds the sessions.
func Redis(servers []RedisServer) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if len(servers) == 0 {
			writeJSON(w, http.StatusOK, map[string]string{
				"status": "not_configured", "message": "Redis URL not configured",
				"help": "Set REDIS_URL or SESSION_REDIS_URL environment variable",
			})
			return
		}
		ctx, cancel := context.WithTimeout(r.Context(), checkTimeout)
		defer cancel()
		report := redisReport{Status: "ok", Message: "Redis connection successful"}
		for _, s := range servers {
			if err := report.add(ctx, s); err != nil {
				writeJSON(w, http.StatusServiceUnavailable, map[string]string{
					"status": "error", "message": "Redis connection failed: " + s.Setting + " " + s.Conn.String() + ": " + err.Error(),
					"help": "Check Redis URL and ensure Redis server is running",
				})
				return
			}
		}
		writeJSON(w, http.StatusOK, report)
	})
}

// add asks one server.
func (report *redisReport) add(ctx context.Context, s RedisServer) error {
	r, err := s.Conn.Inspect(ctx)
	if err != nil {
		return err
	}
	keys := map[string]int64{}
	for name, bucket := range s.Buckets {
		if keys[name], err = bucket.Count(ctx); err != nil {
			return err
		}
	}
	if n, ok := keys["sessions"]; ok {
		report.Sessions = n
		report.Stats = redisStats{Version: r.Version, Uptime: int64(r.Uptime.Seconds()), Clients: r.Clients}
	}
	report.Servers = append(report.Servers, redisState{
		Setting: s.Setting, URL: r.Address, Keys: keys, Version: r.Version, Mode: r.Mode, Role: r.Role,
		Latency: milliseconds(r.Latency), Clock: milliseconds(r.ClockOffset),
		Memory:      redisMemory{Used: r.UsedMemory, Max: r.MaxMemory, Policy: r.Policy, Evicted: r.EvictedKeys},
		Persistence: redisPersistence{AppendOnly: r.AppendOnly, Fsync: r.Fsync, Snapshots: r.Snapshots},
		Replicas:    r.Replicas, MinReplicas: r.MinReplicas, Findings: r.Findings,
	})
	return nil
}

// milliseconds is a duration for people, to the microsecond.
func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
