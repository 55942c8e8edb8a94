package redis_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lectern-lms/lectern/kv"
)

// within bounds the steps of a test.
func within(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

// put writes one key and must succeed.
func put(t *testing.T, s kv.Store, key, value string, checks ...kv.Check) kv.Revision {
	t.Helper()
	rev, err := s.Commit(within(t, 10*time.Second), checks, []kv.Write{kv.Put(key, []byte(value))})
	if err != nil {
		t.Fatalf("Commit %s=%s: %v", key, value, err)
	}
	return rev
}

// wants tells that the key has the value.
func wants(t *testing.T, s kv.Store, key, value string) kv.Entry {
	t.Helper()
	e, err := s.Get(within(t, 10*time.Second), key)
	if err != nil || string(e.Value) != value {
		t.Fatalf("Get %s: %q, %v; want %q", key, e.Value, err, value)
	}
	return e
}

// fails tells that the error is of a kind.
func fails(t *testing.T, what string, err, kind error) {
	t.Helper()
	if !errors.Is(err, kind) {
		t.Fatalf("%s: %v; want the error %v", what, err, kind)
	}
}

// watch opens a feed.
func watch(t *testing.T, s kv.Store, after kv.Revision) kv.Feed {
	t.Helper()
	f, err := s.Watch(within(t, 10*time.Second), "", after)
	if err != nil {
		t.Fatalf("Watch after %d: %v", after, err)
	}
	t.Cleanup(func() { _ = f.Close() }) // more than one Close is no error
	return f
}

// next takes one event of the feed, which must be of a key.
func next(t *testing.T, f kv.Feed, key string) kv.Event {
	t.Helper()
	ev, err := f.Next(within(t, 10*time.Second))
	if err != nil || ev.Entry.Key != key {
		t.Fatalf("Next: %+v, %v; want %s", ev, err, key)
	}
	return ev
}

// ends tells that the feed ends because changes may be lost, though events may
// come before.
func ends(t *testing.T, f kv.Feed) {
	t.Helper()
	for {
		_, err := f.Next(within(t, 10*time.Second))
		if err != nil {
			fails(t, "the feed", err, kv.ErrUnavailable)
			_, err = f.Next(within(t, time.Second))
			fails(t, "the feed once more", err, kv.ErrClosed)
			return
		}
	}
}

// logBuffer takes log lines of many goroutines.
type logBuffer struct {
	mu   sync.Mutex
	text strings.Builder
}

// Write implements [io.Writer].
func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

// String is all that was written.
func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// has tells whether a text was written.
func (b *logBuffer) has(text string) bool { return strings.Contains(b.String(), text) }
