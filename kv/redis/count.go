package redis

import (
	"context"
	"fmt"
)

// Count is how many keys the bucket has, tombstones left out. Values that have
// expired a moment ago may be among them.
func (s *Store) Count(ctx context.Context) (int64, error) {
	if err := s.ready(ctx); err != nil {
		return 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	c := s.conn.client
	index, due := s.keys[2], s.keys[4]
	results := c.DoMulti(ctx, c.B().Zcard().Key(index).Build(), c.B().Zcount().Key(due).Min("-inf").Max("(0").Build())
	all, err := results[0].AsInt64()
	if err != nil {
		return 0, explain(err)
	}
	tombstones, err := results[1].AsInt64()
	if err != nil {
		return 0, fmt.Errorf("redis: count the deletions: %w", explain(err))
	}
	return all - tombstones, nil
}
