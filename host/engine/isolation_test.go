package engine

import (
	"bytes"
	"context"
	"fmt"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/lectern-lms/lectern/guest/abi"
	"github.com/lectern-lms/lectern/host/engine/pool"
)

// firstRequest is what the probe finds at its first request, but for the order
// of a map and a draw of math/rand, which are any but always the same.
var firstRequest = regexp.MustCompile(`^count 0 heap 0 hoard 0 ticks 0 started false seen false waiting 0 timer false print <nil> file true env 0 order [a-j]{10} draw \d+$`)

// TestIsolation lets the probe try to remember earlier requests, in many
// sandboxes at once: each request must find the state of the first.
func TestIsolation(t *testing.T) {
	t.Parallel()
	requests := int64(100_000)
	if raceDetector || testing.Short() {
		requests = 4_000
	}
	seen := &tally{}
	h := newProbe(t, func(o *Options) { o.Sandboxes, o.Observer = sharedSandboxes, seen })
	all := barrier(sharedSandboxes)
	var want atomic.Pointer[string]
	var left atomic.Int64
	left.Store(requests)
	var workers sync.WaitGroup
	for worker := range sharedSandboxes {
		workers.Go(func() {
			// All sandboxes are in use at once before anyone goes on.
			x := &Exchange{Request: Request{URI: "/host?1"}, Calls: answers(func(abi.Op, []byte) (abi.Status, []byte) {
				all()
				return abi.StatusOK, nil
			})}
			if err := h.Serve(context.Background(), x); err != nil {
				t.Error(err)
				return
			}
			for left.Add(-1) >= 0 && !t.Failed() {
				got, err := ask(context.Background(), h, "/remember?"+strconv.Itoa(worker))
				if err != nil || !firstRequest.MatchString(got) {
					t.Errorf("a later request found %q, %v", got, err)
				}
				want.CompareAndSwap(nil, &got)
				if got != *want.Load() {
					t.Errorf("a request found %q, another %q", got, *want.Load())
				}
				runtime.Gosched()
			}
		})
	}
	workers.Wait()
	if seen.started-seen.ended[pool.EndedIdle] != sharedSandboxes {
		t.Errorf("%d sandboxes were made for %d at once; none may be made anew", seen.started, sharedSandboxes)
	}
}

// barrier gives a function that returns when n have called it.
func barrier(n int) func() {
	var all sync.WaitGroup
	all.Add(n)
	return func() {
		all.Done()
		all.Wait()
	}
}

// TestSecretsAreGone looks for a secret in every byte that a sandbox can ever
// read, after the request that had it, by each way of restoring.
func TestSecretsAreGone(t *testing.T) {
	t.Parallel()
	probe, _, _ := modules(t)
	const secret = "SeCrEtOfOnePerson"
	for _, way := range []restoreWay{restoreByTrack, restoreByScan, restoreByPagemap, restoreByCopy} {
		t.Run(way.String(), func(t *testing.T) {
			t.Parallel()
			if way != restoreByCopy && tryWay(way) != nil {
				t.Logf("this kernel has no %s; the next way is tested in its place", way)
			}
			e := newEngine(t, func(o *Options) { o.Sandboxes, o.CopyImages = 1, way == restoreByCopy })
			e.way = max(e.way, way)
			h := load(t, e, probe)
			s := idle(h)
			for _, commands := range [][]string{
				{"/hide?" + secret}, {"/grow?12", "/hide?" + secret}, {"/hide?" + secret, "/grow?3", "/hide?" + secret, "/ok"},
			} {
				for _, command := range commands {
					mustAsk(t, h, command)
					if idle(h) != s {
						t.Fatalf("%s: the sandbox was replaced, so this shows nothing", command)
					}
				}
				if at := bytes.Index(reachable(s), []byte(secret)); at >= 0 {
					t.Fatalf("%v: the secret is at %d", commands, at)
				}
				checkPristine(t, fmt.Sprint(commands), s)
			}
		})
	}
}

// TestSecretIsThere makes sure that the search above would find something.
func TestSecretIsThere(t *testing.T) {
	t.Parallel()
	h := newProbe(t, nil)
	s := idle(h)
	s.begin(context.Background(), &Exchange{Request: Request{URI: "/hide?" + "PlainlyThere"}}, "", DefaultLimits, nil)
	if err := s.invoke(s.request); err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(reachable(s), []byte("PlainlyThere")) {
		t.Error("the memory of a sandbox in use does not hold what its request brought")
	}
	if _, err := s.reset(); err != nil || bytes.Contains(reachable(s), []byte("PlainlyThere")) {
		t.Errorf("the memory holds it after the reset too (%v)", err)
	}
}

// TestGrowthIsTakenBack checks that a sandbox which has grown much is as small
// as before at the next request.
func TestGrowthIsTakenBack(t *testing.T) {
	t.Parallel()
	h := newProbe(t, func(o *Options) { o.Sandboxes = 1 })
	s := idle(h)
	mustAsk(t, h, "/ok")
	before := s.memory.space.resident()
	for range 3 {
		if got := mustAsk(t, h, "/grow?24"); got != "24 MB" {
			t.Fatalf("the probe grew to %q", got)
		}
	}
	if after := s.memory.space.resident(); after > before+maxPrivatePages*4096 {
		t.Errorf("the sandbox has %d bytes of its own, before it grew %d", after, before)
	}
}

// TestRandomIsFresh checks that what is frozen is not the randomness that
// matters: each request draws other bytes.
func TestRandomIsFresh(t *testing.T) {
	t.Parallel()
	_, h := shared(t)
	seen := map[string]bool{}
	for range 50 {
		seen[mustAsk(t, h, "/random")] = true
	}
	if len(seen) != 50 {
		t.Errorf("50 requests drew %d different values", len(seen))
	}
}

// TestClock checks that guests have the real time and sleep as long as asked.
func TestClock(t *testing.T) {
	t.Parallel()
	_, h := shared(t)
	var unix, slept int64
	if _, err := fmt.Sscan(mustAsk(t, h, "/clock"), &unix, &slept); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(strconv.FormatInt(unix, 10), "1") || unix < 1_700_000_000 || slept < 20 {
		t.Errorf("the guest's clock says %d, and a sleep of 20 ms took %d ms", unix, slept)
	}
}
