package near

import (
	"context"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/lectern-lms/lectern/kv"
)

// reveal notes that somebody is shown a revision. From then on nothing older is
// answered from memory: it would seem to others that time went back.
func (s *Store) reveal(rev kv.Revision) {
	for {
		old := s.shown.Load()
		if uint64(rev) <= old || s.shown.CompareAndSwap(old, uint64(rev)) {
			return
		}
	}
}

// revealPage is reveal for all entries of a page. Its own revision is not
// taken, since no change need ever come that reaches it.
func (s *Store) revealPage(p kv.Page) {
	newest := kv.Revision(0)
	for _, e := range p.Entries {
		newest = max(newest, e.Revision)
	}
	s.reveal(newest)
}

// flight is a commit of this process that is under way.
type flight struct {
	writes []kv.Write
	done   chan struct{}
}

// flights are all of them. An answer may show what one of them has done and yet
// not tell the revision from which on all of it is seen: a key is absent, a
// check has failed, or the feed has brought one key of several. Such an answer
// is held back until the commit's revision is known.
type flights struct {
	mu   sync.Mutex
	set  map[*flight]struct{}
	many atomic.Int32 // those with several writes
}

// begin notes a commit, until end.
func (f *flights) begin(writes []kv.Write) *flight {
	c := &flight{writes: writes, done: make(chan struct{})}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.set == nil {
		f.set = map[*flight]struct{}{}
	}
	f.set[c] = struct{}{}
	if len(writes) > 1 {
		f.many.Add(1)
	}
	return c
}

// end says that the commit's revision was noted, or that it failed.
func (f *flights) end(c *flight) {
	f.mu.Lock()
	delete(f.set, c)
	f.mu.Unlock()
	if len(c.writes) > 1 {
		f.many.Add(-1)
	}
	close(c.done)
}

// read holds back the answer to a read of a key, or of a prefix, that may show
// a commit in part; sure says that it shows no deletion.
func (f *flights) read(ctx context.Context, path string, isPrefix, sure bool) error {
	if sure && f.many.Load() == 0 {
		return nil
	}
	return f.await(ctx, func(c *flight) bool {
		return (!sure || len(c.writes) > 1) && slices.ContainsFunc(c.writes, func(w kv.Write) bool { return covers(path, isPrefix, w.Key) })
	})
}

// failed holds back the news that one of the checks has failed.
func (f *flights) failed(ctx context.Context, checks []kv.Check) error {
	return f.await(ctx, func(c *flight) bool {
		return slices.ContainsFunc(c.writes, func(w kv.Write) bool {
			return slices.ContainsFunc(checks, func(k kv.Check) bool { return covers(k.Key, k.IsPrefix, w.Key) })
		})
	})
}

// await waits for the commits of a kind that are under way.
func (f *flights) await(ctx context.Context, kind func(*flight) bool) error {
	f.mu.Lock()
	var wait []*flight
	for c := range f.set {
		if kind(c) {
			wait = append(wait, c)
		}
	}
	f.mu.Unlock()
	for _, c := range wait {
		select {
		case <-c.done:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// covers tells whether a key is a path, or lies under it.
func covers(path string, isPrefix bool, key string) bool {
	return key == path || isPrefix && strings.HasPrefix(key, path)
}
