package kvtest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"testing"

	"github.com/anishathalye/porcupine"

	"github.com/lectern-lms/lectern/kv"
	"github.com/lectern-lms/lectern/kv/memory"
)

// faulty is a store that breaks its promise in one way, at random.
type faulty struct {
	kv.Store
	get    func(f *faulty, ctx context.Context, key string) (kv.Entry, error)
	commit func(f *faulty, ctx context.Context, checks []kv.Check, writes []kv.Write) (kv.Revision, error)

	mu   sync.Mutex
	rand *rand.Rand
	old  map[string]kv.Entry
}

// one is true once in n times.
func (f *faulty) one(n int) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.rand.IntN(n) == 0
}

// Get implements [kv.Store].
func (f *faulty) Get(ctx context.Context, key string) (kv.Entry, error) {
	if f.get == nil {
		return f.Store.Get(ctx, key)
	}
	return f.get(f, ctx, key)
}

// Commit implements [kv.Store].
func (f *faulty) Commit(ctx context.Context, checks []kv.Check, writes []kv.Write) (kv.Revision, error) {
	if f.commit == nil {
		return f.Store.Commit(ctx, checks, writes)
	}
	return f.commit(f, ctx, checks, writes)
}

// staleGet answers now and then with what it answered before.
func staleGet(f *faulty, ctx context.Context, key string) (kv.Entry, error) {
	e, err := f.Store.Get(ctx, key)
	f.mu.Lock()
	defer f.mu.Unlock()
	if old, ok := f.old[key]; ok && f.rand.IntN(10) == 0 {
		return old, nil
	}
	if err == nil {
		f.old[key] = e
	}
	return e, err
}

// lostCheck forgets a check now and then.
func lostCheck(prefix bool) func(*faulty, context.Context, []kv.Check, []kv.Write) (kv.Revision, error) {
	return func(f *faulty, ctx context.Context, checks []kv.Check, writes []kv.Write) (kv.Revision, error) {
		var kept []kv.Check
		for _, c := range checks {
			if c.IsPrefix != prefix || !f.one(5) {
				kept = append(kept, c)
			}
		}
		return f.Store.Commit(ctx, kept, writes)
	}
}

// torn makes a commit in two.
func torn(f *faulty, ctx context.Context, checks []kv.Check, writes []kv.Write) (kv.Revision, error) {
	if len(writes) == 1 || !f.one(5) {
		return f.Store.Commit(ctx, checks, writes)
	}
	if rev, err := f.Store.Commit(ctx, checks, writes[:1]); err != nil {
		return rev, err
	}
	return f.Store.Commit(ctx, checks, writes[1:])
}

// lostWrite acknowledges and does nothing now and then.
func lostWrite(f *faulty, ctx context.Context, checks []kv.Check, writes []kv.Write) (kv.Revision, error) {
	if f.one(40) {
		return f.Store.Commit(ctx, checks, []kv.Write{kv.Put("elsewhere", nil)})
	}
	return f.Store.Commit(ctx, checks, writes)
}

// falseConflict does a commit and says that it did not.
func falseConflict(f *faulty, ctx context.Context, checks []kv.Check, writes []kv.Write) (kv.Revision, error) {
	rev, err := f.Store.Commit(ctx, checks, writes)
	if err == nil && f.one(20) {
		return 0, kv.ErrConflict
	}
	return rev, err
}

// unsure says now and then that nobody knows what became of a commit. That is
// allowed, whether it happened or not.
func unsure(f *faulty, ctx context.Context, checks []kv.Check, writes []kv.Write) (kv.Revision, error) {
	if f.one(30) {
		return 0, kv.ErrUnavailable
	}
	rev, err := f.Store.Commit(ctx, checks, writes)
	if f.one(30) {
		return 0, kv.ErrUnavailable
	}
	return rev, err
}

// TestLinearizableFindsFaults sees that the check can fail: each way to break
// the promise is found, and what is allowed is not taken for a fault.
func TestLinearizableFindsFaults(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		faulty *faulty
		ok     bool
	}{
		"none":               {&faulty{}, true},
		"unknown outcomes":   {&faulty{commit: unsure}, true},
		"stale gets":         {&faulty{get: staleGet}, false},
		"lost key checks":    {&faulty{commit: lostCheck(false)}, false},
		"lost page checks":   {&faulty{commit: lostCheck(true)}, false},
		"half commits":       {&faulty{commit: torn}, false},
		"lost writes":        {&faulty{commit: lostWrite}, false},
		"conflicts that lie": {&faulty{commit: falseConflict}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const seed = 7
			test.faulty.Store, test.faulty.rand = memory.New(), rand.New(rand.NewPCG(seed, seed))
			test.faulty.old = map[string]kv.Entry{}
			h := newHistory(Load{Stores: []kv.Store{test.faulty}, Seed: seed}.withDefaults())
			h.run(t.Context())
			result, info, faults := h.judge()
			if ok := result == porcupine.Ok && len(faults) == 0; ok != test.ok {
				t.Errorf("the check says %s and %q; want it to pass: %v", result, faults, test.ok)
			}
			path := filepath.Join(t.TempDir(), "history.html")
			if err := porcupine.VisualizePath(linearModel, info, path); err != nil {
				t.Errorf("the picture: %v", err)
			}
		})
	}
}

// TestLinearizableIsReproducible sees that a seed gives the same calls again.
func TestLinearizableIsReproducible(t *testing.T) {
	t.Parallel()
	run := func(seed uint64) string {
		h := newHistory(Load{Stores: []kv.Store{memory.New()}, Seed: seed, Callers: 1}.withDefaults())
		h.run(t.Context())
		text := ""
		for _, op := range h.ops {
			text += fmt.Sprintln(linearModel.DescribeOperation(op.Input, op.Output))
		}
		return text
	}
	if a, b := run(1), run(1); a != b {
		t.Errorf("one seed gave two histories:\n%s\n%s", a, b)
	}
	if run(1) == run(2) {
		t.Error("two seeds gave one history")
	}
}
