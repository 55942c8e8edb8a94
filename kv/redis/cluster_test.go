package redis_test

import (
	"strings"
	"testing"
	"time"

	"github.com/lectern-lms/lectern/kv"
	"github.com/lectern-lms/lectern/kv/kvtest"
	"github.com/lectern-lms/lectern/kv/redis"
	"github.com/lectern-lms/lectern/kv/redis/redistest"
)

// TestCluster runs the suite of all adapters on a Redis Cluster of three nodes;
// the buckets are spread over them.
func TestCluster(t *testing.T) {
	t.Parallel()
	nodes := redistest.StartCluster(t, 3)
	c := connect(t, nodes[0].URL())
	kvtest.Run(t, func(t *testing.T) kv.Store { return open(t, c, redis.Bucket{}) })
}

// TestClusterMovesBucket moves a bucket to another node while it is used:
// nothing is lost, and the feed goes on.
func TestClusterMovesBucket(t *testing.T) {
	t.Parallel()
	nodes := redistest.StartCluster(t, 2)
	c := connect(t, nodes[0].URL())
	s := open(t, c, redis.Bucket{Name: "moving"})
	rev := put(t, s, "a", "1")
	f := watch(t, s, rev)
	from, to := nodes[0], nodes[1]
	if !strings.Contains(from.Do("KEYS", "*"), "moving") {
		from, to = to, from
	}
	redistest.MoveSlot(t, from, to, "{lectern:moving}:meta", func() {
		// Neither node has all of the bucket now.
		_, err := s.Commit(within(t, 300*time.Millisecond), nil, []kv.Write{kv.Put("a", []byte("never"))})
		fails(t, "Commit in the middle of the move", err, kv.ErrUnavailable)
	})
	wants(t, s, "a", "1")
	put(t, s, "a", "2", kv.Unchanged("a", rev))
	if ev := next(t, f, "a"); string(ev.Entry.Value) != "2" {
		t.Errorf("the feed delivered %+v", ev)
	}
}
