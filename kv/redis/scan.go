package redis

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/lectern-lms/lectern/kv"
)

// Bounds of one step of a scan or a feed, so that no script holds up the
// server for more than a few milliseconds.
const (
	stepKeys  = 1000
	stepBytes = 4 << 20
)

// Scan implements [kv.Store].
func (s *Store) Scan(ctx context.Context, r kv.Range) (kv.Page, error) {
	if err := kv.CheckPrefix(r.Prefix); err != nil {
		return kv.Page{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, scanTimeout)
	defer cancel()
	step := newScan(r)
	for {
		a, err := s.ask(ctx, readTimeout, scanScript, step.args()...)
		if err != nil {
			return kv.Page{}, err
		}
		done := step.take(&a)
		if a.err != nil {
			return kv.Page{}, a.err
		}
		if done {
			return step.page(a), nil
		}
	}
}

// scan goes through a range in steps. Each step first brings what was read up
// to date, so that after the last all of it is one snapshot.
type scan struct {
	r         kv.Range
	from, to  string // the keys still to be read, as Redis writes bounds
	since     string // the revision of the last step, empty before the first
	last      string // the last key that was read
	some      bool   // a key was read
	entries   map[string]kv.Entry
	exhausted bool
}

// newScan begins before the first key of the range.
func newScan(r kv.Range) *scan {
	s := &scan{r: r, from: "-", to: "+", entries: map[string]kv.Entry{}}
	if r.Prefix != "" {
		s.from, s.to = "["+r.Prefix, "("+strings.TrimSuffix(r.Prefix, "/")+"0" // "0" follows "/"
	}
	if r.After >= r.Prefix && r.After != "" {
		s.from = "(" + r.After
	}
	return s
}

// args are the script's arguments for the next step.
func (s *scan) args() []string {
	keys := stepKeys
	if s.r.Limit > 0 {
		keys = min(keys, s.r.Limit+1)
	}
	return []string{s.r.Prefix, s.from, s.to, s.since, strconv.Itoa(keys), strconv.Itoa(stepBytes), strconv.Itoa(stepKeys)}
}

// take adds the answer of one step, and tells whether it was the last.
func (s *scan) take(a *answer) bool {
	complete := a.number(0) == 1
	s.since, _ = a.text(1)
	ended := a.number(2) == 1
	last, _ := a.text(3)
	for _, r := range a.records(4) {
		key := r.entry.Key
		switch {
		case key <= s.r.After || !s.some || key > s.last:
			// Not of the range, or still to be read.
		case r.kind == kv.EventPut:
			s.entries[key] = r.entry
		default:
			delete(s.entries, key)
		}
	}
	for _, r := range a.records(5) {
		s.entries[r.entry.Key] = r.entry
	}
	if last != "" {
		s.last, s.some, s.from = last, true, "("+last
	}
	s.exhausted = complete && ended
	return s.exhausted || complete && s.r.Limit > 0 && len(s.entries) > s.r.Limit
}

// page makes the page after the last step.
func (s *scan) page(a answer) kv.Page {
	page := kv.Page{Revision: kv.Revision(a.rev), Entries: make([]kv.Entry, 0, len(s.entries))}
	for _, e := range s.entries {
		page.Entries = append(page.Entries, e)
	}
	slices.SortFunc(page.Entries, func(a, b kv.Entry) int { return strings.Compare(a.Key, b.Key) })
	if s.r.Limit > 0 && len(page.Entries) > s.r.Limit {
		page.Entries, page.More = page.Entries[:s.r.Limit:s.r.Limit], true
	}
	return page
}
