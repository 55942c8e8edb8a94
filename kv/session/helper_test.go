package session

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"sync"
	"testing"

	"github.com/lectern-lms/lectern/kv"
	"github.com/lectern-lms/lectern/kv/memory"
)

// testKey and oldKey are secrets that exist only in these tests.
var (
	testKey = []byte("a key for tests, 32 bytes long..")
	oldKey  = []byte("the key before that one, retired")
)

// spy is a memory store that counts, can be told to fail, and can run
// something just before a commit, as another request would.
type spy struct {
	kv.Store
	mu      sync.Mutex
	gets    int
	commits [][]kv.Write
	getErr  error
	// commitErr fails every commit.
	commitErr error
	// before runs once, ahead of the next commit.
	before func()
}

// Get counts, then fails or reads.
func (s *spy) Get(ctx context.Context, key string) (kv.Entry, error) {
	s.mu.Lock()
	s.gets++
	err := s.getErr
	s.mu.Unlock()
	if err != nil {
		return kv.Entry{}, err
	}
	return s.Store.Get(ctx, key)
}

// Commit runs the hook, then fails or writes and remembers what.
func (s *spy) Commit(ctx context.Context, checks []kv.Check, writes []kv.Write) (kv.Revision, error) {
	s.mu.Lock()
	before, err := s.before, s.commitErr
	s.before = nil
	s.mu.Unlock()
	if before != nil {
		before()
	}
	if err != nil {
		return 0, err
	}
	rev, err := s.Store.Commit(ctx, checks, writes)
	if err == nil {
		s.mu.Lock()
		s.commits = append(s.commits, writes)
		s.mu.Unlock()
	}
	return rev, err
}

// bench is a manager with its store and its log.
type bench struct {
	*Manager
	t     testing.TB
	store *spy
	log   *bytes.Buffer
}

// newBench makes a manager over an empty memory store.
func newBench(t testing.TB, cfg Config) *bench {
	t.Helper()
	mem := memory.New()
	t.Cleanup(func() { mem.Close() })
	return benchOver(t, &spy{Store: mem}, cfg)
}

// benchOver makes a manager over a given store, as another node would.
func benchOver(t testing.TB, store *spy, cfg Config) *bench {
	t.Helper()
	b := &bench{t: t, store: store, log: new(bytes.Buffer)}
	if cfg.Keys == nil {
		cfg.Keys = [][]byte{testKey}
	}
	cfg.Logger = slog.New(slog.NewTextHandler(&lockedWriter{w: b.log}, &slog.HandlerOptions{Level: slog.LevelDebug}))
	m, err := NewManager(store, cfg)
	if err != nil {
		t.Fatal(err)
	}
	b.Manager = m
	return b
}

// lockedWriter lets goroutines share one log buffer.
type lockedWriter struct {
	mu sync.Mutex
	w  *bytes.Buffer
}

// Write appends under the lock.
func (l *lockedWriter) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}

// load is Load that must succeed.
func (b *bench) load(cookie string) *Session {
	b.t.Helper()
	s, err := b.Load(b.t.Context(), b.jar(cookie))
	if err != nil {
		b.t.Fatalf("Load: %v", err)
	}
	return s
}

// jar is what a browser sends that has a cookie of this value.
func (b *bench) jar(value string) Cookies {
	if _, err := b.visitor.parse(value); err == nil {
		return Cookies{Visitor: value}
	}
	return Cookies{Session: value}
}

// save is Save that must succeed; it returns the session's cookie, nil
// included.
func (b *bench) save(s *Session) *http.Cookie {
	b.t.Helper()
	list := b.saveAll(s)
	if len(list) == 0 {
		return nil
	}
	return list[0]
}

// saveAll is Save that must succeed.
func (b *bench) saveAll(s *Session) []*http.Cookie {
	b.t.Helper()
	list, err := b.Save(b.t.Context(), s)
	if err != nil {
		b.t.Fatalf("Save: %v", err)
	}
	return list
}

// start stores a session with one value and returns its cookie value.
func (b *bench) start(name, value string) string {
	b.t.Helper()
	s := b.load("")
	b.set(s, name, value)
	return b.save(s).Value
}

// signedIn stores a session of a user and returns its cookie value.
func (b *bench) signedIn(user string) string {
	b.t.Helper()
	s := b.load("")
	s.SignIn(user, 0)
	return b.save(s).Value
}

// set is Set that must succeed.
func (b *bench) set(s *Session, name, value string) {
	b.t.Helper()
	if err := s.Set(name, value); err != nil {
		b.t.Fatalf("Set %q: %v", name, err)
	}
}

// wantValue fails unless the session that a cookie names holds the value; ""
// means that it must hold none.
func (b *bench) wantValue(cookie, name, want string) {
	b.t.Helper()
	if got, _ := b.load(cookie).Get(name); got != want {
		b.t.Errorf("value %q is %q, want %q", name, got, want)
	}
}

// wantDead fails unless a cookie opens nothing.
func (b *bench) wantDead(cookie string) {
	b.t.Helper()
	if s := b.load(cookie); s.Exists() || s.User() != "" || len(s.Names()) > 0 {
		b.t.Errorf("the cookie still opens a session of %q with %q", s.User(), s.Names())
	}
}

// keys lists all that the store holds.
func (b *bench) keys() []string {
	b.t.Helper()
	page, err := b.store.Scan(b.t.Context(), kv.Range{})
	if err != nil {
		b.t.Fatal(err)
	}
	var keys []string
	for _, e := range page.Entries {
		keys = append(keys, e.Key)
	}
	return keys
}

// commits is how many commits succeeded.
func (b *bench) commits() int {
	b.store.mu.Lock()
	defer b.store.mu.Unlock()
	return len(b.store.commits)
}

// quiet is a logger of servers, which say much that no test looks at.
var quiet = slog.New(slog.DiscardHandler)

// from says what a request comes from.
func from(s *Session, c Client) { s.From(func() Client { return c }) }
