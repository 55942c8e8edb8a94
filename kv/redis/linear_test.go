package redis_test

import (
	"testing"
	"time"

	"github.com/lectern-lms/lectern/kv"
	"github.com/lectern-lms/lectern/kv/kvtest"
	"github.com/lectern-lms/lectern/kv/redis"
	"github.com/lectern-lms/lectern/kv/redis/redistest"
)

// trouble is what happens to a server and the ways to it while callers work.
var trouble = map[string]func(srv *redistest.Server, ways []*redistest.Proxy){
	"killed": func(srv *redistest.Server, _ []*redistest.Proxy) { srv.Restart() },
	"cut off": func(_ *redistest.Server, ways []*redistest.Proxy) {
		for _, p := range ways {
			p.Cut()
		}
	},
	"answers lost": func(_ *redistest.Server, ways []*redistest.Proxy) {
		ways[0].LoseAnswer("EVALSHA")
		ways[1].LoseAnswer("EVALSHA")
	},
	"frozen": func(srv *redistest.Server, _ []*redistest.Proxy) {
		srv.Freeze()
		time.Sleep(50 * time.Millisecond)
		srv.Thaw()
	},
	"scripts flushed": func(srv *redistest.Server, _ []*redistest.Proxy) { srv.Do("SCRIPT", "FLUSH") },
}

// TestLinearizableInTrouble lets callers of two processes read and write while
// something goes wrong over and over: an order must explain every answer, and
// no write that was acknowledged may be lost.
func TestLinearizableInTrouble(t *testing.T) {
	t.Parallel()
	for name, happens := range trouble {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := redistest.Start(t, "--appendonly", "yes", "--appendfsync", "always")
			ways := []*redistest.Proxy{redistest.NewProxy(t, srv.Addr()), redistest.NewProxy(t, srv.Addr())}
			var stores []kv.Store
			for _, p := range ways {
				stores = append(stores, open(t, connect(t, p.URL()), redis.Bucket{Name: "b"}))
			}
			until := make(chan struct{})
			go func() {
				defer close(until)
				for range 6 {
					time.Sleep(150 * time.Millisecond)
					happens(srv, ways)
				}
			}()
			kvtest.Linearizable(t, kvtest.Load{Stores: stores, Until: until, Pause: 3 * time.Millisecond})
		})
	}
}
