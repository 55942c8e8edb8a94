package near_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lectern-lms/lectern/kv"
	"github.com/lectern-lms/lectern/kv/near"
)

// modelKeys is how many keys the model has, each with one writer.
const modelKeys = 4

// model is a group of members with what was done to each key.
type model struct {
	t       *testing.T
	members []*near.Store
	nets    []*below
	keys    [modelKeys]history
	stop    context.Context
	reads   [3]int // answered, refused, at least as of a revision
	mu      sync.Mutex
}

// write makes operations on a key through random members, and fences most.
func (m *model) write(k int, rng *rand.Rand) {
	h, key := &m.keys[k], fmt.Sprint("k/", k)
	for m.stop.Err() == nil {
		i := rng.IntN(len(m.members))
		op := h.begin(rng.IntN(4) == 0)
		w := kv.Put(key, strconv.AppendInt(nil, int64(op), 10))
		if h.deletes[op] {
			w = kv.Delete(key)
		}
		ctx, cancel := context.WithTimeout(m.stop, 300*time.Millisecond)
		rev, err := m.members[i].Commit(ctx, nil, []kv.Write{w})
		cancel()
		if err == nil {
			h.acknowledged(op, i, rev)
		}
		if err == nil && rng.IntN(4) > 0 && m.members[i].Fence(m.stop, rev) == nil {
			h.mu.Lock()
			h.fenced = op
			h.mu.Unlock()
		}
		time.Sleep(time.Duration(rng.IntN(60)) * time.Millisecond)
	}
}

// read reads through random members and sees that nothing is too old.
func (m *model) read(rng *rand.Rand) {
	for m.stop.Err() == nil {
		i, k := rng.IntN(len(m.members)), rng.IntN(modelKeys)
		h, key := &m.keys[k], fmt.Sprint("k/", k)
		from, ctx, kind := h.oldest(i), m.stop, 0
		if rng.IntN(5) == 0 {
			op, rev := h.newest()
			from, ctx, kind = max(from, op), kv.AtLeast(ctx, rev), 2
		}
		begun := time.Now()
		value, err := m.value(ctx, i, key, rng.IntN(3) == 0)
		switch {
		case m.stop.Err() != nil:
			return
		case errors.Is(err, kv.ErrUnavailable):
			kind = 1
		case err != nil:
			m.t.Errorf("member %d, %s: %v", i, key, err)
		case !h.allows(value, from):
			m.t.Errorf("member %d (read of kind %d, took %v): %s is %q; the oldest allowed is operation %d of %d",
				i, kind, time.Since(begun), key, value, from, len(h.deletes))
		}
		m.mu.Lock()
		m.reads[kind]++
		m.mu.Unlock()
		time.Sleep(time.Duration(rng.IntN(6)) * time.Millisecond)
	}
}

// value reads a key by Get or by Scan, "" if it is absent.
func (m *model) value(ctx context.Context, member int, key string, scan bool) (string, error) {
	if !scan {
		e, err := m.members[member].Get(ctx, key)
		if errors.Is(err, kv.ErrNotFound) {
			err = nil
		}
		return string(e.Value), err
	}
	p, err := m.members[member].Scan(ctx, kv.Range{Prefix: "k/"})
	for _, e := range p.Entries {
		if e.Key == key {
			return string(e.Value), err
		}
	}
	return "", err
}

// disturb breaks the network of random members in all ways, one after another.
func (m *model) disturb(rng *rand.Rand) {
	for m.stop.Err() == nil {
		b := m.nets[rng.IntN(len(m.nets))]
		lasts := time.Duration(rng.IntN(3500)) * time.Millisecond
		switch rng.IntN(6) {
		case 0:
			b.lose()
		case 1:
			b.freeze()
		case 2:
			b.cutOff(m.t)
		case 3:
			b.set(func(b *below) { b.delay = func() time.Duration { return rand.N(30 * time.Millisecond) } })
		case 4:
			b.set(func(b *below) {
				b.gather = 200 * time.Millisecond
				b.delay = func() time.Duration { return 3 * time.Millisecond }
			})
		case 5:
			b.set(func(b *below) { b.uncertain = func() bool { return rand.IntN(4) == 0 } })
		}
		time.Sleep(lasts)
		b.heal()
		b.set(func(b *below) { b.delay, b.uncertain, b.gather = nil, nil, 0 })
		time.Sleep(time.Duration(rng.IntN(1500)) * time.Millisecond)
	}
}

// TestModel makes random commits through several members whose feeds are late,
// break and freeze, while readers compare what they see with what was done:
// after a commit and its fence nobody shows the old; nor, without the fence,
// the member that made it, nor anybody who is given its revision, nor anybody
// at all after a Lease.
func TestModel(t *testing.T) {
	for _, seed := range []uint64{1, uint64(time.Now().UnixNano())} {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			inGroup(t, 4, func(t *testing.T, members []*near.Store, nets []*below) {
				stop, cancel := context.WithTimeout(t.Context(), 60*time.Second)
				defer cancel()
				m := &model{t: t, members: members, nets: nets, stop: stop}
				for k := range m.keys {
					m.keys[k].own = make([]int, len(members))
					m.keys[k].begin(true)
				}
				for _, b := range nets {
					b.set(func(b *below) {
						b.late = func(key string) {
							switch n := rand.IntN(200); {
							case strings.HasPrefix(key, "near/"):
							case n == 0:
								time.Sleep(rand.N(2 * near.Lease))
							case n < 10:
								time.Sleep(rand.N(100 * time.Millisecond))
							}
						}
					})
				}
				var wg sync.WaitGroup
				source := rand.New(rand.NewPCG(seed, 1))
				start := func(n int, run func(i int, rng *rand.Rand)) {
					for i := range n {
						rng := rand.New(rand.NewPCG(source.Uint64(), source.Uint64()))
						wg.Go(func() { run(i, rng) })
					}
				}
				start(modelKeys, m.write)
				start(6, func(_ int, rng *rand.Rand) { m.read(rng) })
				start(2, func(_ int, rng *rand.Rand) { m.disturb(rng) })
				wg.Wait()
				hits := uint64(0)
				for _, s := range members {
					hits += s.Stats().Hits
				}
				t.Logf("reads: %d answered, %d refused, %d with a revision; %d from memory", m.reads[0], m.reads[1], m.reads[2], hits)
				if min(m.reads[0], m.reads[2]) < 1000 || m.reads[1] == 0 || hits < 1000 {
					t.Error("the test has gone blind: too little of something happened")
				}
			})
		})
	}
}
