// Command crowd keeps many sandboxes of one handler alive in one process, lets
// all work at the same moment, and tells what memory that takes:
//
//	go run ./bench/crowd -n 2000 HANDLER.wasm
//
// The handler must have the route "GET /items" of bench/guest. Every sandbox
// must give the page that the same components render natively.
package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"runtime/debug"
	"sync"
	"time"

	"github.com/lectern-lms/lectern/bench/items"
	"github.com/lectern-lms/lectern/guest/abi"
	"github.com/lectern-lms/lectern/host/engine"
	"github.com/prometheus/procfs"
)

// pattern is the route that is asked for, and title what its page is called.
const (
	pattern = "GET /items"
	title   = "Every course"
)

func main() {
	n := flag.Int("n", 2000, "how many sandboxes")
	cache := flag.String("cache", "", "a directory with compiled handlers")
	flag.Parse()
	if err := run(*n, *cache, flag.Arg(0)); err != nil {
		fmt.Fprintln(os.Stderr, "crowd:", err)
		os.Exit(1)
	}
}

// run makes the sandboxes, lets them work twice, and prints the memory.
func run(n int, cache, file string) error {
	wasm, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	e, err := engine.New(context.Background(), engine.Options{CacheDir: cache, Sandboxes: n, Spares: n})
	if err != nil {
		return err
	}
	defer e.Close(context.Background())
	h, err := e.Load(context.Background(), wasm)
	if err != nil {
		return err
	}
	for range 2 { // the second time in sandboxes that were restored
		if err := together(h, n); err != nil {
			return err
		}
	}
	u := h.Usage()
	debug.FreeOSMemory()
	p, err := procfs.Self()
	if err != nil {
		return err
	}
	memory, err := p.NewStatus()
	if err != nil {
		return err
	}
	resident := memory.VmRSS >> 10
	fmt.Printf("sandboxes %d resident-KiB %d peak-KiB %d each-KiB %d\n", u.Idle, resident, memory.VmHWM>>10, resident/uint64(max(u.Idle, 1)))
	return nil
}

// together asks n times at once: no sandbox answers before all have begun.
func together(h *engine.Handler, n int) error {
	var want bytes.Buffer
	if err := items.Page(title, items.All()).Render(context.Background(), &want); err != nil {
		return err
	}
	var begun, all sync.WaitGroup
	begun.Add(n)
	faults := make(chan error, n)
	for range n {
		all.Go(func() {
			ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
			defer cancel()
			x := engine.Exchange{Request: engine.Request{Method: "GET", URI: "/items", Proto: "HTTP/1.1"}, Calls: meeting{&begun}}
			if err := h.Serve(ctx, &x); err != nil {
				faults <- err
			} else if !bytes.Equal(x.Response.Body, want.Bytes()) {
				faults <- fmt.Errorf("a sandbox gave another page, of %d bytes", len(x.Response.Body))
			}
		})
	}
	all.Wait()
	close(faults)
	return <-faults
}

// meeting answers when all sandboxes have asked.
type meeting struct{ begun *sync.WaitGroup }

// Call implements engine.Calls.
func (m meeting) Call(_ context.Context, op abi.Op, _ []byte) (abi.Status, []byte) {
	if op != abi.OpRoute {
		return abi.StatusUnknown, nil
	}
	m.begun.Done()
	m.begun.Wait()
	var w abi.Writer
	return abi.StatusOK, w.String(pattern).Fields(nil)
}
