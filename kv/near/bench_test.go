package near_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/lectern-lms/lectern/kv"
	"github.com/lectern-lms/lectern/kv/memory"
	"github.com/lectern-lms/lectern/kv/near"
	"github.com/lectern-lms/lectern/kv/session"
)

// benchKeys is how many keys the benchmarks of hits have: a large site's
// sessions of an hour.
const benchKeys = 100_000

// fill writes n keys of 300 bytes, as large as a session, and reads each once.
func fill(b *testing.B, s *near.Store, n int) []string {
	b.Helper()
	ctx, keys := context.Background(), make([]string, n)
	for from := 0; from < n; from += kv.MaxWrites {
		var writes []kv.Write
		for i := from; i < min(from+kv.MaxWrites, n); i++ {
			keys[i] = fmt.Sprintf("s/%052d", i)
			writes = append(writes, kv.PutTTL(keys[i], make([]byte, 300), time.Hour))
		}
		if _, err := s.Commit(ctx, nil, writes); err != nil {
			b.Fatal(err)
		}
	}
	for _, key := range keys {
		if _, err := s.Get(ctx, key); err != nil {
			b.Fatal(err)
		}
	}
	return keys
}

// BenchmarkHit reads keys that are kept: one after another, and by all
// processors at once. Its metric hits is the part that was answered from memory.
func BenchmarkHit(b *testing.B) {
	for _, n := range []int{1, 1000, benchKeys} {
		s := open(b, memory.New(), near.Options{MaxBytes: 128 << 20, Logger: quiet().Logger})
		keys := fill(b, s, n)
		least := kv.AtLeast(context.Background(), 1)
		get := func(b *testing.B, i int) {
			if _, err := s.Get(least, keys[i%n]); err != nil {
				b.Fatal(err)
			}
		}
		measure := func(name string, run func(b *testing.B)) {
			b.Run(fmt.Sprintf("keys=%d/%s", n, name), func(b *testing.B) {
				b.ReportAllocs()
				before := s.Stats()
				run(b)
				after := s.Stats()
				hits, rest := after.Hits-before.Hits, after.Misses-before.Misses+after.PassThroughs-before.PassThroughs
				b.ReportMetric(float64(hits)/float64(hits+rest), "hits")
			})
		}
		measure("alone", func(b *testing.B) {
			for i := 0; b.Loop(); i += 7919 {
				get(b, i)
			}
		})
		measure("parallel", func(b *testing.B) {
			b.RunParallel(func(p *testing.PB) {
				for i := rand.IntN(n); p.Next(); i += 7919 {
					get(b, i)
				}
			})
		})
	}
}

// BenchmarkScanHit reads a kept page of ten.
func BenchmarkScanHit(b *testing.B) {
	s := open(b, memory.New(), quiet())
	for i := range 10 {
		put(b, s, fmt.Sprint("p/", i), string(make([]byte, 300)))
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Scan(context.Background(), kv.Range{Prefix: "p/"}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkMiss reads a key that is dropped each time, over JetStream; below is
// the same without the cache.
func BenchmarkMiss(b *testing.B) {
	ctx, srv := context.Background(), startServer(b)
	store := openBucket(b, srv, "")
	s := open(b, store, quiet())
	put(b, s, "k", "v")
	b.Run("near", func(b *testing.B) {
		for b.Loop() {
			near.Forget(s, "k")
			if _, err := s.Get(ctx, "k"); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("below", func(b *testing.B) {
		for b.Loop() {
			if _, err := store.Get(ctx, "k"); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkFence commits and fences over JetStream, with no other member, and
// with two that are read from.
func BenchmarkFence(b *testing.B) {
	ctx, srv := context.Background(), startServer(b)
	name := fmt.Sprint("fence", buckets.Add(1))
	s := open(b, openBucket(b, srv, name), quiet())
	measure := func(name string, fence bool) {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				rev := put(b, s, "k", "v")
				if !fence {
					continue
				}
				if err := s.Fence(ctx, rev); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	measure("none", false)
	measure("alone", true)
	for range 2 {
		other := open(b, openBucket(b, srv, name), quiet())
		stop := make(chan struct{})
		b.Cleanup(func() { close(stop) })
		go func() {
			for {
				select {
				case <-stop:
					return
				case <-time.After(100 * time.Millisecond):
					_, _ = other.Get(ctx, "k") // keeps it beating
				}
			}
		}()
	}
	time.Sleep(time.Second)
	measure("members=3", true)
}

// BenchmarkSessionLoad loads a session by its cookie: from the store itself,
// and from a near cache over it.
func BenchmarkSessionLoad(b *testing.B) {
	ctx, store := context.Background(), openBucket(b, startServer(b), "")
	cached := open(b, store, quiet())
	for _, at := range []struct {
		name  string
		store kv.Store
	}{{"below", store}, {"near", cached}} {
		m, err := session.NewManager(at.store, session.Config{Keys: [][]byte{make([]byte, 32)}, Logger: quiet().Logger})
		if err != nil {
			b.Fatal(err)
		}
		s := &session.Session{}
		s.SignIn("user", 1)
		set, err := m.Save(ctx, s)
		if err != nil {
			b.Fatal(err)
		}
		var cookies session.Cookies
		for _, c := range set {
			if c.Value != "" {
				cookies.Session = c.Value
			}
		}
		b.Run(at.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if s, err := m.Load(ctx, cookies); err != nil || s.User() != "user" {
					b.Fatal(s, err)
				}
			}
		})
	}
}
