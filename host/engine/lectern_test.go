package engine

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/lectern-lms/lectern/guest/abi"
)

// TestLecternCall checks the calling convention of module "lectern": answers
// that fit, that do not, and pointers that are wrong.
func TestLecternCall(t *testing.T) {
	t.Parallel()
	x := request()
	var asked []string
	x.Calls = answers(func(op abi.Op, message []byte) (abi.Status, []byte) {
		asked = append(asked, fmt.Sprintf("%d %s", op, message))
		if op == abi.OpGet {
			return abi.StatusDenied, []byte("not yours")
		}
		return abi.StatusOK, append([]byte("answer to "), message...)
	})
	d := newDriver(t, x)
	const call = "lectern.call"
	split := func(r uint64) string {
		status, n := abi.SplitResult(r)
		return fmt.Sprintf("%d %q", status, d.memory(bufferAt, uint32(n)))
	}
	for _, tt := range []struct {
		arguments []any
		want      string
	}{
		{[]any{int(abi.OpNow), "x", bufferAt, 100}, `0 "answer to x"`},
		{[]any{int(abi.OpGet), "", bufferAt, 100}, `1 "not yours"`}, // the status below
		{[]any{int(abi.OpNow), "", bufferAt, 10}, `0 "answer to "`},
		{[]any{int(abi.OpAnswer), "", bufferAt, 100}, `0 ""`}, // nothing is waiting
	} {
		want := strings.Replace(tt.want, `1 "not`, fmt.Sprintf(`%d "not`, abi.StatusDenied), 1)
		if got := split(d.must(call, tt.arguments...)); got != want {
			t.Errorf("call%v: %s, want %s", tt.arguments, got, want)
		}
	}
	// An answer that does not fit is fetched, and nothing is asked twice.
	asked = nil
	d.s.module.Memory().WriteString(bufferAt, "untouched")
	if r := d.must(call, int(abi.OpNow), "long", bufferAt, 3); r != abi.Result(abi.StatusOK, 14) || d.memory(bufferAt, 9) != "untouched" {
		t.Errorf("an answer that does not fit: %x, %q", r, d.memory(bufferAt, 9))
	}
	if r := d.must(call, int(abi.OpAnswer), "", bufferAt, 13); r != abi.Result(abi.StatusOK, 14) || d.memory(bufferAt, 9) != "untouched" {
		t.Errorf("fetching it to too small a buffer again: %x", r)
	}
	if got := split(d.must(call, int(abi.OpAnswer), "", bufferAt, 14)); got != `0 "answer to long"` {
		t.Errorf("fetching it: %s", got)
	}
	if got := split(d.must(call, int(abi.OpAnswer), "", bufferAt, 14)); got != `0 ""` {
		t.Errorf("fetching it twice: %s", got)
	}
	if len(asked) != 1 {
		t.Errorf("the host was asked %q", asked)
	}
	d.fails("100 bytes at 4294901760", call, int(abi.OpNow), 0xffff0000, 100, bufferAt, 10)
	d.fails("outside its memory", call, int(abi.OpNow), "x", 0xffff0000, 100)
	if r := d.must(call, int(abi.OpNow), "x", 0xffff0000, 3); r != abi.Result(abi.StatusOK, 11) {
		t.Errorf("no room for the answer at a place that is none: %x", r)
	}
	d.begin(context.Background())
	d.x.Calls = nil
	d.fails("where nobody answers", call, int(abi.OpNow), "", bufferAt, 10)
}

// TestHostCallsOfHandlersThatStart checks that a handler which calls the host
// before there is a request is told so when it is loaded.
func TestHostCallsOfHandlersThatStart(t *testing.T) {
	t.Parallel()
	e := newEngine(t, nil)
	for name, want := range map[string]string{"lectern.call": "while a handler starts there is no request", "http_handler.get_config": ""} {
		_, err := e.Load(context.Background(), starting(name))
		if (err == nil) != (want == "") || !strings.Contains(fmt.Sprint(err), want) {
			t.Errorf("%s: error %v, want %q", name, err, want)
		}
	}
}
