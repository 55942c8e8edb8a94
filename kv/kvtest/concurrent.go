package kvtest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/lectern-lms/lectern/kv"
)

// parallel runs n copies of do side by side; any error fails the test.
func (f *fixture) parallel(n int, do func(i int) error) {
	f.t.Helper()
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			if err := do(i); err != nil {
				f.t.Errorf("caller %d: %v", i, err)
			}
		})
	}
	wg.Wait()
}

// retry runs do until it gives something else than a conflict.
func (f *fixture) retry(do func() error) error {
	for {
		err := do()
		if !errors.Is(err, kv.ErrConflict) {
			return err
		}
		time.Sleep(rand.N(2 * time.Millisecond))
	}
}

// increment adds one to a number, in a commit that also writes extra.
func (f *fixture) increment(key string, extra ...kv.Write) error {
	return f.retry(func() error {
		e, err := f.Get(f.ctx, key)
		if err != nil && !errors.Is(err, kv.ErrNotFound) {
			return err
		}
		n := 0
		if err == nil {
			if n, err = strconv.Atoi(string(e.Value)); err != nil {
				return err
			}
		}
		_, err = f.Commit(f.ctx, is(kv.Unchanged(key, e.Revision)), append(extra, kv.Put(key, fmt.Append(nil, n+1))))
		return err
	})
}

// testIncrements lets callers add to one number, by single writes and by
// batches: none may be lost.
func testIncrements(_ *testing.T, f *fixture) {
	const callers, each = 6, 15
	f.parallel(callers, func(i int) error {
		for j := range each {
			var extra []kv.Write
			if j%3 == 0 {
				extra = append(extra, kv.Put(fmt.Sprint("extra/", i), nil))
			}
			if err := f.increment("n", extra...); err != nil {
				return err
			}
		}
		return nil
	})
	f.wants("n", fmt.Sprint(callers*each))
}

// testBlindWrites lets writes without a check race writes with one. A checked
// write names the revision that it read; no other write may have come between
// the two, or it has vanished unseen.
func testBlindWrites(t *testing.T, f *fixture) {
	start := f.put("k", "start")
	const rounds = 60
	var mu sync.Mutex
	wrote := map[kv.Revision]kv.Revision{start: 0} // all revisions of k, and what each was checked against
	commit := func(checks []kv.Check, seen kv.Revision) error {
		rev, err := f.Commit(f.ctx, checks, []kv.Write{kv.Put("k", nil)})
		if err == nil {
			mu.Lock()
			defer mu.Unlock()
			wrote[rev] = seen
		}
		return err
	}
	f.parallel(2, func(i int) error {
		for range rounds {
			err := f.retry(func() error {
				if i == 0 {
					return commit(nil, 0)
				}
				e, err := f.Get(f.ctx, "k")
				if err != nil {
					return err
				}
				return commit(is(kv.Unchanged("k", e.Revision)), e.Revision)
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	if len(wrote) != 2*rounds+1 {
		t.Errorf("%d different revisions for %d writes", len(wrote), 2*rounds+1)
	}
	before := kv.Revision(0)
	for _, rev := range slices.Sorted(maps.Keys(wrote)) {
		if seen := wrote[rev]; seen != 0 && seen != before {
			t.Errorf("revision %d was written after reading %d, but replaced %d", rev, seen, before)
		}
		before = rev
	}
}

// testTransfers moves amounts between accounts while readers add them up: the
// sum never changes.
func testTransfers(t *testing.T, f *fixture) {
	const accounts, start, movers, each = 4, 100, 3, 15
	name := func(i int) string { return fmt.Sprint("acc/", i) }
	for i := range accounts {
		f.put(name(i), strconv.Itoa(start))
	}
	stop := f.background(func(int) error {
		page, err := f.Scan(f.ctx, kv.Range{Prefix: "acc/"})
		if err != nil {
			return err
		}
		sum := 0
		for _, e := range page.Entries {
			n, err := strconv.Atoi(string(e.Value))
			if err != nil {
				return err
			}
			sum += n
		}
		if sum != accounts*start {
			return fmt.Errorf("the accounts add up to %d, want %d", sum, accounts*start)
		}
		return nil
	})
	f.parallel(movers, func(int) error {
		for range each {
			from := rand.IntN(accounts)
			to := (from + 1 + rand.IntN(accounts-1)) % accounts
			if err := f.retry(func() error { return f.move(name(from), name(to)) }); err != nil {
				return err
			}
		}
		return nil
	})
	if stop() == 0 {
		t.Error("no reader ran")
	}
}

// move takes one from an account to another.
func (f *fixture) move(from, to string) error {
	var checks []kv.Check
	var writes []kv.Write
	for key, add := range map[string]int{from: -1, to: 1} {
		e, err := f.Get(f.ctx, key)
		if err != nil {
			return err
		}
		n, err := strconv.Atoi(string(e.Value))
		if err != nil {
			return err
		}
		checks = append(checks, kv.Unchanged(key, e.Revision))
		writes = append(writes, kv.Put(key, strconv.AppendInt(nil, int64(n+add), 10)))
	}
	_, err := f.Commit(f.ctx, checks, writes)
	return err
}

// testContext sees that a context that is over ends every method, without effect.
func testContext(t *testing.T, f *fixture) {
	over, cancel := context.WithCancel(f.ctx)
	cancel()
	if _, err := f.Get(over, "k"); !errors.Is(err, context.Canceled) {
		t.Errorf("Get: %v", err)
	}
	if _, err := f.Scan(over, kv.Range{}); !errors.Is(err, context.Canceled) {
		t.Errorf("Scan: %v", err)
	}
	if _, err := f.Commit(over, nil, []kv.Write{kv.Put("k", nil)}); !errors.Is(err, context.Canceled) {
		t.Errorf("Commit: %v", err)
	}
	if _, err := f.Watch(over, "", 0); !errors.Is(err, context.Canceled) {
		t.Errorf("Watch: %v", err)
	}
	feed := f.watch("", 0)
	if _, err := feed.Next(over); !errors.Is(err, context.Canceled) {
		t.Errorf("Next: %v", err)
	}
	later, cancelLater := context.WithCancel(f.ctx)
	time.AfterFunc(30*time.Millisecond, cancelLater)
	if _, err := feed.Next(later); !errors.Is(err, context.Canceled) {
		t.Errorf("Next that waits: %v", err)
	}
	f.absent("k")
	// The feed goes on after a context that was over.
	f.put("k", "1")
	if got := f.events(feed, 1); got[0] != "put k=1" {
		t.Errorf("after the contexts: %q", got)
	}
}

// testClose sees that a closed store says so.
func testClose(t *testing.T, f *fixture) {
	f.put("k", "1")
	for range 2 {
		if err := f.Close(); err != nil {
			t.Fatalf("Close: %v", err)
		}
	}
	if _, err := f.Get(f.ctx, "k"); !errors.Is(err, kv.ErrClosed) {
		t.Errorf("Get: %v", err)
	}
	if _, err := f.Scan(f.ctx, kv.Range{}); !errors.Is(err, kv.ErrClosed) {
		t.Errorf("Scan: %v", err)
	}
	f.refuse(kv.ErrClosed, nil, kv.Put("k", nil))
	if _, err := f.Watch(f.ctx, "", 0); !errors.Is(err, kv.ErrClosed) {
		t.Errorf("Watch: %v", err)
	}
}
