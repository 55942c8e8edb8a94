package debug

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/lectern-lms/lectern/kv"
	"github.com/lectern-lms/lectern/kv/redis"
	"github.com/lectern-lms/lectern/kv/redis/redistest"
)

// TestRedisNotConfigured pins the reference's answer.
func TestRedisNotConfigured(t *testing.T) {
	t.Parallel()
	w := ask(Redis(nil), nil)
	if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), `"status": "not_configured"`) || !strings.Contains(w.Body.String(), "Set REDIS_URL") {
		t.Errorf("status %d: %s", w.Code, w.Body)
	}
}

// TestRedis reads the report of a server with faults, then of one that is gone.
func TestRedis(t *testing.T) {
	t.Parallel()
	srv := redistest.Start(t, "--maxmemory-policy", "allkeys-lru", "--requirepass", "hunter22")
	c, err := redis.Connect(t.Context(), redis.Options{URL: "redis://:hunter22@" + srv.Addr(), Quiet: true})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	sessions, err := redis.Open(t.Context(), c, redis.Bucket{Name: "sessions", Volatile: true})
	if err != nil {
		t.Fatal(err)
	}
	defer sessions.Close()
	writes := []kv.Write{kv.PutTTL("s/1", nil, time.Hour), kv.PutTTL("s/2", nil, time.Hour), kv.Delete("s/3")}
	if _, err := sessions.Commit(t.Context(), nil, writes); err != nil {
		t.Fatal(err)
	}
	h := Redis([]RedisServer{{Setting: "SESSION_REDIS_URL", Conn: c, Buckets: map[string]*redis.Store{"sessions": sessions}}})
	w := ask(h, nil)
	var got struct {
		Status, Message string
		Stats           map[string]any
		Sessions        int `json:"session_keys_count"`
		Servers         []struct {
			Setting, URL string
			Keys         map[string]int
			Latency      float64 `json:"latency_ms"`
			Memory       struct {
				Used   int64  `json:"used_bytes"`
				Policy string `json:"maxmemory_policy"`
			}
			Findings []struct{ Code, Severity, Text, Remedy string }
		}
	}
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != http.StatusOK || len(got.Servers) != 1 {
		t.Fatalf("status %d, %v: %s", w.Code, err, w.Body)
	}
	if got.Status != "ok" || got.Message != "Redis connection successful" || got.Sessions != 2 {
		t.Errorf("%+v", got)
	}
	for _, name := range []string{"redis_version", "uptime_in_seconds", "connected_clients"} {
		if got.Stats[name] == nil || got.Stats[name] == "" {
			t.Errorf("stats lack %s: %v", name, got.Stats)
		}
	}
	s := got.Servers[0]
	if s.Setting != "SESSION_REDIS_URL" || s.URL != "redis://:*****@"+srv.Addr() || s.Keys["sessions"] != 2 || s.Latency <= 0 || s.Memory.Used == 0 || s.Memory.Policy != "allkeys-lru" {
		t.Errorf("%+v", s)
	}
	codes := ""
	for _, f := range s.Findings {
		codes += f.Code + " "
		if f.Text == "" || f.Remedy == "" || f.Severity == "" {
			t.Errorf("incomplete: %+v", f)
		}
	}
	if !strings.Contains(codes, "eviction") || !strings.Contains(codes, "no-persistence") {
		t.Errorf("the findings are %s", codes)
	}
	if strings.Contains(w.Body.String(), "hunter22") {
		t.Errorf("the password is shown: %s", w.Body)
	}
	srv.Kill()
	w = ask(h, nil)
	if w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), "Redis connection failed") || strings.Contains(w.Body.String(), "hunter22") {
		t.Errorf("status %d: %s", w.Code, w.Body)
	}
}
