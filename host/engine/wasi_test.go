package engine

import (
	"context"
	"encoding/binary"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
)

// TestNoFiles checks that WASI gives a handler no files, no sockets, no
// arguments and no environment, and that it cannot change the files it has.
func TestNoFiles(t *testing.T) {
	t.Parallel()
	d := newDriver(t, request())
	const success, badFile = 0, 8
	for _, tt := range []struct {
		name      string
		arguments []any
		errno     uint64
	}{
		{"fd_close", []any{1}, errnoNotSupported},
		{"fd_renumber", []any{1, 2}, errnoNotSupported},
		{"fd_fdstat_set_flags", []any{1, 4}, errnoNotSupported},
		{"sock_accept", []any{3, 0, 16}, errnoNotSupported},
		{"fd_prestat_get", []any{3, 16}, badFile},
		{"args_sizes_get", []any{16, 20}, success},
		{"environ_sizes_get", []any{24, 28}, success},
	} {
		if got := d.must("wasi_snapshot_preview1."+tt.name, tt.arguments...); got != tt.errno {
			t.Errorf("%s%v: errno %d, want %d", tt.name, tt.arguments, got, tt.errno)
		}
	}
	for _, at := range []uint32{16, 24} {
		if n := binary.LittleEndian.Uint32([]byte(d.memory(at, 4))); n != 0 {
			t.Errorf("the handler has %d arguments or variables", n)
		}
	}
}

// TestStateful checks that the WASI functions which this package replaces have
// the signatures of those that they stand for.
func TestStateful(t *testing.T) {
	t.Parallel()
	e := newEngine(t, nil)
	ours := e.runtime.Module(wasiModule).ExportedFunctionDefinitions()
	theirs := published(t)
	for name := range stateful {
		if theirs[name] == nil {
			t.Errorf("WASI has no function %s", name)
		} else if !slices.Equal(ours[name].ParamTypes(), theirs[name].ParamTypes()) || !slices.Equal(ours[name].ResultTypes(), theirs[name].ResultTypes()) {
			t.Errorf("%s has another signature than WASI's", name)
		}
	}
}

// TestSlowWASI checks that the functions of which a guest chooses how much they
// do are stopped at the deadline.
func TestSlowWASI(t *testing.T) {
	t.Parallel()
	d := newDriver(t, request())
	memory := d.s.module.Memory()
	for at := uint32(0); at < 2*wasmPage; at += 8 { // buffers of the whole memory
		memory.WriteUint32Le(at, 0)
		memory.WriteUint32Le(at+4, 2*wasmPage)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	d.begin(ctx)
	begin := time.Now()
	for err := error(nil); err == nil; {
		for _, call := range []struct {
			name      string
			arguments []any
		}{{"fd_write", []any{1, 0, 8192, 64}}, {"random_get", []any{0, 2 * wasmPage}}, {"clock_time_get", nil}} {
			if call.arguments == nil {
				_, err = d.s.module.ExportedFunction("wasi_snapshot_preview1.clock_time_get").Call(&d.s.call, 1, 0, 64)
			} else {
				_, err = d.call("wasi_snapshot_preview1."+call.name, call.arguments...)
			}
			if err != nil {
				if !errors.Is(err, outOfTime) {
					t.Errorf("%s: %v", call.name, err)
				}
				break
			}
		}
		if time.Since(begin) > generous {
			t.Fatal("nothing has looked at the clock")
		}
	}
}

// published gives WASI's functions as wazero has them.
func published(t *testing.T) map[string]api.FunctionDefinition {
	t.Helper()
	ctx := context.Background()
	r := wazero.NewRuntime(ctx)
	t.Cleanup(func() { _ = r.Close(ctx) })
	if _, err := wasi_snapshot_preview1.Instantiate(ctx, r); err != nil {
		t.Fatal(err)
	}
	return r.Module(wasiModule).ExportedFunctionDefinitions()
}
