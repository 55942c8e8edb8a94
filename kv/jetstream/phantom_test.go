package jetstream

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lectern-lms/lectern/kv"
)

// claim is a commit that was made because nothing under a prefix had changed
// from one revision to another.
type claim struct{ from, to kv.Revision }

// huntPhantoms lets writers add keys under a prefix, without any check, while
// others commit elsewhere only if nothing was added since they read it. Writers
// pause for up to pause between two keys. It returns how many keys came in
// between although a commit said that none did, and how many commits there
// were. It ends after that many commits, or in time.
func huntPhantoms(t *testing.T, stores []*Store, prefix string, pause time.Duration, enough int64) (phantoms, commits int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 40*time.Second)
	defer cancel()
	var done atomic.Int64
	end := time.Now().Add(8 * time.Second)
	hunting := func() bool { return done.Load() < enough && time.Now().Before(end) && ctx.Err() == nil }
	claims := make([][]claim, 2*len(stores))
	var wg sync.WaitGroup
	for i, s := range append(stores, stores...) {
		wg.Go(func() {
			for n := 0; hunting(); n++ {
				if _, err := s.Commit(ctx, nil, []kv.Write{kv.Put(fmt.Sprintf("%s%d-%d", prefix, i, n), nil)}); err != nil {
					t.Errorf("add a key: %v", err)
				}
				time.Sleep(rand.N(pause))
			}
		})
		wg.Go(func() {
			for hunting() {
				page, err := s.Scan(ctx, kv.Range{Prefix: prefix, Limit: 1})
				if err != nil {
					t.Errorf("Scan: %v", err)
					return
				}
				rev, err := s.Commit(ctx, []kv.Check{kv.PrefixUnchanged(prefix, page.Revision)}, []kv.Write{kv.Put(fmt.Sprint("log/", i), nil)})
				if err == nil {
					claims[i] = append(claims[i], claim{page.Revision, rev})
					done.Add(1)
				} else if !errors.Is(err, kv.ErrConflict) {
					t.Errorf("Commit: %v", err)
				}
			}
		})
	}
	wg.Wait()
	page, err := stores[0].Scan(ctx, kv.Range{Prefix: prefix})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range slices.Concat(claims...) {
		commits++
		for _, e := range page.Entries {
			if e.Revision > c.from && e.Revision < c.to {
				phantoms++
			}
		}
	}
	return phantoms, commits
}

// TestPhantomsOnCluster sees that a check on a prefix misses no write that is
// on its way to the replicas, whichever node it came by. The server's own check
// does miss some: without the pin the same hunt finds them. If it ever stops
// finding any, the server has learnt it, and the pin can go.
func TestPhantomsOnCluster(t *testing.T) {
	t.Parallel()
	c := startCluster(t, 3)
	stores := make([]*Store, 3)
	for i := range stores {
		stores[i] = c.open(i, Bucket{Name: "list"})
	}
	phantoms, commits := huntPhantoms(t, stores, "safe/", 400*time.Millisecond, 20)
	if phantoms != 0 || commits == 0 {
		t.Errorf("%d phantoms were missed by %d commits", phantoms, commits)
	}
	t.Logf("%d commits with the pin", commits)
	for _, s := range stores {
		s.pin = false
	}
	for end := time.Now().Add(20 * time.Second); phantoms == 0; {
		phantoms, commits = huntPhantoms(t, stores, "unsafe/", 10*time.Millisecond, 10)
		if time.Now().After(end) {
			t.Fatal("the hunt finds no phantom without the pin; the server's check seems to see writes in flight now")
		}
	}
	t.Logf("without the pin: %d phantoms, %d commits", phantoms, commits)
}
