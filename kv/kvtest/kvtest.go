// Package kvtest is the conformance suite of kv: every adapter runs it, so
// that all of them do the same. A test of an adapter calls
//
//	kvtest.Run(t, func(t *testing.T) kv.Store { ... })
//
// with a function that makes a store. Stores may share what is below them; each
// test keeps to keys of its own where that matters, but wants an empty store.
// The suite uses real time: the shortest time to live is a second.
package kvtest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/lectern-lms/lectern/kv"
)

// testTimeout bounds each test of the suite, so that a store that hangs fails
// instead of holding up the run.
const testTimeout = 60 * time.Second

// Maker makes an empty store and sees to its end by t.Cleanup.
type Maker func(t *testing.T) kv.Store

// conformance is one test of the suite.
type conformance struct {
	name string
	run  func(*testing.T, *fixture)
}

// tests are those that work all the time.
var tests = []conformance{
	{"Get", testGet},
	{"Aliasing", testAliasing},
	{"OddKeys", testOddKeys},
	{"InvalidForms", testInvalidForms},
	{"Limits", testLimits},
	{"LargestCommit", testLargestCommit},
	{"LargestEntry", testLargestEntry},
	{"Scan", testScan},
	{"ScanPages", testScanPages},
	{"ScanMany", testScanMany},
	{"Revisions", testRevisions},
	{"Checks", testChecks},
	{"ChecksOnly", testChecksOnly},
	{"Tombstones", testTombstones},
	{"AllOrNothing", testAllOrNothing},
	{"ManyChecks", testManyChecks},
	{"PrefixChecks", testPrefixChecks},
	{"PrefixPhantom", testPrefixPhantom},
	{"WatchOrder", testWatchOrder},
	{"WatchResume", testWatchResume},
	{"WatchPrefix", testWatchPrefix},
	{"WatchMany", testWatchMany},
	{"WatchUnderLoad", testWatchUnderLoad},
	{"WatchEnds", testWatchEnds},
	{"Context", testContext},
	{"Close", testClose},
	{"Increments", testIncrements},
	{"BlindWrites", testBlindWrites},
	{"Transfers", testTransfers},
	{"Linearizable", testLinearizable},
}

// timeTests are those that mostly wait for something to expire.
var timeTests = []conformance{
	{"Expiry", testExpiry},
	{"ExpiryIsExact", testExpiryIsExact},
	{"ExpiryInBatch", testExpiryInBatch},
	{"Refresh", testRefresh},
	{"LongTTL", testLongTTL},
	{"WatchExpiry", testWatchExpiry},
}

// Run runs the suite, its tests side by side. Those that wait all wait at once,
// whatever number of tests go test runs in parallel.
func Run(t *testing.T, open Maker) {
	t.Helper()
	t.Run("Times", func(t *testing.T) {
		t.Parallel()
		var wg sync.WaitGroup
		for _, test := range timeTests {
			wg.Go(func() {
				t.Run(test.name, func(t *testing.T) { test.run(t, newFixture(t, open)) })
			})
		}
		wg.Wait()
	})
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.run(t, newFixture(t, open))
		})
	}
}

// fixture is a store with helpers that fail the test.
type fixture struct {
	kv.Store
	t   *testing.T
	ctx context.Context
}

// newFixture makes a store for one test.
func newFixture(t *testing.T, open Maker) *fixture {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), testTimeout)
	t.Cleanup(cancel)
	return &fixture{Store: open(t), t: t, ctx: ctx}
}

// commit writes and must succeed.
func (f *fixture) commit(checks []kv.Check, writes ...kv.Write) kv.Revision {
	f.t.Helper()
	rev, err := f.Commit(f.ctx, checks, writes)
	if err != nil {
		f.t.Fatalf("Commit(%s, %s): %v", brief(checks), brief(writes), err)
	}
	return rev
}

// put writes one key and must succeed.
func (f *fixture) put(key, value string) kv.Revision {
	f.t.Helper()
	return f.commit(nil, kv.Put(key, []byte(value)))
}

// refuse commits and must get an error of the given kind.
func (f *fixture) refuse(kind error, checks []kv.Check, writes ...kv.Write) {
	f.t.Helper()
	rev, err := f.Commit(f.ctx, checks, writes)
	if !errors.Is(err, kind) || rev != 0 {
		f.t.Fatalf("Commit(%s, %s) = %d, %v; want the error %v", brief(checks), brief(writes), rev, err, kind)
	}
}

// wants tells that the key has the value, and returns its entry.
func (f *fixture) wants(key, value string) kv.Entry {
	f.t.Helper()
	e, err := f.Get(f.ctx, key)
	if err != nil || e.Key != key || string(e.Value) != value {
		f.t.Fatalf("Get(%.60q) = %.60q, %v; want %.60q", key, e.Value, err, value)
	}
	return e
}

// absent tells that the key does not exist.
func (f *fixture) absent(key string) {
	f.t.Helper()
	if e, err := f.Get(f.ctx, key); !errors.Is(err, kv.ErrNotFound) {
		f.t.Fatalf("Get(%.60q) = %.60q, %v; want ErrNotFound", key, e.Value, err)
	}
}

// scan returns a page and must succeed.
func (f *fixture) scan(r kv.Range) kv.Page {
	f.t.Helper()
	page, err := f.Scan(f.ctx, r)
	if err != nil {
		f.t.Fatalf("Scan(%+v): %v", r, err)
	}
	return page
}

// watch opens a feed and must succeed.
func (f *fixture) watch(prefix string, after kv.Revision) kv.Feed {
	f.t.Helper()
	feed, err := f.Watch(f.ctx, prefix, after)
	if err != nil {
		f.t.Fatalf("Watch(%q, %d): %v", prefix, after, err)
	}
	f.t.Cleanup(func() { _ = feed.Close() }) // more than one Close is no error
	return feed
}

// next takes one event and must succeed.
func (f *fixture) next(feed kv.Feed) kv.Event {
	f.t.Helper()
	ev, err := feed.Next(f.ctx)
	if err != nil {
		f.t.Fatalf("Next: %v", err)
	}
	return ev
}

// quiet tells that no event comes for a short while.
func (f *fixture) quiet(feed kv.Feed) {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(f.ctx, 150*time.Millisecond)
	defer cancel()
	if ev, err := feed.Next(ctx); !errors.Is(err, context.DeadlineExceeded) {
		f.t.Fatalf("Next = %s, %v; want no event", describe(ev), err)
	}
}

// keys lists the keys of a page.
func keys(p kv.Page) []string {
	out := make([]string, len(p.Entries))
	for i, e := range p.Entries {
		out[i] = e.Key
	}
	return out
}

// describe writes an event as kind, key, value.
func describe(ev kv.Event) string {
	kinds := map[kv.EventKind]string{kv.EventPut: "put", kv.EventDelete: "delete", kv.EventExpire: "expire"}
	return fmt.Sprintf("%s %.40s=%.40s", kinds[ev.Kind], ev.Entry.Key, ev.Entry.Value)
}

// brief writes checks or writes for a message, cut to a readable length.
func brief[T any](list []T) string {
	return fmt.Sprintf("%d × %.200s", len(list), fmt.Sprintf("%+v", list[:min(len(list), 3)]))
}

// is lists a single check.
func is(c kv.Check) []kv.Check { return []kv.Check{c} }
