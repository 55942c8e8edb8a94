package jetstream

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/lectern-lms/lectern/kv"
)

// The tests of this file see that NATS still behaves in the ways that this
// package is built around. When one fails after an upgrade, something has
// changed for the better or the worse, and what the test names can be looked
// at again; the conformance suite tells whether anything is broken.

// rawBucket is a bucket made and used by NATS's own client, with its stream.
func rawBucket(t *testing.T, config jetstream.KeyValueConfig) (jetstream.KeyValue, *nats.Conn) {
	t.Helper()
	_, nc := newBucket(t, Bucket{})
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	config.Bucket = "raw"
	bucket, err := js.CreateKeyValue(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	return bucket, nc
}

// TestTrapUpdateDropsTTL: the client's Update makes a key permanent, so a
// session refreshed by it would never end. Here each write carries its own
// time to live (Store.message).
func TestTrapUpdateDropsTTL(t *testing.T) {
	t.Parallel()
	bucket, _ := rawBucket(t, jetstream.KeyValueConfig{LimitMarkerTTL: time.Minute})
	for _, key := range []string{"kept", "updated"} {
		rev, err := bucket.Create(t.Context(), key, []byte("1"), jetstream.KeyTTL(time.Second))
		if err != nil {
			t.Fatal(err)
		}
		if key == "updated" {
			if _, err := bucket.Update(t.Context(), key, []byte("2"), rev); err != nil {
				t.Fatal(err)
			}
		}
	}
	time.Sleep(2500 * time.Millisecond)
	if _, err := bucket.Get(t.Context(), "kept"); !errors.Is(err, jetstream.ErrKeyNotFound) {
		t.Errorf("a key did not expire: %v", err)
	}
	if _, err := bucket.Get(t.Context(), "updated"); err != nil {
		t.Errorf("an updated key expired: %v; Update keeps the time to live now", err)
	}
}

// TestTrapWholeSeconds: the server cuts fractions of a second off a time to
// live and refuses less than one. Here it is told the next whole second and
// one more, and readers go by the time in the envelope.
func TestTrapWholeSeconds(t *testing.T) {
	t.Parallel()
	s, nc := newBucket(t, Bucket{})
	publish := func(key, ttl string) string {
		m := nats.NewMsg(s.subject(key))
		m.Header.Set(headerTTL, ttl)
		answer, err := nc.RequestMsg(m, 5*time.Second)
		if err != nil {
			t.Fatal(err)
		}
		return string(answer.Data)
	}
	if answer := publish("short", "500ms"); !strings.Contains(answer, "10165") {
		t.Errorf("half a second: %s, want the error 10165", answer)
	}
	began := time.Now()
	publish("cut", "1900ms")
	gone := time.Duration(0)
	for gone == 0 && time.Since(began) < 4*time.Second {
		if _, err := s.lastMsg(t.Context(), s.subject("cut")); errors.Is(err, kv.ErrNotFound) {
			gone = time.Since(began)
		} else if m, err := s.lastMsg(t.Context(), s.subject("cut")); err == nil && m.Header.Get(headerMarker) != "" {
			gone = time.Since(began)
		}
		time.Sleep(20 * time.Millisecond)
	}
	if gone == 0 || gone > 1800*time.Millisecond {
		t.Errorf("1.9 s lasted %v; fractions count now", gone)
	}
	m, _ := s.message(kv.PutTTL("k", nil, 1900*time.Millisecond), time.Now())
	if got := m.Header.Get(headerTTL); got != "3" {
		t.Errorf("this package asks for %s s of 1.9 s, want 3", got)
	}
}

// TestTrapLongSubject: a subject of 5,000 bytes ends the connection for good.
// Here keys are shorter, checked before they are sent (kv.CheckKey).
func TestTrapLongSubject(t *testing.T) {
	t.Parallel()
	s, nc := newBucket(t, Bucket{})
	if err := nc.Publish(s.keys+strings.Repeat("k", 5000), nil); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(5 * time.Second); !nc.IsClosed(); {
		if time.Now().After(end) {
			t.Fatal("the connection survived a subject of 5,000 bytes")
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// TestTrapFullBucket: when a bucket is full to its limit, a marker that is
// larger than the value it replaces is refused, so a small key cannot be
// deleted, which would be a sign-out that fails. Here small values are padded
// (minPayload), and the stream has a reserve beyond the bucket's limit.
func TestTrapFullBucket(t *testing.T) {
	t.Parallel()
	bucket, _ := rawBucket(t, jetstream.KeyValueConfig{MaxBytes: 64 << 10, LimitMarkerTTL: time.Minute})
	for _, size := range []int{1000, 1} { // the small ones fill the last gap
		var err error
		for i := 0; err == nil && i < 10000; i++ {
			_, err = bucket.Put(t.Context(), fmt.Sprintf("k%d-%d", i, size), make([]byte, size))
		}
		if err == nil {
			t.Fatal("the bucket never became full")
		}
	}
	for name, remove := range map[string]func(string) error{
		"Delete": func(key string) error { return bucket.Delete(t.Context(), key) },
		"Purge":  func(key string) error { return bucket.Purge(t.Context(), key) },
	} {
		if err := remove("k0-1"); err == nil {
			t.Errorf("%s of a small value works on a full bucket now", name)
		}
	}
	if err := bucket.Purge(t.Context(), "k1-1000"); err != nil {
		t.Errorf("Purge of a large value on a full bucket: %v", err)
	}
}

// TestTrapStaleDirectGet: a direct get may be answered by a replica that lacks
// what was just acknowledged. Here replicated buckets ask the leader.
func TestTrapStaleDirectGet(t *testing.T) {
	t.Parallel()
	c := startCluster(t, 3)
	writer, reader := c.open(0, Bucket{Name: "site"}), c.open(1, Bucket{Name: "site"})
	ctx, cancel := context.WithTimeout(t.Context(), 40*time.Second)
	defer cancel()
	stale := 0
	for i := 0; stale == 0 && i < 5000; i++ {
		rev, err := writer.Commit(ctx, nil, []kv.Write{kv.Put("k", fmt.Append(nil, i))})
		if err != nil {
			t.Fatal(err)
		}
		if m, err := reader.directLast(ctx, reader.subject("k")); err != nil {
			t.Fatal(err)
		} else if seq, _ := headerUint(m.Header, headerSequence); kv.Revision(seq) < rev {
			stale++
		}
		if e, err := reader.Get(ctx, "k"); err != nil || e.Revision != rev {
			t.Fatalf("Get = %d, %v; want %d, which was acknowledged", e.Revision, err, rev)
		}
	}
	if stale == 0 {
		t.Error("no direct get was stale; perhaps they can be used now")
	}
}

// TestTrapBlindWatch: when the node that hosts the consumer of a KV watch goes
// away, the watcher on another node hears nothing for many seconds, without an
// error. Here feeds are made of republished messages.
func TestTrapBlindWatch(t *testing.T) {
	t.Parallel()
	c := startCluster(t, 3)
	s := c.open(0, Bucket{Name: "site"})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Second)
	defer cancel()
	c.lead(s, "n0")
	js, err := jetstream.New(s.nc)
	if err != nil {
		t.Fatal(err)
	}
	watch, host := watchElsewhere(ctx, t, js)
	feed, err := s.Watch(ctx, "", 0)
	if err != nil {
		t.Fatal(err)
	}
	defer feed.Close()
	if _, err := s.Commit(ctx, nil, []kv.Write{kv.Put("before", nil)}); err != nil {
		t.Fatal(err)
	}
	awaitEvent(ctx, t, feed, "before")
	c.nodes[host].nats.Shutdown()
	if _, err := s.Commit(ctx, nil, []kv.Write{kv.Put("after", nil)}); err != nil {
		t.Fatal(err)
	}
	awaitEvent(ctx, t, feed, "after")
	quiet := time.After(1500 * time.Millisecond)
	for {
		select {
		case e := <-watch.Updates():
			if e != nil && e.Key() == "after" {
				t.Error("a KV watch survives the loss of its consumer's node now")
				return
			}
		case <-quiet:
			return
		}
	}
}

// watchElsewhere makes a KV watch on the site's bucket whose consumer is on
// another node than the first, and tells which.
func watchElsewhere(ctx context.Context, t *testing.T, js jetstream.JetStream) (jetstream.KeyWatcher, int) {
	t.Helper()
	bucket, err := js.KeyValue(ctx, "site")
	if err != nil {
		t.Fatal(err)
	}
	stream, err := js.Stream(ctx, "KV_site")
	if err != nil {
		t.Fatal(err)
	}
	for range 30 {
		watch, err := bucket.WatchAll(ctx)
		if err != nil {
			t.Fatal(err)
		}
		consumers := stream.ListConsumers(ctx)
		for info := range consumers.Info() {
			for i := 1; i < 3; i++ {
				if info.Cluster != nil && info.Cluster.Leader == fmt.Sprint("n", i) {
					return watch, i
				}
			}
		}
		if err := watch.Stop(); err != nil {
			t.Fatal(err)
		}
	}
	t.Fatal("no consumer was placed on another node")
	return nil, 0
}

// awaitEvent reads a feed up to a key.
func awaitEvent(ctx context.Context, t *testing.T, feed kv.Feed, key string) {
	t.Helper()
	for {
		ev, err := feed.Next(ctx)
		if err != nil {
			t.Fatalf("the feed has no %s: %v", key, err)
		}
		if ev.Entry.Key == key {
			return
		}
	}
}
