package engine

import (
	"bytes"
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/lectern-lms/lectern/guest/abi"
	. "github.com/lectern-lms/lectern/host/engine/wasmtest"
)

// catalogue answers what the handler catalog asks for a page that lists so many
// courses to a visitor.
func catalogue(pattern string, courses int) Calls {
	var records []abi.Record
	for i := range courses {
		code := fmt.Sprintf("course-%d", i)
		records = append(records, abi.Record{Key: "course/" + code, Value: fmt.Appendf(nil,
			`{"code":%q,"title":"The title of course %d","summary":"What the course is about, in a sentence or two.","description":"<p>More of it.</p>",`+
				`"language":"en","category":"science","tags":["one","two"],"teachers":["A. Teacher"],"state":"open","public":true}`, code, i)})
	}
	var w abi.Writer
	answers := map[abi.Op][]byte{
		abi.OpRoute:      w.String(pattern).Fields(nil),
		abi.OpSignedIn:   w.Bool(false),
		abi.OpRole:       w.String(""),
		abi.OpUser:       w.String("").String("").String(""),
		abi.OpSetting:    w.String("Bench"),
		abi.OpLanguage:   w.String("en"),
		abi.OpSessionGet: w.Bool(false).String(""),
		abi.OpScan:       w.Bool(false).Records(records),
		abi.OpNotices:    w.Strings(nil),
		abi.OpNow:        w.Uint(uint64(time.Now().UnixNano())),
	}
	return calls(answers)
}

// calls answers each operation with the same bytes.
type calls map[abi.Op][]byte

func (c calls) Call(_ context.Context, op abi.Op, _ []byte) (abi.Status, []byte) {
	if answer, ok := c[op]; ok {
		return abi.StatusOK, answer
	}
	return abi.StatusUnknown, nil
}

// TestCataloguePage makes sure that the benchmark measures a page.
func TestCataloguePage(t *testing.T) {
	t.Parallel()
	_, site, _ := modules(t)
	h := load(t, newEngine(t, nil), site)
	x := &Exchange{Request: Request{Method: "GET", URI: "/course/explore"}, Calls: catalogue("GET /course/explore", 30)}
	if err := h.Serve(context.Background(), x); err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(x.Response.Body, []byte("The title of course")); x.Response.Status != 200 || n < 30 {
		t.Errorf("status %d, %d courses in %d bytes", x.Response.Status, n, len(x.Response.Body))
	}
}

// BenchmarkServe measures a request with its reset: of a handler that does
// nothing, of one in Go that does nearly nothing, and of real pages.
//
//	go test ./host/engine -run '^$' -bench Serve -benchmem
func BenchmarkServe(b *testing.B) {
	probe, site, _ := modules(b)
	nothing := smallModule(func(*Module) []byte { return I64(0) })
	for _, bb := range []struct {
		name    string
		wasm    []byte
		uri     string
		courses int
	}{
		{"nothing", nothing, "/", 0}, {"probe", probe, "/ok", 0}, {"home", site, "/home", 4},
		{"explore30", site, "/course/explore", 30}, {"explore300", site, "/course/explore", 300},
	} {
		b.Run(bb.name, func(b *testing.B) {
			h := load(b, newEngine(b, nil), bb.wasm)
			answers := catalogue("GET "+bb.uri, bb.courses)
			var size int
			for b.Loop() {
				ctx, cancel := context.WithTimeout(context.Background(), plenty)
				x := Exchange{Request: Request{Method: "GET", URI: bb.uri, Proto: "HTTP/1.1"}, Calls: answers}
				if err := h.Serve(ctx, &x); err != nil {
					b.Fatal(err)
				}
				cancel()
				size = len(x.Response.Body)
			}
			b.ReportMetric(float64(size), "body-B")
			b.ReportMetric(float64(idle(h).memory.space.resident()/1024), "private-KiB")
		})
	}
}

// BenchmarkReset measures the reset alone after requests that wrote so many
// pages.
func BenchmarkReset(b *testing.B) {
	for _, pages := range []int{0, 5, 40, 200, 400} {
		b.Run(fmt.Sprint(pages), func(b *testing.B) {
			h := load(b, newEngine(b, nil), smallModule(func(m *Module) []byte {
				m.Data(0, "an image")
				m.Export(warmUp, KindFunction, m.Func("", "", "", I32(100), Op(MemoryGrow, 0), Op(Drop)))
				return I64(0)
			}))
			s := idle(h)
			memory := s.module.Memory()
			for b.Loop() {
				for i := range pages {
					memory.WriteByte(uint32(i*4096*3), 1)
				}
				if _, err := s.reset(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkClone measures the making of a sandbox of a real handler.
func BenchmarkClone(b *testing.B) {
	_, site, _ := modules(b)
	h := load(b, newEngine(b, nil), site)
	for b.Loop() {
		s, err := h.clone()
		if err != nil {
			b.Fatal(err)
		}
		s.close()
	}
}
