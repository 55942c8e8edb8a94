package transaction

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/lectern-lms/lectern/guest/abi"
	"github.com/lectern-lms/lectern/host/auth"
	"github.com/lectern-lms/lectern/kv"
)

// put is the message that writes a record for good.
func put(key, value string) abi.Writer { return text(key, value).Uint(0) }

// scan is the message that lists up to limit records under a prefix.
func scan(prefix string, limit uint64) abi.Writer { return text(prefix, "").Uint(limit) }

// TestCommitWritesAllAtOnce buffers until the end.
func TestCommitWritesAllAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.put("write/old", "old")
	tx := w.Begin(w.scope())
	must(t, tx, abi.OpPut, put("write/a", "1"))
	must(t, tx, abi.OpPut, text("write/b", "2").Uint(60))
	must(t, tx, abi.OpDelete, text("write/old"))
	if w.value("write/a") != "-" || w.value("write/old") != "old" {
		t.Error("something was written before Commit")
	}
	w.commit(tx)
	if w.value("write/a") != "1" || w.value("write/b") != "2" || w.value("write/old") != "-" {
		t.Error("Commit did not write everything")
	}
	e, err := w.Records.Get(t.Context(), "write/b")
	if err != nil || e.Expires.IsZero() {
		t.Errorf("the time to live was lost: %+v, %v", e, err)
	}
}

// TestCommitFailsIfAReadChanged reads something, lets another change it, and
// expects that nothing at all is written.
func TestCommitFailsIfAReadChanged(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		op     abi.Op
		read   abi.Writer
		change func(*world)
		want   error
	}{
		{"changed record", abi.OpGet, text("read/a"), func(w *world) { w.put("read/a", "2") }, kv.ErrConflict},
		{"same value again", abi.OpGet, text("read/a"), func(w *world) { w.put("read/a", "1") }, kv.ErrConflict},
		{"record that appeared", abi.OpGet, text("read/new"), func(w *world) { w.put("read/new", "1") }, kv.ErrConflict},
		{"record that went", abi.OpGet, text("read/a"), func(w *world) { w.remove("read/a") }, kv.ErrConflict},
		{"record that came into a list", abi.OpScan, scan("read/", 0), func(w *world) { w.put("read/z", "1") }, kv.ErrConflict},
		{"record that left a list", abi.OpScan, scan("read/", 0), func(w *world) { w.remove("read/b") }, kv.ErrConflict},
		{"list that was empty", abi.OpScan, scan("read/none/", 0), func(w *world) { w.put("read/none/x", "1") }, kv.ErrConflict},
		{"another record", abi.OpGet, text("read/a"), func(w *world) { w.put("read/b", "9") }, nil},
		{"another list", abi.OpScan, scan("read/", 0), func(w *world) { w.put("other/z", "1") }, nil},
		{"nothing", abi.OpGet, text("read/a"), func(*world) {}, nil},
	}
	for _, tt := range tests {
		w := newWorld(t)
		w.put("read/a", "1", "read/b", "1", "write/gone", "1")
		tx := w.Begin(w.scope())
		must(t, tx, tt.op, tt.read)
		tt.change(w)
		must(t, tx, abi.OpPut, put("write/a", "1"))
		must(t, tx, abi.OpDelete, text("write/gone"))
		must(t, tx, abi.OpSessionSet, text("lang", "es"))
		cookie, err := tx.Commit(t.Context())
		if !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
		if written := w.value("write/a") == "1" && w.value("write/gone") == "-" && cookie != nil; written != (tt.want == nil) {
			t.Errorf("%s: written %t", tt.name, written)
		}
	}
}

// remove deletes a record past every transaction.
func (w *world) remove(key string) {
	w.t.Helper()
	if _, err := w.Records.Commit(w.t.Context(), nil, []kv.Write{kv.Delete(key)}); err != nil {
		w.t.Fatal(err)
	}
}

// TestTheFirstReadCounts reads twice with a change between: what the handler
// saw first is no more, so it must run again.
func TestTheFirstReadCounts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.put("read/a", "1")
	tx := w.Begin(w.scope())
	must(t, tx, abi.OpGet, text("read/a"))
	must(t, tx, abi.OpScan, scan("read/", 0))
	w.put("read/a", "2")
	must(t, tx, abi.OpGet, text("read/a"))
	must(t, tx, abi.OpScan, scan("read/", 0))
	must(t, tx, abi.OpPut, put("write/a", "1"))
	if _, err := tx.Commit(t.Context()); !errors.Is(err, kv.ErrConflict) {
		t.Errorf("Commit: %v, want a conflict", err)
	}
}

// TestReadersNeverConflict commits nothing although all that was read changed.
func TestReadersNeverConflict(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.put("read/a", "1")
	tx := w.Begin(w.scope())
	must(t, tx, abi.OpGet, text("read/a"))
	must(t, tx, abi.OpScan, scan("read/", 0))
	w.put("read/a", "2")
	if got := w.commit(tx); got != noCookies {
		t.Error("a request that changed nothing sets a cookie")
	}
}

// TestOneOfManyWins runs the same change side by side: each number is given
// to one of them.
func TestOneOfManyWins(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const runners, turns = 8, 20
	var all sync.WaitGroup
	for range runners {
		all.Go(func() {
			for range turns {
				for !w.increment(t) {
				}
			}
		})
	}
	all.Wait()
	if got := w.value("write/n"); got != strconv.Itoa(runners*turns) {
		t.Errorf("%d increments made %s", runners*turns, got)
	}
}

// increment adds one to a record in a request of its own; false is a conflict.
func (w *world) increment(t *testing.T) bool {
	tx := w.Begin(w.scope())
	in := must(t, tx, abi.OpGet, text("write/n"))
	in.Bool()
	n, _ := strconv.Atoi(in.String())
	must(t, tx, abi.OpPut, put("write/n", strconv.Itoa(n+1)))
	_, err := tx.Commit(t.Context())
	if err != nil && !errors.Is(err, kv.ErrConflict) {
		t.Error(err)
	}
	return !errors.Is(err, kv.ErrConflict)
}

// TestScanOverlayAgreesWithTheStore lists page by page, with limits of every
// size, over own writes and deletes; after the commit the store must list the
// same.
func TestScanOverlayAgreesWithTheStore(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for i := range 40 {
		w.put(fmt.Sprintf("write/%02d", i), "stored")
	}
	tx := w.Begin(w.scope())
	for i := range 60 {
		switch key := fmt.Sprintf("write/%02d", i); i % 4 {
		case 0:
			must(t, tx, abi.OpDelete, text(key))
		case 1:
			must(t, tx, abi.OpPut, put(key, "mine"))
		case 2:
			must(t, tx, abi.OpPut, put(key+"x", "new"))
		}
	}
	var before []string
	for limit := uint64(1); limit <= 61; limit += 3 {
		list := listAll(t, tx, limit)
		if before != nil && strings.Join(list, " ") != strings.Join(before, " ") {
			t.Fatalf("pages of %d give %v, others gave %v", limit, list, before)
		}
		before = list
	}
	w.commit(tx)
	if after := listAll(t, w.Begin(w.scope()), 7); strings.Join(after, " ") != strings.Join(before, " ") {
		t.Errorf("the handler saw %v, the store has %v", before, after)
	}
}

// listAll reads all pages of a scan as "key=value".
func listAll(t *testing.T, tx *Tx, limit uint64) []string {
	t.Helper()
	var all []string
	for after, more := "", true; more; {
		in := must(t, tx, abi.OpScan, text("write/", after).Uint(limit))
		more = in.Bool()
		page := in.Records()
		if len(page) > 0 && page[0].Key <= after {
			t.Fatalf("a page after %q begins with %q", after, page[0].Key)
		}
		if uint64(len(page)) > limit || (more && len(page) == 0) || in.Done() != nil {
			t.Fatalf("a page of %d records with limit %d, more %t", len(page), limit, more)
		}
		for _, r := range page {
			all = append(all, r.Key+"="+string(r.Value))
			after = r.Key
		}
	}
	return all
}

// TestHostLimitsAPage gives 500 records at most.
func TestHostLimitsAPage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for from := range 2 {
		var writes []kv.Write
		for i := range 300 {
			writes = append(writes, kv.Put(fmt.Sprintf("read/%d-%03d", from, i), nil))
		}
		if _, err := w.Records.Commit(t.Context(), nil, writes); err != nil {
			t.Fatal(err)
		}
	}
	for _, limit := range []uint64{0, 500, 501, 1 << 62} {
		in := must(t, w.Begin(w.scope()), abi.OpScan, scan("read/", limit))
		if more, page := in.Bool(), in.Records(); !more || len(page) != maxScan {
			t.Errorf("limit %d: %d records, more %t", limit, len(page), more)
		}
	}
}

// TestAbandonLeavesNothing drops writes, session, sign-in and new account.
func TestAbandonLeavesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	scope := w.scope()
	scope.Form.Set("new", "bob")
	scope.Form.Set("word", "long enough word")
	tx := w.Begin(scope)
	must(t, tx, abi.OpPut, put("write/a", "1"))
	must(t, tx, abi.OpSessionSet, text("lang", "es"))
	must(t, tx, abi.OpNotify, text("done"))
	must(t, tx, abi.OpSignUp, text("new", "none", "word", "student"))
	must(t, tx, abi.OpAbandon, nil)
	if w.commit(tx) != noCookies || w.value("write/a") != "-" {
		t.Error("something was left of an abandoned request")
	}
	if _, err := w.Accounts.Find(t.Context(), "bob"); !errors.Is(err, auth.ErrUnknown) {
		t.Errorf("the account of an abandoned sign-up: %v", err)
	}
	must(t, tx, abi.OpPut, put("write/b", "2"))
	w.commit(tx)
	if w.value("write/b") != "2" || w.value("write/a") != "-" {
		t.Error("what came after Abandon was not written alone")
	}
}

// TestTooManyReadsToCheck tells the handler's author instead of writing
// without a check.
func TestTooManyReadsToCheck(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tx := w.Begin(w.scope())
	for i := range kv.MaxChecks + 1 {
		must(t, tx, abi.OpGet, text("read/"+strconv.Itoa(i)))
	}
	must(t, tx, abi.OpPut, put("write/a", "1"))
	if _, err := tx.Commit(t.Context()); !errors.Is(err, kv.ErrTooLarge) || w.value("write/a") != "-" {
		t.Errorf("Commit: %v, want too large", err)
	}
}
