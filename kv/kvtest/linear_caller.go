package kvtest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/lectern-lms/lectern/kv"
)

// linearCaller is one caller of Linearizable. It remembers what it has read,
// also when that is old, and makes checks of it: many of them must fail.
type linearCaller struct {
	h      *history
	store  kv.Store
	rand   *rand.Rand
	number int
	next   mark
	known  [linearGroups]linearKnown
	// lost counts the commits of unknown outcome. In the picture each of them
	// ends a line, since it overlaps all that follows.
	lost int
}

// linearKnown is what a caller knows of a group.
type linearKnown struct {
	seen      linearState // by single keys
	revisions [linearKeys]kv.Revision
	page      linearState // by a scan, if there was one
	pageRev   kv.Revision
	scanned   bool
}

// newLinearCaller makes the caller with this number. What it calls is decided
// by the seed and the number alone, as far as the answers are the same.
func newLinearCaller(h *history, number int) *linearCaller {
	return &linearCaller{
		h: h, store: h.load.Stores[number%len(h.load.Stores)], number: number,
		rand: rand.New(rand.NewPCG(h.load.Seed, uint64(number))), next: mark(number+1) << 20,
	}
}

// linearName is a key's name.
func linearName(group, key int) string { return linearPrefix(group) + string(rune('a'+key)) }

// linearPrefix is what the keys of a group begin with.
func linearPrefix(group int) string { return fmt.Sprint("lin/", group, "/") }

// work makes calls until there were enough.
func (c *linearCaller) work(ctx context.Context) {
	for n := 0; c.h.load.Until != nil || n < c.h.load.Calls; n++ {
		select {
		case <-c.h.load.Until:
			return
		default:
		}
		if ctx.Err() != nil {
			return
		}
		switch group, dice := c.rand.IntN(linearGroups), c.rand.IntN(10); {
		case dice < 3:
			c.get(ctx, group, c.rand.IntN(linearKeys))
		case dice < 5:
			c.scan(ctx, group)
		default:
			c.commit(ctx, group)
		}
		if c.h.load.Pause > 0 {
			time.Sleep(time.Duration(c.rand.Int64N(int64(2 * c.h.load.Pause))))
		}
	}
}

// line is the caller's line in the picture.
func (c *linearCaller) line() int { return c.number + c.lost*(c.h.load.Callers+1) }

// failed notes that a call gave an error, and leaves the store alone for a
// moment: the fewer outcomes are unknown, the quicker is the check.
func (c *linearCaller) failed(what string, err error) {
	c.h.failed(what, err)
	time.Sleep(linearRest + time.Duration(c.rand.Int64N(int64(linearRest))))
}

// get reads one key.
func (c *linearCaller) get(ctx context.Context, group, key int) {
	ctx, cancel := context.WithTimeout(ctx, c.h.load.Timeout)
	defer cancel()
	began := c.h.now()
	e, err := c.store.Get(ctx, linearName(group, key))
	if err != nil && !errors.Is(err, kv.ErrNotFound) {
		c.failed("Get", err)
		return
	}
	k := &c.known[group]
	k.seen[key], k.revisions[key] = c.read(e), e.Revision
	r := linearResult{}
	r.seen[key] = k.seen[key]
	c.h.add(c.line(), linearCall{group: group, kind: callGet, key: key}, began, r)
}

// read takes the mark out of an entry, zero if there is none.
func (c *linearCaller) read(e kv.Entry) mark {
	if e.Key == "" {
		return 0
	}
	n, err := strconv.ParseUint(string(e.Value), 10, 32)
	if err != nil || n == 0 {
		c.h.failed("read "+e.Key, fmt.Errorf("the value %.40q is none that was written", e.Value))
		return 0
	}
	c.h.at(mark(n), e.Revision)
	return mark(n)
}

// scan reads a group.
func (c *linearCaller) scan(ctx context.Context, group int) {
	ctx, cancel := context.WithTimeout(ctx, c.h.load.Timeout)
	defer cancel()
	began := c.h.now()
	page, err := c.store.Scan(ctx, kv.Range{Prefix: linearPrefix(group)})
	if err != nil {
		c.failed("Scan", err)
		return
	}
	k := linearKnown{pageRev: page.Revision, scanned: true}
	for _, e := range page.Entries {
		key := int(e.Key[len(e.Key)-1] - 'a')
		k.seen[key], k.revisions[key] = c.read(e), e.Revision
	}
	k.page = k.seen
	c.known[group] = k
	c.h.add(c.line(), linearCall{group: group, kind: callScan}, began, linearResult{seen: k.seen})
}

// commit makes up to two checks and one to three writes.
func (c *linearCaller) commit(ctx context.Context, group int) {
	ctx, cancel := context.WithTimeout(ctx, c.h.load.Timeout)
	defer cancel()
	call := linearCall{group: group, kind: callCommit, writes: map[int]mark{}}
	checks := c.check(group, &call)
	var writes []kv.Write
	last := mark(0)
	for _, key := range c.rand.Perm(linearKeys)[:1+c.rand.IntN(linearKeys)] {
		name := linearName(group, key)
		if last = 0; c.rand.IntN(6) == 0 {
			writes = append(writes, kv.Delete(name))
		} else {
			c.next++
			last = c.next
			writes = append(writes, kv.Put(name, strconv.AppendUint(nil, uint64(last), 10)))
		}
		call.writes[key] = last
	}
	began := c.h.now()
	rev, err := c.store.Commit(ctx, checks, writes)
	r := linearResult{conflict: errors.Is(err, kv.ErrConflict)}
	if err != nil && !r.conflict {
		r.unknown = true
	}
	c.h.add(c.line(), call, began, r)
	switch {
	case r.unknown:
		c.lost++
		c.failed("Commit", err)
	case err == nil && last != 0:
		c.h.at(last, rev)
	}
}

// check makes the checks of a commit from what the caller knows.
func (c *linearCaller) check(group int, call *linearCall) []kv.Check {
	var checks []kv.Check
	k := &c.known[group]
	for _, key := range c.rand.Perm(linearKeys)[:c.rand.IntN(3)] {
		call.checks = append(call.checks, linearCheck{key: key, seen: k.seen})
		checks = append(checks, kv.Unchanged(linearName(group, key), k.revisions[key]))
	}
	if k.scanned && c.rand.IntN(4) == 0 {
		call.checks = append(call.checks, linearCheck{prefix: true, seen: k.page})
		checks = append(checks, kv.PrefixUnchanged(linearPrefix(group), k.pageRev))
	}
	return checks
}
