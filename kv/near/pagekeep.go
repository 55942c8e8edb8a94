package near

import (
	"strings"

	"github.com/lectern-lms/lectern/kv"
)

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
