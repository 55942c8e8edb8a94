//go:build unix

package session

import (
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/lectern-lms/lectern/kv/near"
)

// slack is what a test allows above the lease: a busy machine of a test is
// slower than any that a site runs on.
const slack = 10 * time.Second

// wire is a proxy between a node and the store that can be cut: then nothing
// goes through, and nobody is told.
type wire struct {
	listener net.Listener
	target   string
	mu       sync.Mutex
	flows    *sync.Cond
	cut      bool
}

// newWire makes one to the store at a NATS URL; its own URL is in config.
func newWire(t *testing.T, store childConfig) (*wire, childConfig) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{listener: l, target: strings.TrimPrefix(store.URL, "nats://")}
	w.flows = sync.NewCond(&w.mu)
	t.Cleanup(func() { l.Close() })
	go w.accept()
	return w, childConfig{URL: "nats://" + l.Addr().String(), Token: store.Token}
}

// accept joins each connection with one to the store.
func (w *wire) accept() {
	for {
		near, err := w.listener.Accept()
		if err != nil {
			return
		}
		far, err := net.Dial("tcp", w.target)
		if err != nil {
			near.Close()
			continue
		}
		go w.pass(near, far)
		go w.pass(far, near)
	}
}

// pass copies one direction, and holds still while the wire is cut.
func (w *wire) pass(from, to net.Conn) {
	defer from.Close()
	defer to.Close()
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		w.mu.Lock()
		for w.cut {
			w.flows.Wait()
		}
		w.mu.Unlock()
		if _, werr := to.Write(buffer[:n]); err != nil || werr != nil {
			return
		}
	}
}

// set cuts or mends the wire.
func (w *wire) set(cut bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cut = cut
	w.flows.Broadcast()
}

// TestS4CutOffNodeVouchesForNobody cuts a node off and signs out on another:
// once that is answered, the one that is cut off takes nobody for signed in.
func TestS4CutOffNodeVouchesForNobody(t *testing.T) {
	t.Parallel()
	_, store := startStore(t, t.TempDir())
	w, through := newWire(t, store)
	a, b := startChild(t, through), startChild(t, store)
	c := b.must("sign in", Cookies{}).Cookies
	for range 3 {
		if r := a.must("load", c); r.User != "ann" {
			t.Fatalf("before the cut: %+v", r)
		}
	}
	w.set(true)
	began := time.Now()
	b.must("sign out", c)
	if took := time.Since(began); took > near.Lease+slack {
		t.Errorf("the sign-out took %v", took)
	}
	for range 3 {
		if r := a.ask("load", c); r.User != "" || r.Fault == "" {
			t.Errorf("the node that is cut off answers %+v", r)
		}
		if r := a.must("load", Cookies{}); r.User != "" {
			t.Errorf("a visitor gets %+v there", r)
		}
	}
	w.set(false)
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		r := a.ask("load", c)
		if r.User != "" {
			t.Fatalf("after the cut: %+v", r)
		}
		if r.Fault == "" {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("the node does not come back: %+v", r)
		}
	}
}

// TestS5KilledNodes kills each of three nodes in turn under load: only what
// was asked of the dead one fails, and no answer is wrong.
func TestS5KilledNodes(t *testing.T) {
	t.Parallel()
	_, store := startStore(t, t.TempDir())
	var mu sync.RWMutex
	nodes := make([]*child, 3)
	for i := range nodes {
		nodes[i] = startChild(t, store)
	}
	live, dead := nodes[0].must("sign in", Cookies{}).Cookies, nodes[1].must("sign in", Cookies{}).Cookies
	nodes[2].must("sign out", dead)
	var load sync.WaitGroup
	stop := make(chan struct{})
	faults, answers := make([]int, 6), make([]int, 6)
	for client := range faults {
		load.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				mu.RLock()
				node := nodes[rand.IntN(len(nodes))]
				mu.RUnlock()
				c, want := live, "ann"
				if rand.IntN(2) == 0 {
					c, want = dead, ""
				}
				switch r := node.ask([]string{"load", "change"}[rand.IntN(2)], c); {
				case strings.HasPrefix(r.Fault, gone):
					faults[client]++
				case r.Fault != "": // a clear refusal
				case r.User != want:
					t.Errorf("%q is taken for %q", want, r.User)
				default:
					answers[client]++
				}
			}
		})
	}
	for i := range nodes {
		time.Sleep(150 * time.Millisecond)
		mu.Lock()
		nodes[i].kill()
		nodes[i] = startChild(t, store)
		mu.Unlock()
	}
	time.Sleep(150 * time.Millisecond)
	close(stop)
	load.Wait()
	for client := range faults {
		if answers[client] == 0 || faults[client] > len(nodes) {
			t.Errorf("client %d got %d answers and %d faults, expected at most one for each of the %d kills", client, answers[client], faults[client], len(nodes))
		}
	}
	for _, node := range nodes {
		if r := node.must("load", live); r.User != "ann" {
			t.Errorf("afterwards: %+v", r)
		}
	}
}

// TestS6FrozenNodeVouchesForNobody stops a node with SIGSTOP, signs out on
// another, and lets the first go on: with a watcher of KV it would be blind for
// eighteen seconds.
func TestS6FrozenNodeVouchesForNobody(t *testing.T) {
	t.Parallel()
	_, store := startStore(t, t.TempDir())
	a, b := startChild(t, store), startChild(t, store)
	for name, end := range map[string]string{"sign-out": "sign out", "revocation": "revoke all"} {
		c := b.must("sign in", Cookies{}).Cookies
		if r := a.must("load", c); r.User != "ann" {
			t.Fatalf("%s: before it: %+v", name, r)
		}
		a.signal(syscall.SIGSTOP)
		began := time.Now()
		b.must(end, c)
		if took := time.Since(began); took > near.Lease+slack {
			t.Errorf("%s took %v", name, took)
		}
		// The question waits in the pipe, so it is the first thing that the
		// node sees when it wakes up.
		woken := make(chan reply, 1)
		go func() { woken <- a.ask("load", c) }()
		time.Sleep(100 * time.Millisecond)
		a.signal(syscall.SIGCONT)
		if r := <-woken; r.User != "" {
			t.Errorf("%s: the node that was frozen answers %+v", name, r)
		}
		for range 5 {
			if r := a.ask("load", c); r.User != "" {
				t.Errorf("%s: then it answers %+v", name, r)
			}
		}
	}
}

// TestS7RevocationsSurviveKillOfAll signs half of the sessions out, kills
// every process with SIGKILL while it works, and starts them again.
func TestS7RevocationsSurviveKillOfAll(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	server, store := startStore(t, dir)
	nodes := []*child{startChild(t, store), startChild(t, store)}
	var live, ended []Cookies
	enough := make(chan struct{})
	for i := range 60 {
		c := nodes[i%2].must("sign in", Cookies{}).Cookies
		live = append(live, c)
	}
	var wait sync.WaitGroup
	var mu sync.Mutex
	for i, node := range nodes {
		wait.Go(func() {
			for j := i; j < 30; j += 2 {
				if node.ask("sign out", live[j]).Fault == "" {
					mu.Lock()
					if ended = append(ended, live[j]); len(ended) == 5 {
						close(enough)
					}
					mu.Unlock()
				}
			}
		})
	}
	<-enough
	server.kill()
	for _, node := range nodes {
		node.kill()
	}
	wait.Wait()
	_, store = startStore(t, dir)
	node := startChild(t, store)
	for _, c := range ended {
		if r := node.must("load", c); r.User != "" {
			t.Errorf("a session whose sign-out was answered is %+v", r)
		}
	}
	for _, c := range live[30:] {
		if r := node.must("load", c); r.User != "ann" {
			t.Errorf("a session that nobody ended is %+v", r)
		}
	}
}
