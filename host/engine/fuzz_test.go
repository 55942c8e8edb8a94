package engine

import (
	"context"
	"encoding/binary"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/tetratelabs/wazero/sys"
)

// FuzzHostCalls calls the host's functions, in any order and with any
// arguments, as a guest could. The host must stay whole: each call ends in time
// with an answer or as a fault of the guest, never by a fault of the host's own,
// and the response stays within what HTTP and the limits allow.
func FuzzHostCalls(f *testing.F) {
	e := newEngine(f, nil)
	wasm, names := driverModule(e)
	h := load(f, e, wasm)
	for i := range names {
		f.Add(append([]byte{byte(i)}, make([]byte, 40)...), "X-Name")
		f.Add([]byte{byte(i), 1, 0, 0, 0, 100, 0, 0, 0, 6, 0, 0, 0, 100, 0, 0, 0, 6, 0, 0, 0, 9, 9, 9, 9, 8, 8, 8, 8}, "X-Name")
		f.Add([]byte{byte(i), 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, "a\r\nb")
		f.Add([]byte{byte(i), 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 2, 0}, "a\r\nb")
	}
	f.Fuzz(func(t *testing.T, script []byte, text string) {
		s, err := h.lane.Get(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		reason := ""
		defer func() { h.lane.Put(s, 0, reason) }()
		x := request()
		x.Calls = echo
		ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
		defer cancel()
		s.begin(ctx, x, "", DefaultLimits, func(int32, string) {})
		s.module.Memory().WriteString(100, text)
		begin := time.Now()
		for calls := 0; len(script) > 0 && calls < 50 && reason == ""; calls++ {
			name := names[int(script[0])%len(names)]
			script = script[1:]
			function := s.module.ExportedFunction(name)
			var arguments []uint64
			for range function.Definition().ParamTypes() {
				var word [8]byte
				script = script[copy(word[:4], script):]
				arguments = append(arguments, binary.LittleEndian.Uint64(word[:]))
			}
			s.fuel.Set(fuelShare)
			if _, err := function.Call(&s.call, arguments...); err != nil {
				reason = CauseTrap
				checkGuestFault(t, name, arguments, err)
			}
		}
		if took := time.Since(begin); took > generous {
			t.Errorf("took %v", took)
		}
		checkExchange(t, x)
	})
}

// checkGuestFault makes sure that an error is the guest's own fault. wazero's
// poll_oneoff can be made to look outside its buffers, which Go notices and
// wazero reports; it is the one exception.
func checkGuestFault(t *testing.T, name string, arguments []uint64, err error) {
	t.Helper()
	var fault Fault
	var exit *sys.ExitError
	if !errors.As(err, &fault) && !errors.As(err, &exit) && name != wasiModule+".poll_oneoff" {
		t.Errorf("%s%v: %v", name, arguments, err)
	}
}

// checkExchange makes sure that a guest has not made a response that could not
// be sent.
func checkExchange(t *testing.T, x *Exchange) {
	t.Helper()
	if x.Response.Status < 200 || x.Response.Status > 599 || len(x.Response.Body) > DefaultLimits.Response {
		t.Errorf("status %d, body of %d bytes", x.Response.Status, len(x.Response.Body))
	}
	for name, values := range x.Response.Header {
		if reserved[name] || name != http.CanonicalHeaderKey(name) || !isToken(name) {
			t.Errorf("header %q", name)
		}
		for _, v := range values {
			for _, c := range []byte(v) {
				if c == '\r' || c == '\n' || c == 0 {
					t.Errorf("header %q has the value %q", name, v)
				}
			}
		}
	}
}
