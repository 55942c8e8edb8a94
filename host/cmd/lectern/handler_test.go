package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/lectern-lms/lectern/guest/abi"
	"github.com/lectern-lms/lectern/guest/handlers"
	"github.com/lectern-lms/lectern/host/engine/wasmtest"
	"github.com/lectern-lms/lectern/host/handlertest"
)

// shared is a folder for the tests of the handlers: the program, and the cache
// of what it compiles. It goes when all tests have run.
var shared = sync.OnceValues(func() (string, error) {
	return os.MkdirTemp("", "lectern-handlers-")
})

// tidy runs the tests and removes the shared folder after them.
type tidy struct{ m *testing.M }

// Run implements testscript.TestingM.
func (t tidy) Run() int {
	status := t.m.Run()
	if dir, err := shared(); err == nil {
		_ = os.RemoveAll(dir) // in the system's folder for what may be lost
	}
	return status
}

// program builds lectern as people have it. Under the race detector, where
// this test may run, the compiler of WebAssembly takes ten times as long.
var program = sync.OnceValues(func() (string, error) {
	modules, err := handlers.Modules()
	if err != nil || len(modules) == 0 {
		return "", fmt.Errorf("the handlers are not built: run `task guests` first (%w)", err)
	}
	dir, err := shared()
	if err != nil {
		return "", err
	}
	bin := filepath.Join(dir, "bin")
	if text, err := exec.Command("go", "build", "-o", bin+string(filepath.Separator), ".").CombinedOutput(); err != nil {
		return "", fmt.Errorf("lectern cannot be built: %w\n%s", err, text)
	}
	return bin, nil
})

// variables are those of the environment in which the handlers' tests run
// lectern: it comes first on the path, and all share a cache.
func variables(t *testing.T) map[string]string {
	t.Helper()
	bin, err := program()
	if err != nil {
		t.Fatal(err)
	}
	top, err := filepath.Abs(repository)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]string{
		"REPOSITORY": top, "GOCACHE": goEnv(t, "GOCACHE"), "GOMODCACHE": goEnv(t, "GOMODCACHE"),
		"PATH":         bin + string(os.PathListSeparator) + os.Getenv("PATH"),
		"LMS_DATA_DIR": filepath.Join(filepath.Dir(bin), "data"),
	}
}

// goEnv is a variable of the go command, which the scripts' environment hides.
func goEnv(t *testing.T, name string) string {
	t.Helper()
	value, err := exec.Command("go", "env", name).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(value))
}

// TestHandlerScripts runs the commands that compile handlers.
func TestHandlerScripts(t *testing.T) {
	t.Parallel()
	env := variables(t)
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/handler",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(e *testscript.Env) error {
			for name, value := range env {
				e.Setenv(name, value)
			}
			return errors.Join(writeModules(e.WorkDir), writeFolders(e.WorkDir))
		},
	})
}

// writeModules puts the scripts' own handlers into a folder.
func writeModules(dir string) error {
	crash := small("GET /crash", wasmtest.Op(wasmtest.Unreachable))
	for name, data := range map[string][]byte{
		"crash.wasm":    crash,
		"spin.wasm":     small("GET /spin", wasmtest.Op(wasmtest.Loop, wasmtest.Empty), wasmtest.Op(wasmtest.Br, 0), wasmtest.Op(wasmtest.End), wasmtest.I64(0)),
		"empty.wasm":    small("GET /empty", wasmtest.I64(0)),
		"cut.wasm":      crash[:40],
		"nothing.wasm":  nil,
		"nameless.wasm": []byte(wasmtest.Magic),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// writeFolders makes folders of handlers as an operator would: "added" is good
// but for a handler whose next is nowhere, and "wrong" is not.
func writeFolders(dir string) error {
	guest, err := handlertest.ScriptedGuest()
	if err != nil {
		return err
	}
	guard := abi.Manifest{ABI: abi.Version, Name: "guard", Version: "2.0", Summary: "In front of all others", Next: abi.NextSite, Config: ">set 1 X-Guard seen\n>next 0"}
	gate := abi.Manifest{ABI: abi.Version, Name: "gate", Version: "1", Next: "catalog", Config: ">uri /home\n>next 0",
		Routes: []abi.Route{{Pattern: "GET /gate/{x}"}, {Pattern: "GET api.example/api"}}}
	lost := abi.Manifest{ABI: abi.Version, Name: "lost", Version: "1", Next: "nobody"}
	for _, m := range []abi.Manifest{guard, gate, lost} {
		text, err := json.Marshal(m)
		folder := filepath.Join(dir, "added")
		if m.Name == "lost" {
			folder = dir
		}
		err = errors.Join(err, os.MkdirAll(folder, 0o700), os.WriteFile(filepath.Join(folder, m.Name+".wasm"), guest, 0o600),
			os.WriteFile(filepath.Join(folder, m.Name+".json"), text, 0o600))
		if err != nil {
			return err
		}
	}
	wrong := filepath.Join(dir, "wrong")
	return errors.Join(os.Mkdir(wrong, 0o700), os.WriteFile(filepath.Join(dir, "bare.wasm"), guest, 0o600),
		os.WriteFile(filepath.Join(wrong, "catalog.wasm"), small("GET /catalog", wasmtest.I64(0)), 0o600))
}

// small is a handler with one route whose function has this code.
func small(route string, code ...[]byte) []byte {
	var m wasmtest.Module
	m.Memory(1, 1)
	request := m.Func("", "l", "", code...)
	m.Name(request, "answer_this")
	m.Export("handle_request", wasmtest.KindFunction, request)
	m.Export("handle_response", wasmtest.KindFunction, m.Func("ii", "", ""))
	name := strings.TrimPrefix(route, "GET /")
	manifest := fmt.Sprintf(`{"abi":%d,"name":%q,"version":"1","summary":"A test.","routes":[{"pattern":%q}]}`, abi.Version, name, route)
	return abi.AppendManifest(m.Bytes(), []byte(manifest))
}
