package near_test

import (
	"context"
	"strings"
	"testing"

	"github.com/lectern-lms/lectern/kv"
)

// put writes a key and must succeed.
func put(tb testing.TB, s kv.Store, key, value string) kv.Revision {
	tb.Helper()
	rev, err := s.Commit(context.Background(), nil, []kv.Write{kv.Put(key, []byte(value))})
	if err != nil {
		tb.Fatalf("put %s: %v", key, err)
	}
	return rev
}

// wants sees that a key has a value, "" for none.
func wants(tb testing.TB, s kv.Store, key, value string) {
	tb.Helper()
	if got := read(context.Background(), s, key); got != value {
		tb.Errorf("%s is %q, want %q", key, got, value)
	}
}

// read gives the value of a key, "" if it is absent, or the text of the error.
func read(ctx context.Context, s kv.Store, key string) string {
	e, err := s.Get(ctx, key)
	switch {
	case err == nil:
		return string(e.Value)
	case strings.HasPrefix(err.Error(), kv.ErrNotFound.Error()):
		return ""
	}
	return err.Error()
}
