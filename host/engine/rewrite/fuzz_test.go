package rewrite_test

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"github.com/lectern-lms/lectern/host/engine/rewrite"
	. "github.com/lectern-lms/lectern/host/engine/wasmtest"
	"github.com/tetratelabs/wazero"
)

// FuzzRewrite feeds the rewriter with anything. It must not panic, must say
// which kind of fault it found, and must be deterministic; what it lets pass
// and the compiler takes must run without harm. The compiler may refuse, since
// the rewriter does not check types.
func FuzzRewrite(f *testing.F) {
	for _, seed := range seeds() {
		f.Add(seed)
	}
	runtime := newRuntime(f)
	f.Fuzz(func(t *testing.T, wasm []byte) {
		if len(wasm) > 1<<16 {
			return
		}
		module, err := rewrite.Rewrite(bytes.Clone(wasm))
		if err != nil {
			if !errors.Is(err, rewrite.ErrMalformed) && !errors.Is(err, rewrite.ErrRefused) {
				t.Fatalf("an error of no known kind: %v", err)
			}
			return
		}
		if again, err := rewrite.Rewrite(wasm); err != nil || !bytes.Equal(again.Wasm, module.Wasm) {
			t.Fatalf("another result the second time: %v", err)
		}
		// The checks are 20 bytes for each loop of 3, and a bulk
		// instruction's 25 for each of 3.
		if len(module.Wasm) > 20*len(wasm)+1000 {
			t.Fatalf("%d bytes became %d", len(wasm), len(module.Wasm))
		}
		ctx := context.Background()
		compiled, err := runtime.CompileModule(ctx, module.Wasm)
		if err != nil {
			return
		}
		defer compiled.Close(ctx)
		// What the compiler takes once rewritten, it must have taken before:
		// rewriting must not make a wrong module right.
		before, err := runtime.CompileModule(ctx, wasm)
		if err != nil {
			t.Fatalf("the compiler refuses the module as it was, and not rewritten: %v", err)
		}
		defer before.Close(ctx)
		if names := before.ExportedFunctions(); len(names) > len(compiled.ExportedFunctions()) {
			t.Fatal("exports were lost")
		}
		for _, name := range module.Globals {
			if !exports(module.Wasm, name) {
				t.Fatalf("the global %s is not exported", name)
			}
		}
		if m, err := runtime.InstantiateModule(ctx, compiled, wazero.NewModuleConfig().WithName("").WithStartFunctions()); err == nil {
			_ = m.Close(ctx)
		}
	})
}

// exports reports whether a module has the bytes of a name with its length.
func exports(wasm []byte, name string) bool { return bytes.Contains(wasm, Sized([]byte(name))) }

// seeds are modules that the fuzzer begins with: all those of the other tests.
func seeds() (list [][]byte) {
	build := func(b func(*Module)) {
		var m Module
		b(&m)
		if wasm := m.Bytes(); len(wasm) < 1<<14 {
			list = append(list, wasm)
		}
	}
	for _, p := range programs {
		build(p.build)
	}
	for _, p := range tables {
		build(p.build)
	}
	for _, r := range refused {
		build(r.build)
	}
	for _, m := range malformed {
		list = append(list, []byte(m))
	}
	return list
}
