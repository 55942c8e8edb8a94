package kv_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/lectern-lms/lectern/kv"
)

// wantKind fails the test unless err is of the kind; a nil kind wants no error.
func wantKind(t *testing.T, what string, err, kind error) {
	t.Helper()
	if kind == nil && err != nil || kind != nil && !errors.Is(err, kind) {
		t.Errorf("%.60s: %v, want %v", what, err, kind)
	}
}

// TestCheckKey goes through keys at and over the borders of the contract.
func TestCheckKey(t *testing.T) {
	t.Parallel()
	for key, kind := range map[string]error{
		"a": nil, "a/b/c": nil, "\x00/\xff": nil, ".": nil, "..": nil, " ": nil, "a.b*>": nil,
		strings.Repeat("k", kv.MaxKey):   nil,
		strings.Repeat("k", kv.MaxKey+1): kv.ErrTooLarge,
		"":                               kv.ErrInvalid,
		"/":                              kv.ErrInvalid,
		"/a":                             kv.ErrInvalid,
		"a/":                             kv.ErrInvalid,
		"a//b":                           kv.ErrInvalid,
	} {
		wantKind(t, key, kv.CheckKey(key), kind)
	}
}

// TestCheckPrefix does the same for prefixes.
func TestCheckPrefix(t *testing.T) {
	t.Parallel()
	for prefix, kind := range map[string]error{
		"": nil, "a/": nil, "a/b/": nil,
		strings.Repeat("k", kv.MaxKey) + "/":   nil,
		strings.Repeat("k", kv.MaxKey+1) + "/": kv.ErrTooLarge,
		"a":                                    kv.ErrInvalid,
		"/":                                    kv.ErrInvalid,
		"a//":                                  kv.ErrInvalid,
		"//":                                   kv.ErrInvalid,
	} {
		wantKind(t, prefix, kv.CheckPrefix(prefix), kind)
	}
}

// TestCheckCommit goes through the faults in the form of a commit.
func TestCheckCommit(t *testing.T) {
	t.Parallel()
	big := make([]byte, kv.MaxValue+1)
	for name, test := range map[string]struct {
		checks []kv.Check
		writes []kv.Write
		kind   error
	}{
		"nothing":              {nil, nil, nil},
		"one of each":          {[]kv.Check{kv.Absent("a"), kv.Unchanged("b", 1), kv.PrefixUnchanged("", 1)}, []kv.Write{kv.Put("a", nil), kv.Delete("b"), kv.PutTTL("c", nil, kv.MinTTL)}, nil},
		"the largest value":    {nil, []kv.Write{kv.Put("a", big[1:])}, nil},
		"a value too large":    {nil, []kv.Write{kv.Put("a", big)}, kv.ErrTooLarge},
		"a key written twice":  {nil, []kv.Write{kv.Put("a", nil), kv.Delete("a")}, kv.ErrInvalid},
		"a short time to live": {nil, []kv.Write{kv.PutTTL("a", nil, kv.MinTTL-1)}, kv.ErrInvalid},
		"a negative one":       {nil, []kv.Write{kv.PutTTL("a", nil, -time.Hour)}, kv.ErrInvalid},
		"a bad key in a check": {[]kv.Check{kv.Absent("a/")}, nil, kv.ErrInvalid},
		"a key as a prefix":    {[]kv.Check{kv.PrefixUnchanged("a", 0)}, nil, kv.ErrInvalid},
		"a bad key in a write": {nil, []kv.Write{kv.Delete("")}, kv.ErrInvalid},
		"too many writes":      {nil, make([]kv.Write, kv.MaxWrites+1), kv.ErrTooLarge},
		"too many checks":      {make([]kv.Check, kv.MaxChecks+1), nil, kv.ErrTooLarge},
	} {
		wantKind(t, name, kv.CheckCommit(test.checks, test.writes), test.kind)
	}
}

// FuzzCheckKey sees that a key is accepted exactly if each of its segments
// holds a byte and it is short enough.
func FuzzCheckKey(f *testing.F) {
	for _, seed := range []string{"", "a", "a/b", "/", "a//b", "\xff/\x00", strings.Repeat("x", kv.MaxKey+1)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, key string) {
		want := len(key) <= kv.MaxKey
		for segment := range strings.SplitSeq(key, "/") {
			want = want && segment != ""
		}
		if err := kv.CheckKey(key); (err == nil) != want {
			t.Errorf("CheckKey(%q) = %v, want acceptance %v", key, err, want)
		}
		if err := kv.CheckPrefix(key + "/"); (err == nil) != want {
			t.Errorf("CheckPrefix(%q) = %v, want acceptance %v", key+"/", err, want)
		}
	})
}
