package transaction

import (
	"slices"
	"testing"

	"github.com/lectern-lms/lectern/guest/abi"
)

// behind makes a transaction of a handler that may write front/, and its part
// for one behind that may write back/ and read front/.
func behind(w *world, safe bool) (front, back *Tx) {
	scope := w.scope()
	scope.Manifest = &abi.Manifest{Name: "front", Write: []string{"front/"}}
	front = w.Begin(scope)
	m := &abi.Manifest{Name: "back", Write: []string{"back/"}, Read: []string{"front/"}, Rights: []string{abi.RightSignIn}}
	return front, front.Behind(m, "POST /back/{x}", []abi.Field{{Name: "x", Value: "y"}}, safe)
}

// TestBehindHasItsOwnRights lets each of two handlers do what its manifest
// says, and sees what the other did in the same request.
func TestBehindHasItsOwnRights(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	front, back := behind(w, false)
	must(t, front, abi.OpPut, put("front/a", "1"))
	must(t, back, abi.OpPut, put("back/a", "2"))
	for _, refused := range []struct {
		tx  *Tx
		key string
	}{{front, "back/a"}, {back, "front/a"}, {back, "write/a"}} {
		if status, _ := refused.tx.Call(t.Context(), abi.OpPut, put(refused.key, "3")); status != abi.StatusDenied {
			t.Errorf("%s writes %s: status %d", refused.tx.scope.Manifest.Name, refused.key, status)
		}
	}
	if r := must(t, back, abi.OpGet, text("front/a")); !r.Bool() || string(r.Bytes()) != "1" {
		t.Error("the handler behind does not see what this request has written")
	}
	if r := must(t, back, abi.OpRoute, nil); r.String() != "POST /back/{x}" || !slices.Equal(r.Fields(), []abi.Field{{Name: "x", Value: "y"}}) {
		t.Error("the handler behind has another route")
	}
	if r := must(t, front, abi.OpRoute, nil); r.String() != "POST /suite" {
		t.Error("the handler in front has lost its route")
	}
	must(t, back, abi.OpSignIn, text("l", "p"))
	if r := must(t, front, abi.OpSignedIn, nil); !r.Bool() {
		t.Error("the handler in front does not see that the reader has signed in")
	}
	if front.Effects() == nil || len(front.Facts()) != len(back.Facts()) || len(front.Effects()) != len(back.Effects()) {
		t.Error("the two have not the same facts and effects")
	}
	w.commit(front)
	if w.value("front/a") != "1" || w.value("back/a") != "2" {
		t.Errorf("stored %q and %q", w.value("front/a"), w.value("back/a"))
	}
}

// TestBehindIsCheckedToo finds that a record which only the handler behind has
// read was changed.
func TestBehindIsCheckedToo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.put("front/b", "old")
	front, back := behind(w, false)
	must(t, front, abi.OpPut, put("front/a", "1"))
	must(t, back, abi.OpGet, text("front/b"))
	w.put("front/b", "new")
	if _, err := front.Commit(t.Context()); err == nil || w.value("front/a") != "-" {
		t.Errorf("error %v, stored %q", err, w.value("front/a"))
	}
}

// TestSafeStaysSafe refuses writes behind, whichever of the two methods is a
// safe one.
func TestSafeStaysSafe(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	scope := w.scope()
	scope.Safe = true
	for name, tx := range map[string]*Tx{
		"GET made a POST": w.Begin(scope).Behind(scope.Manifest, "POST /suite", nil, false),
		"POST made a GET": w.Begin(w.scope()).Behind(scope.Manifest, "GET /suite", nil, true),
	} {
		if status, _ := tx.Call(t.Context(), abi.OpPut, put("write/a", "1")); status != abi.StatusReadOnly {
			t.Errorf("%s: status %d", name, status)
		}
	}
}

// TestSpoil stores nothing of a request in which a handler failed, neither
// what was wanted before nor after, nor the session.
func TestSpoil(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	front, back := behind(w, false)
	must(t, front, abi.OpPut, put("front/a", "1"))
	must(t, front, abi.OpSessionSet, text("a", "b"))
	must(t, back, abi.OpSignIn, text("l", "p"))
	back.Spoil()
	for _, tx := range []*Tx{front, back} {
		if !tx.Spoilt() || len(tx.Effects()) > 0 {
			t.Errorf("spoilt %t, effects %v", tx.Spoilt(), tx.Effects())
		}
	}
	for op, message := range map[abi.Op]abi.Writer{
		abi.OpPut: put("front/a", "2"), abi.OpDelete: text("front/a"), abi.OpSessionSet: text("a", "c"), abi.OpNotify: text("x"),
	} {
		if status, _ := front.Call(t.Context(), op, message); status != abi.StatusReadOnly {
			t.Errorf("operation %d after it: status %d", op, status)
		}
	}
	must(t, front, abi.OpNotices, nil)
	cookie, err := front.Commit(t.Context())
	if err != nil || cookie != nil || w.value("front/a") != "-" {
		t.Errorf("cookie %v, error %v, stored %q", cookie, err, w.value("front/a"))
	}
}
