package session

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lectern-lms/lectern/kv"
	"github.com/lectern-lms/lectern/kv/jetstream"
	"github.com/lectern-lms/lectern/kv/memory"
)

// The cases S1 to S12 are those that a study of session stores has found in
// other systems. What they are is said at each; S4 to S7 are in
// nodes_test.go, S12 is in history_test.go.

// onStores runs a test on every store that needs no other program: memory, and
// JetStream with its files in a directory.
func onStores(t *testing.T, test func(t *testing.T, store kv.Store)) {
	t.Run("memory", func(t *testing.T) {
		t.Parallel()
		store := memory.New()
		t.Cleanup(func() { store.Close() })
		test(t, store)
	})
	t.Run("jetstream", func(t *testing.T) {
		t.Parallel()
		test(t, openJetStream(t, jetstream.Bucket{Name: "sessions"}))
	})
}

// openJetStream starts a server of its own and opens a bucket.
func openJetStream(t *testing.T, b jetstream.Bucket) kv.Store {
	t.Helper()
	server, err := jetstream.StartServer(jetstream.ServerOptions{Dir: t.TempDir(), Name: "test", Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Shutdown)
	nc, err := server.Connect("test")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	b.Logger = quiet
	store, err := jetstream.Open(t.Context(), nc, b)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	return store
}

// TestS1StoreKeepsWhatSessionsRelyOn holds the semantics that the code takes
// for granted, so that an upgrade of a library which changes one is seen. The
// conformance suite kv/kvtest holds the rest, on every adapter.
func TestS1StoreKeepsWhatSessionsRelyOn(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, store kv.Store) {
		ctx := t.Context()
		put := func(ttl time.Duration, checks ...kv.Check) (kv.Revision, error) {
			return store.Commit(ctx, checks, []kv.Write{kv.PutTTL("s/x", []byte("v"), ttl)})
		}
		expires := func() time.Time {
			e, err := store.Get(ctx, "s/x")
			if err != nil {
				t.Fatal(err)
			}
			return e.Expires
		}
		first, err := put(time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		short := expires()
		second, err := put(2*time.Hour, kv.Unchanged("s/x", first))
		if err != nil || second <= first || expires().Sub(short) < 59*time.Minute {
			t.Errorf("a refresh does not prolong the time to live: %v, %v", err, expires().Sub(short))
		}
		if _, err := put(time.Hour, kv.Unchanged("s/x", first)); !errors.Is(err, kv.ErrConflict) {
			t.Errorf("a late write: %v", err)
		}
		gone, err := store.Commit(ctx, nil, []kv.Write{kv.Delete("s/x")})
		if err != nil || gone <= second {
			t.Errorf("a deletion has revision %d, %v: it could not be fenced", gone, err)
		}
		if _, err := put(time.Hour, kv.Unchanged("s/x", second)); !errors.Is(err, kv.ErrConflict) {
			t.Errorf("a late write after the end: %v", err)
		}
		const fraction = 1900 * time.Millisecond // NATS itself cuts it down to one second.
		for timely := false; !timely; {          // A busy machine may sleep too long.
			began := time.Now()
			if _, err := put(fraction); err != nil {
				t.Fatal(err)
			}
			time.Sleep(1400 * time.Millisecond)
			_, err := store.Get(ctx, "s/x")
			if timely = time.Since(began) < fraction; timely && err != nil {
				t.Errorf("a fraction of a second is cut off: %v", err)
			}
		}
		time.Sleep(fraction)
		if _, err := store.Get(ctx, "s/x"); !errors.Is(err, kv.ErrNotFound) {
			t.Errorf("an expired record: %v", err)
		}
	})
}

// TestS2NoSessionIsImmortal goes all ways that write a session and looks for
// a key without an end.
func TestS2NoSessionIsImmortal(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, store kv.Store) {
		b := benchOver(t, &spy{Store: store}, Config{Remember: month, Limit: 3})
		visitor, w, copied := b.browser(), b.browser(), b.browser()
		for i := range 3 {
			visitor.open(func(s *Session) { b.set(s, "n", strconv.Itoa(i)) })
			w.signIn("ann", 0)
			w.open(func(s *Session) { b.set(s, "n", strconv.Itoa(i)) })
			copied.jar[rememberName] = w.jar[rememberName]
			w.close()
			w.wantUser("ann")
			b.browser().open(func(s *Session) { s.SignIn("ann", 0) })
		}
		w.close()
		w.wantUser("ann")
		copied.wantUser("") // Theft: a warning is written.
		w.signIn("ann", 0)
		copied.open(func(s *Session) { s.SignOut(); b.set(s, "bye", "1") })
		page, err := store.Scan(t.Context(), kv.Range{})
		if err != nil {
			t.Fatal(err)
		}
		kinds := map[string]bool{}
		for _, e := range page.Entries {
			kinds[e.Key[:2]] = true
			if left := time.Until(e.Expires); e.Expires.IsZero() || left > warningAge+grace {
				t.Errorf("%q ends at %v", e.Key, e.Expires)
			}
		}
		for _, kind := range []string{"s/", "u/", "r/", "w/"} {
			if !kinds[kind] {
				t.Errorf("no key under %q was written, so this shows too little", kind)
			}
		}
	})
}

// TestS3NoUpdateIsLost changes one value of one session a thousand times side
// by side, through three managers: scs loses 84 to 107 of 200.
func TestS3NoUpdateIsLost(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, store kv.Store) {
		const changes, atOnce = 1000, 25
		b := benchOver(t, &spy{Store: store}, Config{})
		nodes := []*bench{b, benchOver(t, b.store, Config{}), benchOver(t, b.store, Config{})}
		cookie := b.signedIn("ann")
		var wait sync.WaitGroup
		for worker := range atOnce {
			wait.Go(func() {
				node := nodes[worker%len(nodes)]
				for range changes / atOnce {
					s, err := node.Load(t.Context(), b.jar(cookie))
					if err != nil {
						t.Error(err)
						return
					}
					if err := s.Update("count", increment); err != nil {
						t.Error(err)
					}
					if _, err := node.Save(t.Context(), s); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wait.Wait()
		b.wantValue(cookie, "count", strconv.Itoa(changes))
	})
}

// increment adds one to a number.
func increment(old string, _ bool) (string, bool) {
	n, _ := strconv.Atoi(old) // "" is 0
	return strconv.Itoa(n + 1), true
}

// TestS3NothingIsResurrected lets a session end while slow requests still hold
// it, on real stores; TestEndedStaysEnded goes through all ways.
func TestS3NothingIsResurrected(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, store kv.Store) {
		b := benchOver(t, &spy{Store: store}, Config{})
		for range 20 {
			cookie := b.signedIn("ann")
			var wait sync.WaitGroup
			for i := range 4 {
				slow := b.load(cookie)
				b.set(slow, strconv.Itoa(i), "1")
				wait.Go(func() {
					if _, err := b.Save(t.Context(), slow); err != nil && !errors.Is(err, ErrEnded) {
						t.Error(err)
					}
				})
			}
			out := b.load(cookie)
			out.SignOut()
			b.save(out)
			b.wantDead(cookie)
			wait.Wait()
			b.wantDead(cookie)
		}
	})
}

// TestS8OddNamesNeverReachTheStore uses users and values that would break a
// NATS subject: one of 5,000 bytes closes a connection for good.
func TestS8OddNamesNeverReachTheStore(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, store kv.Store) {
		b := benchOver(t, &spy{Store: store}, Config{Remember: month})
		for _, user := range []string{"a b", "*", ">", "a.b", "../x", "a/b", "é", "\x00", "\r\n", strings.Repeat("u", maxUser), strings.Repeat(".", 200)} {
			w := b.browser()
			w.signIn(user, 0)
			w.wantUser(user)
			w.open(func(s *Session) { b.set(s, "*.> \r\n\x00", "\x00\xff") })
			if list := b.list(user); len(list) != 1 {
				t.Errorf("%q has %d devices", user, len(list))
			}
		}
		for _, user := range []string{"", strings.Repeat("u", maxUser+1)} {
			s := b.load("")
			s.SignIn(user, 0)
			if _, err := b.Save(t.Context(), s); !errors.Is(err, ErrTooLarge) {
				t.Errorf("a user id of %d bytes: %v", len(user), err)
			}
		}
		for _, cookie := range []string{strings.Repeat("A", 5000), strings.Repeat("/", 5000), "a*b>c", strings.Repeat("A", tokenLength)} {
			if s, err := b.Load(t.Context(), Cookies{Session: cookie, Visitor: cookie, Remember: cookie}); err != nil || s.Exists() {
				t.Errorf("cookie %.20q: %v", cookie, err)
			}
		}
		for _, key := range b.keys() {
			if len(key) > 110 || strings.Trim(key, "abcdefghijklmnopqrstuvwxyz234567/") != "" {
				t.Errorf("key %q", key)
			}
		}
	})
}

// TestS9SignOutWorksInAFullStore fills a bucket to the brim: nobody can sign
// in, and everybody can sign out.
func TestS9SignOutWorksInAFullStore(t *testing.T) {
	t.Parallel()
	store := openJetStream(t, jetstream.Bucket{Name: "full", MaxBytes: 256 << 10})
	b := benchOver(t, &spy{Store: store}, Config{Remember: month})
	w := b.browser()
	w.signIn("ann", 0)
	cookie := b.signedIn("ann")
	full := false
	for i := 0; i < 10_000 && !full; i++ {
		_, err := store.Commit(t.Context(), nil, []kv.Write{kv.PutTTL(fmt.Sprint("s/", i), make([]byte, 200), time.Hour)})
		full = errors.Is(err, kv.ErrUnavailable)
	}
	if !full {
		t.Fatal("the bucket takes everything")
	}
	s := b.load("")
	s.SignIn("bob", 0)
	if list, err := b.Save(t.Context(), s); list != nil || !errors.Is(err, kv.ErrUnavailable) {
		t.Errorf("sign-in: %v, %v", list, err)
	}
	copied := w.cookies()
	w.open(func(s *Session) { s.SignOut() })
	if s, err := b.Load(t.Context(), copied); err != nil || s.User() != "" {
		t.Errorf("after the sign-out the cookies are %q, %v", s.User(), err)
	}
	if err := b.RevokeUser(t.Context(), "ann", ""); err != nil {
		t.Error(err)
	}
	b.wantDead(cookie)
}

// TestS10KeysCannotBeChosen has two keys, one that is retired, and cookies
// that try to say by which they are to be checked.
func TestS10KeysCannotBeChosen(t *testing.T) {
	t.Parallel()
	old := newBench(t, Config{Keys: [][]byte{oldKey}})
	cookie := old.signedIn("ann")
	both := benchOver(t, old.store, Config{Keys: [][]byte{testKey, oldKey}})
	only := benchOver(t, old.store, Config{Keys: [][]byte{testKey}})
	if u := both.load(cookie).User(); u != "ann" {
		t.Errorf("with the fallback: %q", u)
	}
	only.wantDead(cookie)
	token, _ := both.Verify(cookie)
	for name, s := range map[string]signer{
		"empty key":         {name: sessionName, keys: [][]byte{{}}},
		"zero key":          {name: sessionName, keys: [][]byte{make([]byte, 32)}},
		"underived key":     {name: sessionName, keys: [][]byte{testKey}},
		"log's key":         {name: sessionName, keys: [][]byte{mac(testKey, []byte(logLabel))}},
		"next token's key":  {name: sessionName, keys: [][]byte{mac(testKey, []byte(nextLabel))}},
		"another's version": newSigner("session-v0", [][]byte{testKey}),
	} {
		both.wantDead(s.sign(token.id, token.Revision))
		if t.Failed() {
			t.Fatalf("%s signs", name)
		}
	}
	// The first byte is the one part that names a way of checking.
	body, _, err := old.session.open(cookie, bodySize)
	if err != nil {
		t.Fatal(err)
	}
	for version := range 256 {
		if version == tokenVersion {
			continue
		}
		forged := append([]byte{byte(version)}, body[1:]...)
		if _, ok := both.Verify(both.session.seal(forged)); ok {
			t.Errorf("version %d is taken", version)
		}
	}
}

// TestS11ClocksMayDiffer reads sessions that a node wrote whose clock was off,
// by seconds as clocks are, and by a day as they are after a fault.
func TestS11ClocksMayDiffer(t *testing.T) {
	t.Parallel()
	for _, off := range []time.Duration{5 * time.Second, -5 * time.Second, 24 * time.Hour, 20 * 365 * 24 * time.Hour} {
		b := newBench(t, Config{Idle: time.Hour, Absolute: 2 * time.Hour})
		s := b.load(b.signedIn("ann"))
		other := s.rec
		for _, at := range []*time.Time{&other.created, &other.seen, &other.expires} {
			*at = at.Add(off)
		}
		rev, err := b.put(t.Context(), s, other)
		if err != nil {
			t.Fatal(err)
		}
		cookie := b.session.sign(s.id, rev)
		s = b.load(cookie)
		if s.User() != "ann" {
			t.Errorf("off by %v: user %q", off, s.User())
		}
		b.save(s)
		end := b.end(b.load(cookie).rec)
		if left := time.Until(end); left > 2*time.Hour || left < 50*time.Minute {
			t.Errorf("off by %v: the session ends in %v", off, left)
		}
		if told := strings.Contains(b.log.String(), "clocks of the nodes differ"); told != (off > skew) {
			t.Errorf("off by %v: the log tells of it: %v", off, told)
		}
	}
}
