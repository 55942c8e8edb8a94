package rewrite_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/lectern-lms/lectern/guest/handlers"
	"github.com/lectern-lms/lectern/host/engine/rewrite"
	. "github.com/lectern-lms/lectern/host/engine/wasmtest"
	"github.com/tetratelabs/wazero/experimental"
)

// real gives the site's own handlers by name.
var real = sync.OnceValues(handlers.Modules)

// realModule gives one of the site's own handlers.
func realModule(t testing.TB, name string) []byte {
	t.Helper()
	modules, err := real()
	if err != nil {
		t.Fatal(err)
	}
	if modules[name] == nil {
		t.Fatalf("there is no handler %s: run `task guests` first", name)
	}
	return modules[name]
}

// TestHandlers rewrites the site's own handlers and, but for the race
// detector's sake, compiles the results.
func TestHandlers(t *testing.T) {
	t.Parallel()
	ctx := experimental.WithCompilationWorkers(context.Background(), runtime.GOMAXPROCS(0))
	r := newRuntime(t)
	for _, name := range []string{"catalog", "account", "learn", "setup"} {
		wasm := realModule(t, name)
		module, err := rewrite.Rewrite(wasm)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if len(module.Globals) != 8 || len(module.Data) < 1000 || module.HasStart || module.MinPages < 10 {
			t.Errorf("%s: %d globals, %d data segments, start %v, %d pages", name, len(module.Globals), len(module.Data), module.HasStart, module.MinPages)
		}
		growth := float64(len(code(t, module.Wasm))) / float64(len(code(t, wasm)))
		t.Logf("%s: its code is %.2f times as long as before", name, growth)
		if growth > 1.15 {
			t.Errorf("%s: its code has grown too much", name)
		}
		if raceDetector {
			continue // compiling all of them would take minutes
		}
		compiled, err := r.CompileModule(ctx, module.Wasm)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if compiled.ExportedFunctions()["handle_request"] == nil || !bytes.Contains(module.Wasm, []byte("lectern.manifest")) {
			t.Errorf("%s has lost exports or its manifest", name)
		}
	}
}

// code is the content of the code section.
func code(t testing.TB, wasm []byte) []byte {
	t.Helper()
	for _, s := range sections(wasm) {
		if wasm[s.start] == SecCode {
			return wasm[s.start:s.end]
		}
	}
	t.Fatal("no code section")
	return nil
}

// span is where a section lies.
type span struct{ start, end int }

// sections finds the sections of a well-formed module.
func sections(wasm []byte) (list []span) {
	for at := len(Magic); at < len(wasm); {
		size, n := binary.Uvarint(wasm[at+1:])
		end := at + 1 + n + int(size)
		list = append(list, span{at, end})
		at = end
	}
	return list
}

// TestCutModules cuts a real module at each border of its sections, near them
// and anywhere. Only whole sections may be taken for a module.
func TestCutModules(t *testing.T) {
	t.Parallel()
	wasm := realModule(t, "setup")
	borders := map[int]bool{len(Magic): true}
	cuts := []int{0, 1, 7, len(Magic)}
	for _, s := range sections(wasm) {
		borders[s.end] = true
		cuts = append(cuts, s.start+1, s.end-1, s.end)
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 12 {
		cuts = append(cuts, random.IntN(len(wasm)))
	}
	for _, cut := range cuts {
		module, err := rewrite.Rewrite(wasm[:cut])
		switch {
		case err != nil && !errors.Is(err, rewrite.ErrMalformed):
			t.Errorf("cut at %d: error %v, want ErrMalformed", cut, err)
		case err == nil && !borders[cut]:
			t.Errorf("cut at %d inside a section: no error, %d bytes", cut, len(module.Wasm))
		}
	}
}

// TestForgedCounts checks that a count which promises far more than the
// module holds is found before memory is set aside for it.
func TestForgedCounts(t *testing.T) {
	t.Parallel()
	for _, id := range []byte{SecType, SecImport, 3, SecTable, SecGlobal, SecExport, SecElement, SecCode, SecData} {
		for _, count := range []uint32{1 << 20, 1<<20 + 1, 1 << 31, 1<<32 - 1} {
			body := append(U32(count), make([]byte, 100)...)
			wasm := append([]byte(Magic), append([]byte{id}, Sized(body)...)...)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			if _, err := rewrite.Rewrite(wasm); !errors.Is(err, rewrite.ErrMalformed) {
				t.Errorf("section %d with %d items in 100 bytes: error %v, want ErrMalformed", id, count, err)
			}
			runtime.ReadMemStats(&after)
			if used := after.TotalAlloc - before.TotalAlloc; used > 64<<20 {
				t.Errorf("section %d with %d items in 100 bytes: took %d bytes of memory", id, count, used)
			}
		}
	}
}

// TestNamesInTraces checks that the stack of a trap names the functions, with
// imports before and behind the shifted indices, and that names which cannot
// be read are dropped without harm.
func TestNamesInTraces(t *testing.T) {
	t.Parallel()
	build := func(names bool) []byte {
		var m Module
		m.Import("env", "say", "l", "")
		inner := m.Func("", "", "", Op(Unreachable))
		outer := m.Func("", "", "", Op(Call, inner))
		m.Export("run", KindFunction, outer)
		if names {
			m.Name(0, "host.say")
			m.Name(inner, "main.inner")
			m.Name(outer, "main.outer")
		} else {
			m.Custom("name", []byte{1, 5, 0xff, 0xff, 0xff, 0xff, 0x0f})
		}
		m.Custom(".debug_info", []byte("no longer right"))
		return m.Bytes()
	}
	trap := func(wasm []byte) string {
		module, err := rewrite.Rewrite(wasm)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(module.Wasm, []byte(".debug_info")) {
			t.Error("debug information with the old places is still there")
		}
		m, err := newRuntime(t).Instantiate(context.Background(), module.Wasm)
		if err != nil {
			t.Fatal(err)
		}
		_, err = m.ExportedFunction("run").Call(context.WithValue(context.Background(), traceKey{}, &trace{}))
		return fmt.Sprint(err)
	}
	if stack := trap(build(true)); !strings.Contains(stack, "main.inner()\n\t.main.outer()") {
		t.Errorf("the trace does not name the functions: %s", stack)
	}
	if stack := trap(build(false)); !strings.Contains(stack, "unreachable") {
		t.Errorf("with unreadable names: %s", stack)
	}
}

// BenchmarkRewrite rewrites the largest of the site's handlers.
func BenchmarkRewrite(b *testing.B) {
	wasm := realModule(b, "catalog")
	b.SetBytes(int64(len(wasm)))
	for b.Loop() {
		if _, err := rewrite.Rewrite(wasm); err != nil {
			b.Fatal(err)
		}
	}
}
