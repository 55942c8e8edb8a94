package near

import (
	"context"
	"strings"

	"github.com/lectern-lms/lectern/kv"
)

// Scan implements [kv.Store]. Pages are kept for all prefixes but the empty
// one, under which something changes all the time.
func (s *Store) Scan(ctx context.Context, r kv.Range) (kv.Page, error) {
	if err := s.open(ctx); err != nil {
		return kv.Page{}, err
	}
	if err := kv.CheckPrefix(r.Prefix); err != nil {
		return kv.Page{}, err
	}
	if err := reserved(r.Prefix); err != nil {
		return kv.Page{}, err
	}
	if !s.keep(r.Prefix) && r.Prefix != "" {
		return s.scan(ctx, r)
	}
	if r.Prefix == "" {
		return s.scanAll(ctx, r)
	}
	least := kv.LeastRevision(ctx)
	for waited := false; ; waited = true {
		v := s.look(least)
		if !v.vouches {
			s.pages.tally.passes.Add(1)
			break
		}
		p, f := s.pages.lookup(r, v)
		if f == foundAnswer {
			if err := s.flights.read(ctx, r.Prefix, true, true); err != nil {
				return kv.Page{}, err
			}
			return clonePage(p), nil
		}
		if f == foundOlder && !waited && s.reaches(ctx, v.least) {
			continue
		}
		s.pages.tally.misses.Add(1)
		break
	}
	return s.fetchPage(ctx, r, least)
}

// fetchPage asks the store, together with others who want the same page.
func (s *Store) fetchPage(ctx context.Context, r kv.Range, least kv.Revision) (kv.Page, error) {
	for {
		if err := s.confirm(ctx, least); err != nil {
			return kv.Page{}, err
		}
		c, mine := s.pages.join(r, s.admits(least), s.newCall)
		if mine {
			defer close(c.done) // even if the store panics
			c.page, c.err = s.scan(ctx, r)
			c.spoilt = c.err != nil && ctx.Err() != nil
			s.pages.settle(r, c, s.term.Load)
			return c.page, c.err
		}
		s.pages.tally.joins.Add(1)
		if err := c.await(ctx); err != nil {
			return kv.Page{}, err
		}
		if !c.spoilt {
			return clonePage(c.page), c.err
		}
	}
}

// scan asks the store, and takes note of what the answer shows.
func (s *Store) scan(ctx context.Context, r kv.Range) (kv.Page, error) {
	p, err := s.store.Scan(ctx, r)
	if err != nil {
		return kv.Page{}, err
	}
	s.revealPage(p)
	return p, s.flights.read(ctx, r.Prefix, true, false)
}

// hidden is how many more entries than wanted are asked for at first, since
// those of this package are taken out.
const hidden = 64

// scanAll reads the whole store and leaves out this package's own keys.
func (s *Store) scanAll(ctx context.Context, r kv.Range) (kv.Page, error) {
	if s.keep("") {
		s.pages.tally.passes.Add(1)
		if err := s.confirm(ctx, kv.LeastRevision(ctx)); err != nil {
			return kv.Page{}, err
		}
	}
	ask := r
	for extra := hidden; ; extra *= 4 {
		if r.Limit > 0 {
			ask.Limit = r.Limit + extra
		}
		page, err := s.scan(ctx, ask)
		if err != nil {
			return kv.Page{}, err
		}
		shown := page.Entries[:0]
		for _, e := range page.Entries {
			if !strings.HasPrefix(e.Key, prefix) {
				shown = append(shown, e)
			}
		}
		page.Entries = shown
		switch {
		case r.Limit > 0 && len(shown) > r.Limit:
			page.Entries, page.More = shown[:r.Limit], true
			return page, nil
		case !page.More:
			return page, nil
		}
	}
}
