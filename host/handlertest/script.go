package handlertest

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/lectern-lms/lectern/guest/abi"
)

// Scripted makes a handler that does what the config of its manifest says, one
// step a line; testdata/script.c tells which steps there are. It is written in
// C against the published http-wasm ABI, and is small: compiling it for a
// manifest takes little time. A request with the header X-Steps brings its own.
func Scripted(m abi.Manifest, steps ...string) ([]byte, error) {
	module, err := script()
	if err != nil {
		return nil, err
	}
	m.ABI, m.Config = abi.Version, strings.Join(steps, "\n")
	manifest, err := json.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("handlertest: %w", err)
	}
	if _, err := abi.ParseManifest(manifest); err != nil {
		return nil, fmt.Errorf("handlertest: %w", err)
	}
	return abi.AppendManifest(slices.Clone(module), manifest), nil
}

// ScriptedGuest is the module of Scripted without a manifest, as others
// publish theirs.
func ScriptedGuest() ([]byte, error) { return script() }

// script compiles it once.
var script = sync.OnceValues(func() ([]byte, error) {
	top, err := root()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "lectern-script-")
	if err != nil {
		return nil, fmt.Errorf("handlertest: %w", err)
	}
	defer os.RemoveAll(dir)
	out := filepath.Join(dir, "script.wasm")
	cmd := exec.Command("clang", "--target=wasm32", "-std=c11", "-O2", "-Wall", "-Wextra", "-Werror", "-ffreestanding", "-nostdlib",
		"-Wl,--no-entry", "-I", filepath.Join(top, "guest", "examples", "c"), "-o", out, filepath.Join(top, "host", "handlertest", "testdata", "script.c"))
	text, err := cmd.CombinedOutput()
	if errors.Is(err, exec.ErrNotFound) {
		return nil, fmt.Errorf("handlertest: handlers in C need clang and lld with the target wasm32, as Debian's packages of these names are: %w", err)
	}
	if err != nil {
		return nil, fmt.Errorf("handlertest: the scripted handler does not compile: %w\n%s", err, text)
	}
	module, err := os.ReadFile(out)
	if err != nil {
		return nil, fmt.Errorf("handlertest: %w", err)
	}
	return module, nil
})
