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
func (p *pages) lookup(r kv.Range, v view) (kv.Page, found) {
	p.mu.RLock()
	var n *node[kept]
	if l := p.lists[r.Prefix]; l != nil {
		n = l.kept[span{r.After, r.Limit}]
	}
	p.mu.RUnlock()
	switch {
	case n == nil || !v.now.Before(n.value.until):
		return kv.Page{}, foundNothing
	case v.least > n.value.page.Revision && v.least > v.position:
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
