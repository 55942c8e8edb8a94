package kvtest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/lectern-lms/lectern/kv"
)

// Load is what [Linearizable] does to a bucket. Only Stores is needed.
type Load struct {
	// Stores are ways to the same bucket, through different nodes if there are
	// several. The callers are spread over them.
	Stores []kv.Store
	// Callers work side by side (6 if zero), each for Calls calls (120 if
	// zero), or until Until is closed if that is set.
	Callers, Calls int
	Until          <-chan struct{}
	// Pause is the average pause between two calls of one caller.
	Pause time.Duration
	// Timeout bounds each call; 10 s if zero.
	Timeout time.Duration
	// Seed decides who calls what. Zero means KVTEST_SEED in the environment,
	// or else a new one, which a failure prints.
	Seed uint64
}

const (
	// linearGroups is how many groups of keys the calls are spread over.
	linearGroups = 4
	// linearPatience bounds the checking of a history, which takes a second at
	// most unless it is wrong.
	linearPatience = 20 * time.Second
	// linearFinal bounds each read after the load, when the store may still be
	// coming back from what was done to it.
	linearFinal = 30 * time.Second
	// linearRest is the least pause of a caller after an error.
	linearRest = 150 * time.Millisecond
)

// Linearizable lets callers read and write at random and then looks for an
// order of all calls that explains every answer: each call must seem to have
// happened at one moment between its start and its end. A commit that ended
// with ErrUnavailable may have happened or not. In the end everything is read
// again, so an acknowledged write that was lost is found too.
//
// When there is no such order the test fails, and a picture of the history is
// left in the test's artifact directory (go test -artifacts keeps it).
func Linearizable(t *testing.T, l Load) {
	t.Helper()
	l = l.withDefaults()
	h := newHistory(l)
	h.run(t.Context())
	result, info, faults := h.judge()
	for _, fault := range faults {
		t.Error(fault)
	}
	unknown := 0
	for _, op := range h.ops {
		if op.Output.(linearResult).unknown {
			unknown++
		}
	}
	t.Logf("%d calls, %d of unknown outcome, seed %d", len(h.ops), unknown, l.Seed)
	if result == porcupine.Ok && len(faults) == 0 {
		return
	}
	path := filepath.Join(t.ArtifactDir(), "history.html")
	if err := porcupine.VisualizePath(linearModel, info, path); err != nil {
		t.Errorf("the picture of the history: %v", err)
	}
	t.Errorf("the history is not linearizable (%s); seed %d; see %s (go test -artifacts keeps it)", result, l.Seed, path)
}

// testLinearizable is the check as a part of the suite.
func testLinearizable(t *testing.T, f *fixture) { Linearizable(t, Load{Stores: []kv.Store{f.Store}}) }

// withDefaults fills in what was left out.
func (l Load) withDefaults() Load {
	if l.Callers == 0 {
		l.Callers = 6
	}
	if l.Calls == 0 {
		l.Calls = 120
	}
	if l.Timeout == 0 {
		l.Timeout = 10 * time.Second
	}
	if l.Seed == 0 {
		l.Seed, _ = strconv.ParseUint(os.Getenv("KVTEST_SEED"), 10, 64)
	}
	if l.Seed == 0 {
		l.Seed = rand.Uint64()
	}
	return l
}

// history is what callers did, as it grows.
type history struct {
	load  Load
	start time.Time

	mu        sync.Mutex
	ops       []porcupine.Operation
	revisions map[mark]kv.Revision // the revision at which each value was seen
	marks     map[kv.Revision]mark
	faults    []string
}

// newHistory is an empty history.
func newHistory(l Load) *history {
	return &history{load: l, start: time.Now(), revisions: map[mark]kv.Revision{}, marks: map[kv.Revision]mark{}}
}

// now is the time of the history.
func (h *history) now() int64 { return int64(time.Since(h.start)) }

// run lets the callers work and reads everything in the end.
func (h *history) run(ctx context.Context) {
	var wg sync.WaitGroup
	for i := range h.load.Callers {
		c := newLinearCaller(h, i)
		wg.Go(func() { c.work(ctx) })
	}
	wg.Wait()
	h.load.Timeout = linearFinal
	last := newLinearCaller(h, h.load.Callers)
	for g := range linearGroups {
		last.scan(ctx, g)
		for key := range linearKeys {
			last.get(ctx, g, key)
		}
	}
}

// add notes a call. One of unknown outcome ends after all others.
func (h *history) add(caller int, call linearCall, began int64, r linearResult) {
	op := porcupine.Operation{ClientId: caller, Input: call, Call: began, Output: r, Return: h.now()}
	if r.unknown {
		op.Return = math.MaxInt64
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ops = append(h.ops, op)
}

// at notes at which revision a value was seen: always the same, and no other
// value at it.
func (h *history) at(m mark, rev kv.Revision) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if before, ok := h.revisions[m]; ok && before != rev {
		h.faults = append(h.faults, fmt.Sprintf("the value %d was seen at the revisions %d and %d", m, before, rev))
	}
	if other, ok := h.marks[rev]; ok && other != m {
		h.faults = append(h.faults, fmt.Sprintf("the revision %d was given to the values %d and %d", rev, other, m))
	}
	h.revisions[m], h.marks[rev] = rev, m
}

// failed notes an error that is none of the store's being away.
func (h *history) failed(what string, err error) {
	if errors.Is(err, kv.ErrUnavailable) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.faults = append(h.faults, fmt.Sprintf("%s: %v", what, err))
}

// judge looks for an order that explains the history.
func (h *history) judge() (porcupine.CheckResult, porcupine.LinearizationInfo, []string) {
	end := h.now() + 1
	for i := range h.ops {
		h.ops[i].Return = min(h.ops[i].Return, end)
	}
	result, info := porcupine.CheckOperationsVerbose(linearModel, h.ops, linearPatience)
	return result, info, h.faults
}
