package engine

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	. "github.com/lectern-lms/lectern/host/engine/wasmtest"
	"golang.org/x/sys/unix"
)

// The environment of this test binary's children; see TestInChild.
const (
	childDeed = "LECTERN_ENGINE_TEST_CHILD"
	// mdwe and mdweRefuse are PR_SET_MDWE and PR_MDWE_REFUSE_EXEC_GAIN.
	mdwe, mdweRefuse = 65, 1
)

// TestInChild does, in a child process, what would trouble the other tests. In
// the parent, it starts the children.
func TestInChild(t *testing.T) {
	deeds := map[string]func(t *testing.T){"mdwe": underMDWE, "leaks": countLeaks}
	if deed := deeds[os.Getenv(childDeed)]; deed != nil {
		deed(t)
		return
	}
	t.Parallel()
	for name := range deeds {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestInChild$", "-test.v")
		cmd.Env = append(os.Environ(), childDeed+"="+name)
		if text, err := cmd.CombinedOutput(); err != nil || !bytes.Contains(text, []byte("PASS")) {
			t.Errorf("%s: %v\n%s", name, err, text)
		}
	}
}

// underMDWE checks that the engine refuses to start where memory cannot be made
// executable, as under systemd's MemoryDenyWriteExecute.
func underMDWE(t *testing.T) {
	if err := unix.Prctl(mdwe, mdweRefuse, 0, 0, 0); err != nil {
		t.Fatalf("this needs Linux 6.3: %v", err)
	}
	e, err := New(context.Background(), Options{Sandboxes: 1})
	if err == nil {
		t.Fatalf("the engine starts: %v", e)
	}
	if !strings.Contains(err.Error(), "remove MemoryDenyWriteExecute=yes") {
		t.Errorf("the error does not say what to do: %v", err)
	}
}

// countLeaks checks that closing handlers, failing to load and closing the
// engine give back all files and mappings.
func countLeaks(t *testing.T) {
	good := smallModule(func(*Module) []byte { return I64(0) })
	traps := smallModule(func(*Module) []byte { return Op(Unreachable) })
	var m Module
	m.Memory(1, 0)
	m.Export(exportInitialize, KindFunction, m.Func("", "", "", Op(Unreachable)))
	bad := handlerOf(&m)
	ctx := context.Background()
	round := func() {
		e, err := New(ctx, Options{Sandboxes: 4, Spares: 3})
		if err != nil {
			t.Fatal(err)
		}
		for range 5 {
			h := load(t, e, good)
			if err := h.Serve(ctx, &Exchange{}); err != nil {
				t.Fatal(err)
			}
			if err := h.Close(ctx); err != nil {
				t.Fatal(err)
			}
			if err := load(t, e, traps).Serve(ctx, &Exchange{}); err == nil {
				t.Fatal("no trap")
			}
			if _, err := e.Load(ctx, bad); err == nil {
				t.Fatal("a handler that cannot start was loaded")
			}
		}
		if n := images(t); n == 0 {
			t.Error("no image is mapped, so this test sees nothing")
		}
		if err := e.Close(ctx); err != nil {
			t.Fatal(err)
		}
		if n := images(t); n != 0 {
			t.Errorf("%d images are still mapped after the engine was closed", n)
		}
	}
	round()
	before := files(t)
	for range 3 {
		round()
	}
	if after := files(t); after > before {
		t.Errorf("%d files are open, %d before", after, before)
	}
}

// files counts the open files of this process.
func files(t *testing.T) int {
	t.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}

// images counts the mappings and files of images in this process.
func images(t *testing.T) int {
	t.Helper()
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		t.Fatal(err)
	}
	n := bytes.Count(maps, []byte("lectern-image"))
	list, err := filepath.Glob("/proc/self/fd/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range list {
		if to, err := os.Readlink(file); err == nil && strings.Contains(to, "lectern-image") {
			n++
		}
	}
	return n
}
