package redis_test

import (
	"context"
	"crypto/rand"
	"flag"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/lectern-lms/lectern/kv"
	"github.com/lectern-lms/lectern/kv/redis"
	"github.com/lectern-lms/lectern/kv/redis/redistest"
)

// manySessions is how many keys BenchmarkManySessions writes.
var manySessions = flag.Int("sessions", 100_000, "keys that BenchmarkManySessions `writes`")

// BenchmarkManySessions fills a bucket with sessions of 1 KiB, kills the server
// and starts it again, and lets all sessions expire. It reports what one takes
// of the server's memory and disk, the time from the start to the first read,
// and how many a second are written and expire. Run it with -benchtime 1x.
func BenchmarkManySessions(b *testing.B) {
	for b.Loop() {
		srv := redistest.Start(b, "--appendonly", "yes")
		s := open(b, connect(b, srv.URL()), redis.Bucket{Volatile: true})
		before := infoNumber(b, srv, "memory", "used_memory")
		begin := time.Now()
		ttl := 10*time.Second + time.Duration(*manySessions)*150*time.Microsecond // longer than it takes to write them
		writeSessions(b, s, begin.Add(ttl))
		wrote := time.Since(begin)
		n := float64(*manySessions)
		b.ReportMetric(n/wrote.Seconds(), "written/s")
		b.ReportMetric(float64(infoNumber(b, srv, "memory", "used_memory")-before)/n, "B-memory/session")
		b.ReportMetric(float64(infoNumber(b, srv, "persistence", "aof_current_size"))/n, "B-disk/session")
		srv.Kill()
		begin = time.Now()
		srv.Restart()
		if _, err := s.Get(b.Context(), sessionKey(0)); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(time.Since(begin).Seconds(), "s-restart")
		f, err := s.Watch(b.Context(), "", 0)
		if err != nil {
			b.Fatal(err)
		}
		var times []time.Time
		for len(times) < *manySessions {
			ev, err := f.Next(b.Context())
			if err != nil {
				b.Fatal(err)
			}
			if ev.Kind == kv.EventExpire {
				times = append(times, time.Now())
			}
		}
		b.ReportMetric(n/times[len(times)-1].Sub(times[0]).Seconds(), "expired/s")
	}
}

// sessionKey is the key of a session as long as a real one.
func sessionKey(i int) string { return fmt.Sprintf("s/%052d", i) }

// writeSessions writes all sessions so that they expire at one time.
func writeSessions(b *testing.B, s kv.Store, expires time.Time) {
	b.Helper()
	numbers := make([]int, *manySessions)
	for i := range numbers {
		numbers[i] = i
	}
	value := make([]byte, 1024)
	rand.Read(value) // nothing that a snapshot could compress
	for part := range slices.Chunk(numbers, kv.MaxWrites) {
		var writes []kv.Write
		for _, i := range part {
			writes = append(writes, kv.PutTTL(sessionKey(i), value, time.Until(expires)))
		}
		if _, err := s.Commit(b.Context(), nil, writes); err != nil {
			b.Fatal(err)
		}
	}
}

// infoNumber is a number of a section of INFO.
func infoNumber(b *testing.B, srv *redistest.Server, section, name string) int64 {
	b.Helper()
	for line := range strings.Lines(srv.Do("INFO", section)) {
		if text, ok := strings.CutPrefix(strings.TrimSpace(line), name+":"); ok {
			n, err := strconv.ParseInt(text, 10, 64)
			if err != nil {
				b.Fatal(err)
			}
			return n
		}
	}
	b.Fatalf("INFO has no %s", name)
	return 0
}

// BenchmarkFeed measures how long after a commit was acknowledged its event
// comes, as the middle and the 99th of a hundred.
func BenchmarkFeed(b *testing.B) {
	s := open(b, connect(b, redistest.Start(b).URL()), redis.Bucket{})
	f, err := s.Watch(b.Context(), "", 0)
	if err != nil {
		b.Fatal(err)
	}
	var delays []time.Duration
	for b.Loop() {
		rev, err := s.Commit(context.Background(), nil, []kv.Write{kv.Put("k", nil)})
		if err != nil {
			b.Fatal(err)
		}
		acknowledged := time.Now()
		for ev := (kv.Event{}); ev.Entry.Revision < rev; {
			if ev, err = f.Next(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
		delays = append(delays, time.Since(acknowledged))
	}
	slices.Sort(delays)
	b.ReportMetric(float64(delays[len(delays)/2].Microseconds()), "p50-us")
	b.ReportMetric(float64(delays[len(delays)*99/100].Microseconds()), "p99-us")
}
