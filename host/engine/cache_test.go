package engine

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	. "github.com/lectern-lms/lectern/host/engine/wasmtest"
)

// entries are the files of a cache.
func entries(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "wazero-*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// TestDamagedCache damages the file of a compiled handler in many ways; the
// handler must be compiled anew and work.
func TestDamagedCache(t *testing.T) {
	t.Parallel()
	wasm := smallModule(func(*Module) []byte { return I64(0) })
	dir := t.TempDir()
	open := func(logger func(*Options)) *Engine {
		return newEngine(t, func(o *Options) { o.CacheDir = dir; logger(o) })
	}
	load(t, open(func(*Options) {}), wasm)
	files := entries(t, dir)
	if len(files) != 1 {
		t.Fatalf("the cache has the files %v, want one", files)
	}
	whole, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	for name, damaged := range map[string][]byte{
		"empty": {}, "text": []byte("not code"), "half": whole[:len(whole)/2], "head": whole[:10], "without its end": whole[:len(whole)-3],
		"a byte changed": append(bytes.Clone(whole[:len(whole)-40]), append([]byte{^whole[len(whole)-40]}, whole[len(whole)-39:]...)...),
		"another maker":  append([]byte("WAZEVI"), whole[6:]...),
	} {
		if err := os.WriteFile(files[0], damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		logger, logged := logTo()
		e := open(func(o *Options) { o.Logger = logger })
		h := load(t, e, wasm)
		if err := h.Serve(context.Background(), &Exchange{}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if now, err := os.ReadFile(files[0]); err != nil || len(now) != len(whole) {
			t.Errorf("%s: the entry was not made anew: %d bytes, %v", name, len(now), err)
		}
		if !strings.Contains(logged(), "damaged") && name != "without its end" { // which wazero takes for an old one
			t.Errorf("%s: nobody is told", name)
		}
	}
}

// TestUnusableCache checks that a cache which cannot be used is an error that
// names it, when the engine starts.
func TestUnusableCache(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{file, filepath.Join(file, "below"), "/proc/self/nothing"} {
		e, err := New(context.Background(), Options{CacheDir: dir, Sandboxes: 1})
		if err == nil || !strings.Contains(err.Error(), "the cache of compiled handlers in "+dir+" cannot be used") {
			t.Errorf("%s: engine %v, error %v", dir, e, err)
		}
	}
}

// TestOptions checks that senseless options are refused.
func TestOptions(t *testing.T) {
	t.Parallel()
	pages := func(n uint32) Limits {
		l := DefaultLimits
		l.MemoryPages = n
		return l
	}
	for name, o := range map[string]Options{
		"no sandboxes":    {},
		"negative spares": {Sandboxes: 1, Spares: -1},
		"no memory":       {Sandboxes: 1, Limits: pages(0)},
		"all of 4 GiB":    {Sandboxes: 1, Limits: pages(1 << 16)},
	} {
		if _, err := New(context.Background(), o); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
