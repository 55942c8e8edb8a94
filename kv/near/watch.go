package near

import (
	"context"
	"strings"

	"github.com/lectern-lms/lectern/kv"
)

// Watch implements [kv.Store]: the feed is the store's.
func (s *Store) Watch(ctx context.Context, under string, after kv.Revision) (kv.Feed, error) {
	if err := s.open(ctx); err != nil {
		return nil, err
	}
	if err := reserved(under); err != nil {
		return nil, err
	}
	feed, err := s.store.Watch(ctx, under, after)
	if err != nil || under != "" {
		return feed, err
	}
	return shown{feed}, nil
}

// shown is a feed of the whole store without this package's own keys.
type shown struct{ kv.Feed }

// Next implements [kv.Feed].
func (f shown) Next(ctx context.Context) (kv.Event, error) {
	for {
		ev, err := f.Feed.Next(ctx)
		if err != nil || !strings.HasPrefix(ev.Entry.Key, prefix) {
			return ev, err
		}
	}
}
