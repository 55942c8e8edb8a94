package redis_test

import (
	"log/slog"
	"slices"
	"testing"

	"github.com/lectern-lms/lectern/kv/redis"
	"github.com/lectern-lms/lectern/kv/redis/redistest"
)

// TestFindings inspects servers with one fault each.
func TestFindings(t *testing.T) {
	t.Parallel()
	sound := []string{"--appendonly", "yes", "--appendfsync", "always", "--maxmemory", "200mb"}
	for name, tt := range map[string]struct {
		args []string
		want []redis.Code
	}{
		"sound":          {nil, nil},
		"evicts all":     {[]string{"--maxmemory-policy", "allkeys-lru"}, []redis.Code{redis.Eviction}},
		"evicts some":    {[]string{"--maxmemory-policy", "volatile-ttl"}, []redis.Code{redis.Eviction}},
		"no limit":       {[]string{"--maxmemory", "0"}, []redis.Code{redis.NoLimit}},
		"nearly full":    {[]string{"--maxmemory", "1mb"}, []redis.Code{redis.NearlyFull}},
		"not kept":       {[]string{"--appendonly", "no"}, []redis.Code{redis.NoPersistence}},
		"snapshots only": {[]string{"--appendonly", "no", "--save", "60 100"}, []redis.Code{redis.SnapshotsOnly}},
		"synced late":    {[]string{"--appendfsync", "everysec"}, []redis.Code{redis.LateSync}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := redistest.Start(t, slices.Concat(sound, tt.args)...)
			r, err := connect(t, srv.URL()).Inspect(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			var got []redis.Code
			for _, f := range r.Findings {
				// A busy machine answers late.
				if f.Code == redis.Slow {
					continue
				}
				got = append(got, f.Code)
				if f.Text == "" || f.Remedy == "" || f.Severity == "" {
					t.Errorf("incomplete: %+v", f)
				}
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("findings %q, want %q", got, tt.want)
			}
			if r.Version == "" || r.Mode != "standalone" || r.Role != "master" || r.UsedMemory == 0 || r.Latency <= 0 || r.Policy == "" || r.Clients == 0 {
				t.Errorf("incomplete: %+v", r)
			}
		})
	}
}

// TestReplicaFinding inspects a primary whose replicas are not required.
func TestReplicaFinding(t *testing.T) {
	t.Parallel()
	primary := redistest.Start(t)
	redistest.StartReplica(t, primary.Addr())
	r, err := connect(t, primary.URL()).Inspect(t.Context())
	if err != nil || r.Replicas != 1 || !slices.ContainsFunc(r.Findings, func(f redis.Finding) bool { return f.Code == redis.SplitBrain }) {
		t.Errorf("%+v, %v", r, err)
	}
	primary.Do("CONFIG", "SET", "min-replicas-to-write", "1")
	r, err = connect(t, primary.URL()).Inspect(t.Context())
	if err != nil || r.MinReplicas != 1 || slices.ContainsFunc(r.Findings, func(f redis.Finding) bool { return f.Code == redis.SplitBrain }) {
		t.Errorf("%+v, %v", r, err)
	}
}

// TestFindingsAreLogged sees the warning of a store that is opened on a server
// that evicts.
func TestFindingsAreLogged(t *testing.T) {
	t.Parallel()
	srv := redistest.Start(t, "--maxmemory-policy", "allkeys-lru")
	var log logBuffer
	c, err := redis.Connect(t.Context(), redis.Options{URL: srv.URL(), Logger: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, code := range []redis.Code{redis.Eviction, redis.NoPersistence} {
		if !log.has("finding=" + string(code)) {
			t.Errorf("the log lacks %s:\n%s", code, &log)
		}
	}
	if log.has("finding=" + string(redis.NoLimit)) {
		t.Errorf("a note was logged as a warning:\n%s", &log)
	}
}
