package near

import (
	"strings"
	"sync"
	"time"

	"github.com/lectern-lms/lectern/kv"
)

const (
	// pageAge is how long a page is kept at most. Stores take a page's revision
	// in a check only while they remember all deletions since.
	pageAge = kv.TombstoneAge / 2
	// pageCost and entryCost are what a page and each of its entries take
	// beside keys and values.
	pageCost, entryCost = 320, 96
)

// span is what a Scan asks for under a prefix.
type span struct {
	after string
	limit int
}

// kept is one page that is kept.
type kept struct {
	prefix string
	span   span
	page   kv.Page   // never changed
	until  time.Time // when an entry expires, or the page is too old
}

// listing is what is known of one prefix.
type listing struct {
	kept  map[span]*node[kept]
	calls map[span]*call
}

// pages keeps answers to Scan. Any change under a prefix drops its pages.
type pages struct {
	mu    sync.RWMutex
	lists map[string]*listing
	order sieve[kept]
	limit int64
	tally tally
	count *counts
}

// init prepares an empty set.
func (p *pages) init(limit int64, count *counts) {
	p.lists, p.limit, p.count = map[string]*listing{}, limit, count
}

// lookup returns what is kept for a range; see shard.lookup.
func (p *pages) lookup(r kv.Range, v view, least kv.Revision) (kv.Page, found) {
	p.mu.RLock()
	var n *node[kept]
	if l := p.lists[r.Prefix]; l != nil {
		n = l.kept[span{r.After, r.Limit}]
	}
	p.mu.RUnlock()
	switch {
	case n == nil || !v.now.Before(n.value.until):
		return kv.Page{}, foundNothing
	case least > n.value.page.Revision && least > v.position:
		return kv.Page{}, foundOlder
	}
	n.visit()
	p.tally.hits.Add(1)
	return n.value.page, foundAnswer
}

// changed drops the pages and spoils the calls that a change of a key at a
// revision makes stale.
func (p *pages) changed(key string, rev kv.Revision) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.lists) == 0 {
		return
	}
	for i := range len(key) {
		if key[i] == '/' {
			p.stale(key[:i+1], rev)
		}
	}
}

// distrust drops the pages of a prefix whatever their revision.
func (p *pages) distrust(prefix string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stale(prefix, unknowable)
}

// stale drops the pages of one prefix that are older than a revision.
func (p *pages) stale(prefix string, rev kv.Revision) {
	l := p.lists[prefix]
	if l == nil {
		return
	}
	for _, c := range l.calls {
		c.newest = max(c.newest, rev)
	}
	for _, n := range l.kept {
		if n.value.page.Revision < rev {
			p.drop(n)
		}
	}
}

// join is shard.join for pages.
func (p *pages) join(r kv.Range, admits func(*call) bool, begin func() *call) (c *call, mine bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	l := p.lists[r.Prefix]
	if l == nil {
		l = &listing{kept: map[span]*node[kept]{}, calls: map[span]*call{}}
		p.lists[strings.Clone(r.Prefix)] = l
	}
	what := span{strings.Clone(r.After), r.Limit}
	if c = l.calls[what]; c != nil && admits(c) {
		return c, false
	}
	c = begin()
	l.calls[what] = c
	return c, true
}

// settle is shard.settle for pages.
func (p *pages) settle(r kv.Range, c *call, term func() uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	what := span{strings.Clone(r.After), r.Limit}
	l := p.lists[r.Prefix]
	if l == nil || l.calls[what] != c {
		c.newest = unknowable // another call took its place and was told of changes
	} else {
		delete(l.calls, what)
		defer p.tidy(r.Prefix, l)
	}
	if c.err != nil || !live(c.term) || c.term != term() || c.newest > c.page.Revision {
		return
	}
	if old := l.kept[what]; old != nil {
		if old.value.page.Revision > c.page.Revision {
			return
		}
		p.drop(old)
	}
	n := newKept(r.Prefix, what, c)
	if n.size > p.limit/itemShare {
		return
	}
	p.lists[n.value.prefix] = l // a drop may have taken it out
	l.kept[what] = n
	p.order.add(n)
	for p.order.bytes > p.limit {
		p.drop(p.order.victim())
		p.count.evictions.Add(1)
	}
}

// newKept makes the page that a call has read ready to be kept.
func newKept(prefix string, what span, c *call) *node[kept] {
	k := kept{prefix: strings.Clone(prefix), span: what, page: clonePage(c.page), until: c.begun.Add(pageAge)}
	n := &node[kept]{size: pageCost}
	for _, e := range k.page.Entries {
		n.size += int64(len(e.Key)+len(e.Value)) + entryCost
		if !e.Expires.IsZero() && e.Expires.Before(k.until) {
			k.until = e.Expires
		}
	}
	n.value = k
	return n
}

// drop takes a page out.
func (p *pages) drop(n *node[kept]) {
	l := p.lists[n.value.prefix]
	delete(l.kept, n.value.span)
	p.order.remove(n)
	p.tidy(n.value.prefix, l)
}

// tidy forgets a prefix of which nothing is known.
func (p *pages) tidy(prefix string, l *listing) {
	if len(l.kept)+len(l.calls) == 0 {
		delete(p.lists, prefix)
	}
}

// clear drops every page. Calls stay, so that they are told of changes.
func (p *pages) clear() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, l := range p.lists {
		clear(l.kept)
	}
	for prefix, l := range p.lists {
		p.tidy(prefix, l)
	}
	p.order = sieve[kept]{}
}

// clonePage copies a page, all its values into one piece of memory.
func clonePage(p kv.Page) kv.Page {
	total := 0
	for _, e := range p.Entries {
		total += len(e.Value)
	}
	buf := make([]byte, 0, total)
	out := p
	out.Entries = make([]kv.Entry, len(p.Entries))
	for i, e := range p.Entries {
		start := len(buf)
		buf = append(buf, e.Value...)
		e.Value = buf[start:len(buf):len(buf)] // so that appending to one leaves the next alone
		out.Entries[i] = e
	}
	return out
}
