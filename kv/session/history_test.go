package session

import (
	"cmp"
	"errors"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/lectern-lms/lectern/kv"
	"github.com/lectern-lms/lectern/kv/jetstream"
	"github.com/lectern-lms/lectern/kv/memory"
	"github.com/lectern-lms/lectern/kv/near"
)

// The calls in a history of one session.
const (
	callSignIn = iota
	callLoad
	callChange
	callSignOut
)

// sessionCall is one call; number says of which session, seen by which node.
type sessionCall struct{ number, kind int }

// historyNodes is how many nodes there are.
const historyNodes = 3

// The states of a session in the model.
const (
	unborn = iota
	alive
	ended
)

// sessionModel says what a session is to whoever asks, on any node: its user's
// from the sign-in on, and nobody's from the sign-out on. The output of a call
// is whether it met a live session.
var sessionModel = porcupine.Model{
	Partition: func(all []porcupine.Operation) [][]porcupine.Operation {
		var parts [][]porcupine.Operation
		for _, op := range all {
			n := op.Input.(sessionCall).number
			for len(parts) <= n {
				parts = append(parts, nil)
			}
			parts[n] = append(parts[n], op)
		}
		return parts
	},
	Init: func() any { return unborn },
	Step: func(state, input, output any) (bool, any) {
		switch now, met := state.(int), output.(bool); input.(sessionCall).kind {
		case callSignIn:
			return now == unborn, alive
		case callSignOut:
			return now != unborn, ended
		default:
			return met == (now == alive), now
		}
	},
}

// recorder gathers a history.
type recorder struct {
	mu    sync.Mutex
	start time.Time
	all   []porcupine.Operation
}

// note runs a call of session n on a node and records it, for all nodes if node
// is negative. A call that failed says nothing and is not recorded.
func (r *recorder) note(n, node, client, kind int, run func() (met bool, err error)) {
	began := time.Since(r.start).Nanoseconds()
	met, err := run()
	ended := time.Since(r.start).Nanoseconds()
	if err != nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range historyNodes {
		if node < 0 || node == i {
			r.all = append(r.all, porcupine.Operation{
				ClientId: n*100 + i*10 + client, Input: sessionCall{n*historyNodes + i, kind}, Call: began, Output: met, Return: ended,
			})
		}
	}
}

// TestS12HistoriesAreLinearizable signs in and out on three nodes, each with
// its own cache, while others ask all of them. For each node there must be one
// order of its calls, and of all sign-ins and sign-outs, that explains every
// answer; so an end holds on all nodes from its answer on. (While a sign-out
// is under way, one node may know of it earlier than another.)
func TestS12HistoriesAreLinearizable(t *testing.T) {
	t.Parallel()
	t.Run("memory", func(t *testing.T) {
		t.Parallel()
		store := memory.New()
		t.Cleanup(func() { store.Close() })
		testHistories(t, func() kv.Store { return unclosed{store} })
	})
	t.Run("jetstream", func(t *testing.T) {
		t.Parallel()
		server, err := jetstream.StartServer(jetstream.ServerOptions{Dir: t.TempDir(), Name: "test", Logger: quiet})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(server.Shutdown)
		testHistories(t, func() kv.Store {
			nc, err := server.Connect("node")
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(nc.Close)
			store, err := jetstream.Open(t.Context(), nc, jetstream.Bucket{Name: "sessions", Logger: quiet})
			if err != nil {
				t.Fatal(err)
			}
			return store
		})
	})
}

// unclosed lets several caches share a store in memory.
type unclosed struct{ kv.Store }

// Close does nothing.
func (unclosed) Close() error { return nil }

// testHistories records and judges one run.
func testHistories(t *testing.T, open func() kv.Store) {
	const sessions, askers = 40, 6
	var nodes []*Manager
	for range historyNodes {
		cached := near.New(open(), near.Options{Logger: quiet})
		t.Cleanup(func() { cached.Close() })
		m, err := NewManager(cached, Config{Keys: [][]byte{testKey}, Limit: maxLimit, Logger: quiet})
		if err != nil {
			t.Fatal(err)
		}
		nodes = append(nodes, m)
	}
	r := &recorder{start: time.Now()}
	var wait sync.WaitGroup
	for n := range sessions {
		wait.Go(func() {
			time.Sleep(rand.N(200 * time.Millisecond))
			c := r.signIn(t, n, nodes[n%3])
			var asking sync.WaitGroup
			for asker := range askers {
				asking.Go(func() { r.ask(t, n, 1+asker, nodes, c) })
			}
			time.Sleep(rand.N(60 * time.Millisecond))
			r.signOut(t, n, nodes[(n+1)%3], c)
			r.ask(t, n, 0, nodes, c)
			asking.Wait()
		})
	}
	wait.Wait()
	if t.Failed() {
		return
	}
	if result := porcupine.CheckOperationsTimeout(sessionModel, r.all, 20*time.Second); result != porcupine.Ok {
		t.Errorf("the history of %d calls is %s", len(r.all), result)
		tell(t, r.all)
	}
}

// tell logs the calls of each session that no order explains.
func tell(t *testing.T, all []porcupine.Operation) {
	for _, part := range sessionModel.Partition(all) {
		if porcupine.CheckOperations(porcupine.Model{Init: sessionModel.Init, Step: sessionModel.Step}, part) {
			continue
		}
		slices.SortFunc(part, func(a, b porcupine.Operation) int { return cmp.Compare(a.Call, b.Call) })
		for _, op := range part {
			t.Logf("%d to %d ns, client %d, %+v: %v", op.Call, op.Return, op.ClientId, op.Input, op.Output)
		}
	}
}

// signIn records a sign-in and gives the cookies.
func (r *recorder) signIn(t *testing.T, n int, m *Manager) (c Cookies) {
	r.note(n, -1, 0, callSignIn, func() (bool, error) {
		return true, insist(t, func() error {
			s := &Session{}
			s.SignIn("ann", 0)
			list, err := m.Save(t.Context(), s)
			if err == nil {
				c.Session = list[0].Value
			}
			return err
		})
	})
	return c
}

// signOut records a sign-out.
func (r *recorder) signOut(t *testing.T, n int, m *Manager, c Cookies) {
	r.note(n, -1, 0, callSignOut, func() (bool, error) {
		var s *Session
		err := insist(t, func() (err error) { s, err = m.Load(t.Context(), c); return err })
		if err != nil {
			return false, err
		}
		s.SignOut()
		return true, insist(t, func() error { return saveError(m.Save(t.Context(), s)) })
	})
}

// insist tries again while the store cannot be reached: on a busy machine the
// caches refuse to answer rather than to guess.
func insist(t *testing.T, do func() error) error {
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		err := do()
		if err == nil {
			return nil
		}
		if !errors.Is(err, kv.ErrUnavailable) || time.Now().After(end) {
			t.Error(err)
			return err
		}
	}
}

// saveError is the error of Save.
func saveError(_ []*http.Cookie, err error) error { return err }

// ask records some requests on changing nodes, of which some change a value.
func (r *recorder) ask(t *testing.T, n, client int, nodes []*Manager, c Cookies) {
	for range 8 {
		node, changing := rand.IntN(len(nodes)), rand.IntN(3) == 0
		m := nodes[node]
		kind := callLoad
		if changing {
			kind = callChange
		}
		r.note(n, node, client, kind, func() (bool, error) {
			s, err := m.Load(t.Context(), c)
			if err != nil {
				return false, err
			}
			if s.User() == "" || !changing {
				return s.User() != "", nil
			}
			if err := s.Update("count", increment); err != nil {
				t.Error(err)
			}
			err = saveError(m.Save(t.Context(), s))
			if errors.Is(err, ErrEnded) {
				return false, nil
			}
			return true, err
		})
		time.Sleep(rand.N(10 * time.Millisecond))
	}
}

// TestS12FindsAFault makes sure that the judge would see a node that takes an
// ended session for live.
func TestS12FindsAFault(t *testing.T) {
	t.Parallel()
	op := func(kind int, met bool, from, to int64) porcupine.Operation {
		return porcupine.Operation{Input: sessionCall{0, kind}, Output: met, Call: from, Return: to}
	}
	for name, history := range map[string][]porcupine.Operation{
		"live after the end":       {op(callSignIn, true, 0, 1), op(callSignOut, true, 2, 3), op(callLoad, true, 4, 5)},
		"dead before the end":      {op(callSignIn, true, 0, 1), op(callLoad, false, 2, 3), op(callSignOut, true, 4, 5)},
		"dead, then live":          {op(callSignIn, true, 0, 1), op(callSignOut, true, 2, 9), op(callLoad, false, 3, 4), op(callLoad, true, 5, 6)},
		"changed after the end":    {op(callSignIn, true, 0, 1), op(callSignOut, true, 2, 3), op(callChange, true, 4, 5)},
		"nobody right at sign-in":  {op(callSignIn, true, 0, 1), op(callLoad, false, 2, 3)},
		"live before the sign-out": nil,
	} {
		want := name == "live before the sign-out"
		if want {
			history = []porcupine.Operation{op(callSignIn, true, 0, 1), op(callLoad, true, 2, 3), op(callSignOut, true, 4, 5), op(callLoad, false, 6, 7)}
		}
		if got := porcupine.CheckOperations(sessionModel, history); got != want {
			t.Errorf("%s: judged %v", name, got)
		}
	}
}
