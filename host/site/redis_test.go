package site_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lectern-lms/lectern/host/config"
	"github.com/lectern-lms/lectern/host/site"
	"github.com/lectern-lms/lectern/kv"
	"github.com/lectern-lms/lectern/kv/jetstream"
	"github.com/lectern-lms/lectern/kv/redis"
	"github.com/lectern-lms/lectern/kv/redis/redistest"
)

// storeOptions are for a configuration with more variables; the embedded store
// is there if the configuration needs it.
func storeOptions(t *testing.T, environ ...string) site.StoreOptions {
	t.Helper()
	cfg, err := config.Load(environ)
	if err != nil {
		t.Fatal(err)
	}
	o := site.StoreOptions{Config: cfg, Logger: slog.New(slog.DiscardHandler)}
	if cfg.RedisURL == "" {
		srv, err := jetstream.StartServer(jetstream.ServerOptions{Dir: t.TempDir(), Logger: o.Logger})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(srv.Shutdown)
		o.Connect = srv.Connect
	}
	return o
}

// openStores opens stores until the test ends.
func openStores(t *testing.T, o site.StoreOptions) site.Stores {
	t.Helper()
	s, err := site.OpenStores(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// TestWhereStoresAre opens the buckets in each way that the settings allow, and
// sees where they are.
func TestWhereStoresAre(t *testing.T) {
	t.Parallel()
	one, two := redistest.Start(t), redistest.Start(t)
	for name, tt := range map[string]struct {
		environ           []string
		records, sessions string
		onOne, onTwo      string
	}{
		"embedded":         {nil, "jetstream", "jetstream", "", ""},
		"all on Redis":     {[]string{"REDIS_URL=" + one.URL() + "/1"}, "redis", "redis", "records sessions", ""},
		"sessions alone":   {[]string{"SESSION_REDIS_URL=" + two.URL() + "/2"}, "jetstream", "redis", "", "sessions"},
		"on two of Redis":  {[]string{"REDIS_URL=" + one.URL() + "/3", "SESSION_REDIS_URL=" + two.URL() + "/3"}, "redis", "redis", "records", "sessions"},
		"a name of theirs": {[]string{"NOW_LMS_ENV=development", "REDIS_URL=" + one.URL() + "/4"}, "redis", "redis", "records sessions", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := openStores(t, storeOptions(t, tt.environ...))
			for _, store := range []kv.Store{s.Records, s.Sessions} {
				if _, err := store.Commit(t.Context(), nil, []kv.Write{kv.Put("a", nil)}); err != nil {
					t.Error(err)
				}
			}
			if s.RecordsBackend != tt.records || s.Backend != tt.sessions || s.Reason == "" || (s.RecordsEpoch != "") != (tt.records == "redis") {
				t.Errorf("%+v", s)
			}
			on := map[string]string{}
			for _, server := range s.Redis {
				for _, bucket := range []string{"records", "sessions"} {
					if server.Buckets[bucket] != nil {
						on[server.Conn.String()] = strings.TrimSpace(on[server.Conn.String()] + " " + bucket)
					}
				}
			}
			for url, got := range on {
				want := tt.onTwo
				if strings.HasPrefix(url, one.URL()) {
					want = tt.onOne
				}
				if got != want {
					t.Errorf("on %s: %q, want %q", url, got, want)
				}
			}
			if (tt.onOne != "") != strings.Contains(strings.Join(keysOf(on), " "), one.URL()) {
				t.Errorf("the servers are %v", on)
			}
		})
	}
}

// keysOf lists the keys of a map.
func keysOf(m map[string]string) []string {
	var list []string
	for k := range m {
		list = append(list, k)
	}
	return list
}

// TestRedisIsNeverReplaced refuses to open anything when a Redis that is
// configured cannot be used, and names the setting.
func TestRedisIsNeverReplaced(t *testing.T) {
	t.Parallel()
	good := redistest.Start(t)
	locked := redistest.Start(t, "--requirepass", "other")
	for name, tt := range map[string]struct {
		environ []string
		says    []string
		kind    error
	}{
		"not there":      {[]string{"REDIS_URL=redis://:hunter22@127.0.0.1:1"}, []string{"REDIS_URL", "refused"}, kv.ErrUnavailable},
		"sessions alone": {[]string{"SESSION_REDIS_URL=redis://:hunter22@127.0.0.1:1"}, []string{"SESSION_REDIS_URL", "refused"}, kv.ErrUnavailable},
		"one of two": {[]string{"REDIS_URL=" + good.URL(), "SESSION_REDIS_URL=redis://:hunter22@" + locked.Addr()},
			[]string{"SESSION_REDIS_URL", "password"}, redis.ErrRefused},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := site.OpenStores(t.Context(), storeOptions(t, tt.environ...))
			if !errors.Is(err, tt.kind) || strings.Contains(err.Error(), "hunter22") {
				t.Errorf("%v, want %v and no password", err, tt.kind)
			}
			for _, want := range tt.says {
				if err != nil && !strings.Contains(err.Error(), want) {
					t.Errorf("%v does not say %q", err, want)
				}
			}
		})
	}
}

// TestWorkerFindsAnotherSite opens the records as a worker whose supervisor has
// seen another life of them.
func TestWorkerFindsAnotherSite(t *testing.T) {
	t.Parallel()
	srv := redistest.Start(t)
	o := storeOptions(t, "REDIS_URL="+srv.URL())
	o.RecordsEpoch, o.Worker = openStores(t, o).RecordsEpoch, true
	openStores(t, o)
	srv.Do("FLUSHALL")
	if _, err := site.OpenStores(t.Context(), o); !errors.Is(err, redis.ErrReplaced) {
		t.Errorf("in an emptied Redis: %v", err)
	}
	if n := srv.Do("EXISTS", "{lectern:records}:meta"); n != "0" {
		t.Error("the worker has begun a new site")
	}
}

// TestSiteOnRedis serves from Redis; without it /readyz says which part is
// missing, and a page that needs it fails with 503.
func TestSiteOnRedis(t *testing.T) {
	t.Parallel()
	srv := redistest.Start(t, "--appendonly", "yes")
	stores := openStores(t, storeOptions(t, "REDIS_URL="+srv.URL()))
	o, _ := start(t, stores, append([]string{"LMS_DEBUG_ENDPOINTS=1", "REDIS_URL=" + srv.URL()}, chief...)...)
	s := open(t, o)
	ready := get(s, "/readyz")
	for _, want := range []string{"[+] records: redis", "[+] sessions: redis"} {
		if ready.Code != http.StatusOK || !strings.Contains(ready.Body.String(), want) {
			t.Errorf("/readyz lacks %q: %d\n%s", want, ready.Code, ready.Body)
		}
	}
	for path, want := range map[string]string{"/debug/session": `"session_backend": "redis"`, "/debug/config": `"redis_url": "` + srv.URL() + `"`, "/debug/redis": `"status": "ok"`} {
		if w := get(s, path); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s lacks %s: %d\n%s", path, want, w.Code, w.Body)
		}
	}
	srv.Kill()
	ready = get(s, "/readyz")
	if ready.Code != http.StatusServiceUnavailable || !strings.Contains(ready.Body.String(), "[-] records: the store (redis) does not answer") {
		t.Errorf("/readyz without Redis: %d\n%s", ready.Code, ready.Body)
	}
	if w := get(s, "/debug/redis"); w.Code != http.StatusServiceUnavailable {
		t.Errorf("/debug/redis without Redis: %d\n%s", w.Code, w.Body)
	}
	srv.Restart()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for get(s, "/readyz").Code != http.StatusOK {
		if ctx.Err() != nil {
			t.Fatal("the site is not ready after Redis came back")
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// TestServersWithDifferentKeys opens stores on one Redis by several servers and
// sees which of them says that the other has another key.
func TestServersWithDifferentKeys(t *testing.T) {
	t.Parallel()
	srv := redistest.Start(t)
	const first, second = "SECRET_KEY=0123456789abcdef0123456789abcdef", "SECRET_KEY=fedcba9876543210fedcba9876543210"
	for i, tt := range []struct {
		environ []string
		told    bool
	}{
		{[]string{first}, false},
		{[]string{first}, false},
		{[]string{second}, true},
		{[]string{first}, true},
		{[]string{second, "SECRET_KEY_FALLBACKS=x,0123456789abcdef0123456789abcdef"}, false},
		{[]string{second}, false},
	} {
		var log bytes.Buffer
		o := storeOptions(t, append(tt.environ, "SESSION_REDIS_URL="+srv.URL())...)
		o.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelError}))
		openStores(t, o)
		if told := strings.Contains(log.String(), "another SECRET_KEY"); told != tt.told {
			t.Errorf("server %d: told of another key: %v, want %v", i, told, tt.told)
		}
		if strings.Contains(log.String(), "0123456789") {
			t.Errorf("the log shows a key: %s", &log)
		}
	}
}

// TestServersStartTogether opens sites on an empty Redis side by side: one sets
// it up, the others wait for that and find it done.
func TestServersStartTogether(t *testing.T) {
	t.Parallel()
	setupModule(t) // compiled before the clock of the claim starts
	srv := redistest.Start(t)
	environ := []string{"REDIS_URL=" + srv.URL()}
	var starts atomic.Int64
	var wait sync.WaitGroup
	for range 3 {
		stores := openStores(t, storeOptions(t, environ...))
		o, log := start(t, stores, environ...)
		wait.Go(func() {
			s, err := site.Open(t.Context(), o)
			if err != nil {
				t.Error(err)
				return
			}
			if err := s.Close(context.Background()); err != nil {
				t.Error(err)
			}
			starts.Add(int64(strings.Count(log.String(), "the site was set up")))
			if strings.Contains(log.String(), "level=ERROR") {
				t.Errorf("a server complains:\n%s", log)
			}
		})
	}
	wait.Wait()
	if starts.Load() != 1 {
		t.Errorf("%d servers have set the site up", starts.Load())
	}
}
