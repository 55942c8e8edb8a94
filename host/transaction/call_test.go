package transaction

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/lectern-lms/lectern/guest/abi"
	"github.com/lectern-lms/lectern/guest/abi/abitest"
	"github.com/lectern-lms/lectern/kv"
)

// TestNoticesAreShownOnce over several requests, also by a GET.
func TestNoticesAreShownOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tx := w.Begin(w.scope())
	must(t, tx, abi.OpNotify, text("hello"))
	scope := w.scope()
	scope.Cookies, scope.Safe = w.commit(tx), true
	shown := func() string {
		tx := w.Begin(scope)
		list := must(t, tx, abi.OpNotices, nil).Strings()
		if cookie := w.commit(tx); cookie != noCookies {
			scope.Cookies = cookie
		}
		return strings.Join(list, ",")
	}
	dropped := w.Begin(scope)
	must(t, dropped, abi.OpNotices, nil)
	must(t, dropped, abi.OpAbandon, nil)
	w.commit(dropped)
	if first, second := shown(), shown(); first != "hello" || second != "" {
		t.Errorf("shown %q, then %q", first, second)
	}
}

// TestPersonal follows whether an answer can be somebody else's.
func TestPersonal(t *testing.T) {
	t.Parallel()
	tests := []struct {
		op      abi.Op
		message abi.Writer
		want    bool
	}{
		{abi.OpRoute, nil, false}, {abi.OpSetting, text("a"), false}, {abi.OpGet, text("read/a"), false},
		{abi.OpScan, scan("read/", 0), false}, {abi.OpLanguage, abi.Writer{}.Strings([]string{"en"}), false},
		{abi.OpSignedIn, nil, true}, {abi.OpRole, nil, true}, {abi.OpUser, nil, true}, {abi.OpSessionGet, text("a"), true},
		{abi.OpNotices, nil, true}, {abi.OpNow, nil, true}, {abi.OpRandom, abi.Writer{}.Uint(1), true}, {abi.OpRequestID, nil, true},
	}
	for _, tt := range tests {
		w := newWorld(t)
		tx := w.Begin(w.scope())
		must(t, tx, tt.op, tt.message)
		if tx.Personal() != tt.want {
			t.Errorf("operation %d: personal %t", tt.op, tx.Personal())
		}
	}
}

// TestValuesOfTheHost are the time, random bytes and the request's id.
func TestValuesOfTheHost(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tx := w.Begin(w.scope())
	now := time.Unix(0, int64(must(t, tx, abi.OpNow, nil).Uint()))
	if d := time.Since(now); d < 0 || d > soon {
		t.Errorf("the time is %v off", d)
	}
	a := must(t, tx, abi.OpRandom, abi.Writer{}.Uint(32)).String()
	b := must(t, tx, abi.OpRandom, abi.Writer{}.Uint(32)).String()
	if len(a) != 32 || a == b {
		t.Errorf("random bytes %x and %x", a, b)
	}
	if id := must(t, tx, abi.OpRequestID, nil).String(); id != "r1" {
		t.Errorf("the id is %q", id)
	}
}

// TestRefusalsAreLogged names handler, request and reason, and no secret.
func TestRefusalsAreLogged(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Begin(w.scope()).Call(t.Context(), abi.OpGet, text("account/id/1"))
	for _, want := range []string{"handler=suite", "request_id=r1", "operation=11", "account/id/1"} {
		if !strings.Contains(w.log.String(), want) {
			t.Errorf("the log lacks %s: %s", want, w.log.String())
		}
	}
	w.log.Reset()
	scope := w.scope()
	scope.Form.Set("p", "my secret word")
	tx := w.Begin(scope)
	must(t, tx, abi.OpSignIn, text("l", "p"))
	tx.Call(t.Context(), abi.OpSignUp, text("l", "l", "p", "Boss"))
	for _, secret := range []string{"my secret word", abitest.Ada.Email} {
		if strings.Contains(w.log.String(), secret) {
			t.Errorf("the log holds %q: %s", secret, w.log.String())
		}
	}
}

// TestStoreDown answers StatusUnavailable and remembers why.
func TestStoreDown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	records := &faulty{Store: w.Records, down: true}
	w.Records = records
	for _, tt := range []struct {
		op      abi.Op
		message abi.Writer
	}{{abi.OpGet, text("read/a")}, {abi.OpScan, scan("read/", 0)}} {
		tx := w.Begin(w.scope())
		if status, _ := tx.Call(t.Context(), tt.op, tt.message); status != abi.StatusUnavailable || tx.Err() == nil {
			t.Errorf("operation %d: status %d, fault %v", tt.op, status, tx.Err())
		}
	}
	tx := w.Begin(w.scope())
	must(t, tx, abi.OpPut, put("write/a", "1"))
	if _, err := tx.Commit(t.Context()); err == nil {
		t.Error("Commit succeeds while the store is down")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	records.down = false
	if status, _ := w.Begin(w.scope()).Call(ctx, abi.OpGet, text("read/a")); status != abi.StatusUnavailable {
		t.Errorf("after the end of the request: status %d", status)
	}
}

// TestMistakesAreNoFaultOfTheStore leaves Err nil, so that the page is not
// replaced by one that says the store is away.
func TestMistakesAreNoFaultOfTheStore(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tx := w.Begin(w.scope())
	tx.Call(t.Context(), abi.OpGet, text("read/"))
	tx.Call(t.Context(), abi.OpGet, text("read/"+strings.Repeat("k", kv.MaxKey)))
	tx.Call(t.Context(), abi.OpScan, scan("read/a", 0))
	tx.Call(t.Context(), abi.OpSignUp, text("l", "e", "p", "Boss"))
	if tx.Err() != nil {
		t.Errorf("a handler's mistake is taken for a failure: %v", tx.Err())
	}
}

// TestPutKeepsItsOwnCopy changes the message after the call, as a guest does
// when it reuses its buffer.
func TestPutKeepsItsOwnCopy(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tx := w.Begin(w.scope())
	message := put("write/a", "value")
	must(t, tx, abi.OpPut, message)
	copy(message, bytes.Repeat([]byte("x"), len(message)))
	w.commit(tx)
	if got := w.value("write/a"); got != "value" {
		t.Errorf("stored %q", got)
	}
}

// FuzzCall makes any calls with any bytes: the first input gives operations
// and lengths, the second the bytes. Every answer is a status, nothing panics,
// records of the host stay as they are, and a safe request writes nothing.
func FuzzCall(f *testing.F) {
	f.Add(false, []byte{byte(abi.OpPut), 11, byte(abi.OpGet), 8}, []byte(put("write/a", "1"))[:11])
	f.Add(true, []byte{byte(abi.OpScan), 8}, []byte(scan("read/", 1)))
	f.Add(false, []byte{byte(abi.OpSignIn), 4, byte(abi.OpSignOut), 0}, []byte(text("l", "p")))
	f.Add(false, []byte{byte(abi.OpLanguage), 5, 200, 3}, []byte("\x01\x03en-"))
	f.Add(false, []byte{byte(abi.OpDelete), 21}, []byte(text("account/login/ada", "")))
	w := newWorld(f)
	w.put("read/a", "1")
	cookie := w.signedIn()
	f.Fuzz(func(t *testing.T, safe bool, plan, data []byte) {
		w.log.Reset()
		scope := w.scope()
		scope.Safe, scope.Cookies = safe, cookie
		tx := w.Begin(scope)
		for ; len(plan) >= 2; plan = plan[2:] {
			n := min(int(plan[1]), len(data))
			status, answer := tx.Call(t.Context(), abi.Op(plan[0]), data[:n])
			data = data[n:]
			if status > abi.StatusUnknown || (status != abi.StatusOK && len(answer) == 0) {
				t.Errorf("operation %d: status %d, %q", plan[0], status, answer)
			}
		}
		if safe && len(tx.writes)+len(tx.extra) > 0 {
			t.Error("a safe request wants to write")
		}
		for key := range tx.writes {
			if !strings.HasPrefix(key, "write/") {
				t.Errorf("a write to %q", key)
			}
		}
	})
}
