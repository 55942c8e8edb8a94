//go:build unix

package e2e

import (
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// clusterKey signs the cookies of the test's cluster.
const clusterKey = "SECRET_KEY=8d1f0a6e2b7c4935a0e6d4c1b2f39875"

// startNodes starts a site on three nodes, the first of them with two workers.
func startNodes(t *testing.T) []*site {
	t.Helper()
	peers := freeAddresses(t, 3)
	return startServers(t, 3, func(i int) []string {
		return []string{"LMS_NODE_NAME=" + fmt.Sprint("n", i), "LMS_CLUSTER_ADDR=" + peers[i], "LMS_CLUSTER_PEERS=" + strings.Join(peers, ",")}
	})
}

// startServers starts a site on n servers, the first of them with two workers;
// env gives what each needs to be one of them. They take one turn together.
func startServers(t *testing.T, n int, env func(i int) []string) []*site {
	t.Helper()
	sites <- struct{}{}
	t.Cleanup(func() { <-sites })
	nodes := make([]*site, n)
	for i := range nodes {
		nodes[i] = &site{t: t, dir: t.TempDir(), mayFail: []string{"the store failed"}, env: append(env(i),
			clusterKey, "LMS_DEBUG_ENDPOINTS=1", "LMS_REQUEST_TIMEOUT=3s", "LMS_WORKERS="+fmt.Sprint(2-min(i, 1)),
		)}
		if err := os.Symlink(filepath.Join(golden, "cache"), filepath.Join(nodes[i].dir, "cache")); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if nodes[i].process == nil {
				return
			}
			nodes[i].kill()
			if nodes[i].checkLog(); t.Failed() {
				t.Logf("the end of the log of node %d:\n%s", i, nodes[i].log.tail(15))
			}
		})
	}
	startTogether(nodes...)
	return nodes
}

// freeAddresses are addresses on the loopback interface that were free just
// now.
func freeAddresses(t *testing.T, n int) []string {
	t.Helper()
	addrs := make([]string, n)
	for i := range addrs {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		addrs[i] = l.Addr().String()
	}
	return addrs
}

// startTogether starts sites of one cluster, none of which serves alone.
func startTogether(nodes ...*site) {
	var wg sync.WaitGroup
	for _, n := range nodes {
		wg.Go(func() { n.start() })
	}
	wg.Wait()
}

// through is a person's browser on another node: with the same cookie.
func through(p *person, s *site) *person { return bearer(s, p.cookie()) }

// TestCluster is a site on three nodes. Who signs in on one is known on the
// others with the next request, and who signs out on one is known on none. A
// node is killed under load: the others go on, and while they elect a leader
// they say that they cannot tell, but never that somebody is somebody else.
// The node comes back, if it has the key, and has all that was acknowledged.
func TestCluster(t *testing.T) {
	t.Parallel()
	nodes := startNodes(t)
	inAndOut(t, nodes, 12)

	member := newMember(t, nodes[0], teacher, teacherPassword)
	load := newNodeLoad(t, nodes[1:])
	time.Sleep(500 * time.Millisecond)
	nodes[0].kill()
	load.awaitWrites(t, "writes after a node was killed")

	stranger := newProcess(nodes[0].dir, append(append([]string(nil), nodes[0].env...), "SECRET_KEY=another-key-than-the-other-nodes-have")...)
	if err := stranger.start(); err != nil {
		t.Fatal(err)
	}
	if _, ok := stranger.log.await(func(l logLine) bool { return strings.Contains(l.Message, "another SECRET_KEY") }, startLimit, stranger.ended); !ok {
		t.Errorf("a node with another key does not say so:\n%s", stranger.log.tail(10))
	}
	stranger.kill()

	nodes[0].start()
	through(member, nodes[0]).isKnownAs(t, teacher)
	load.awaitWrites(t, "writes after the node is back")
	load.finish(t, nodes[0])
	for i, n := range nodes {
		if status := n.terminate(); status != 0 {
			t.Errorf("node %d ended with status %d", i, status)
		}
	}
}

// inAndOut signs people in on one of three nodes, who must be known on all with
// the next request, and out on another, after whose answer none may know them.
func inAndOut(t *testing.T, nodes []*site, rounds int) {
	t.Helper()
	for round := range rounds {
		here := nodes[round%3]
		p := newMember(t, here, student, studentPassword)
		copies := []*person{through(p, nodes[(round+1)%3]), through(p, nodes[(round+2)%3])}
		for _, c := range copies {
			c.isKnownAs(t, student)
		}
		if a := copies[0].post(t, "/user/logout", nil); a.status != http.StatusSeeOther {
			t.Errorf("sign-out: status %d", a.status)
		}
		for _, c := range append(copies, p) {
			c.isKnownAs(t, "")
		}
	}
}

// nodeLoad are people who read and write on nodes until they are told to stop.
type nodeLoad struct {
	people []*learner
	paths  map[string][]string
	stop   chan struct{}
	wg     sync.WaitGroup
	// writes counts the acknowledged ones; away the answers that the site
	// cannot tell.
	writes, away atomic.Int64
}

// newNodeLoad lets one person work on each node.
func newNodeLoad(t *testing.T, nodes []*site) *nodeLoad {
	l := &nodeLoad{stop: make(chan struct{}), paths: map[string][]string{}}
	for i, who := range [][3]string{{admin, adminPassword, "lms-admin"}, {student, studentPassword, "Amina Okafor"}} {
		p := &learner{person: newMember(t, nodes[i%len(nodes)], who[0], who[1]), login: who[0], shown: who[2]}
		for _, code := range courses(t, p.person) {
			enrol(t, p.person, code)
			l.paths[code], _ = lessons(t, p.person, code)
		}
		l.people = append(l.people, p)
	}
	for _, p := range l.people {
		l.wg.Go(func() {
			for {
				for code, list := range l.paths {
					for _, path := range list {
						select {
						case <-l.stop:
							return
						default:
						}
						l.turn(t, p, code, path)
					}
				}
			}
		})
	}
	return l
}

// turn writes once and looks who the site takes the person for.
func (l *nodeLoad) turn(t *testing.T, p *learner, code, path string) {
	if a, ok := l.ask(t, p, http.MethodPost, path+"/complete", url.Values{}); ok {
		if a.status != http.StatusSeeOther || !strings.HasPrefix(a.header.Get("Location"), "/course/"+code+"/") {
			t.Errorf("%s completes %s: status %d, location %q", p.login, path, a.status, a.header.Get("Location"))
		}
		p.mu.Lock()
		p.done = append(p.done, path)
		p.mu.Unlock()
		l.writes.Add(1)
	}
	if a, ok := l.ask(t, p, http.MethodGet, "/home/panel", nil); ok && !strings.Contains(a.body, `aria-label="Account: `+p.shown+`"`) {
		t.Errorf("the panel of %s: status %d, location %q, without the name", p.login, a.status, a.header.Get("Location"))
	}
}

// ask makes a request, once. The site may answer that it cannot tell, in the
// form that people and machines understand.
func (l *nodeLoad) ask(t *testing.T, p *learner, method, path string, form url.Values) (answer, bool) {
	a, err := p.send(method, path, form, nil)
	switch {
	case err != nil:
		t.Errorf("%s %s by %s: %v", method, path, p.login, err)
	case a.status == http.StatusServiceUnavailable:
		if l.away.Add(1); a.header.Get("Retry-After") == "" {
			t.Errorf("%s %s: 503 without Retry-After", method, path)
		}
	case a.status != http.StatusOK && a.status != http.StatusSeeOther:
		t.Errorf("%s %s by %s: status %d", method, path, p.login, a.status)
	default:
		return a, true
	}
	return a, false
}

// awaitWrites waits until some more writes were acknowledged.
func (l *nodeLoad) awaitWrites(t *testing.T, what string) {
	t.Helper()
	from := l.writes.Load()
	eventually(t, what, func() bool { return l.writes.Load() >= from+10 })
}

// finish ends the load and sees that the node has every acknowledged write.
func (l *nodeLoad) finish(t *testing.T, n *site) {
	t.Helper()
	close(l.stop)
	l.wg.Wait()
	for _, p := range l.people {
		there := *p.person
		there.site = n
		p.person = &there
		p.checkWrites(t, l.paths)
	}
	t.Logf("%d acknowledged writes, %d answers that the site cannot tell", l.writes.Load(), l.away.Load())
}
