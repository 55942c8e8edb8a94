// Package handlertest gives the tests of the host real handlers: those of
// guest/handlers as they were built, and small ones of a test's own.
package handlertest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/lectern-lms/lectern/guest/abi"
)

// root is the top of the repository, found by its go.mod.
func root() (string, error) {
	dir, err := os.Getwd()
	for err == nil {
		if _, missing := os.Stat(filepath.Join(dir, "go.mod")); missing == nil {
			return dir, nil
		}
		up := filepath.Dir(dir)
		if up == dir {
			break
		}
		dir = up
	}
	return "", fmt.Errorf("handlertest: no go.mod above the working directory (%v): run the tests in the repository", err)
}

// Built reads a handler of guest/handlers, which `task guests` compiles.
func Built(name string) ([]byte, error) {
	top, err := root()
	if err != nil {
		return nil, err
	}
	module, err := os.ReadFile(filepath.Join(top, "guest", "handlers", "dist", name+".wasm"))
	if err != nil {
		return nil, fmt.Errorf("handlertest: the handler %s is not built, run `task guests` first: %w", name, err)
	}
	return module, nil
}

// Build compiles the handler in a folder, which has a manifest.json, as
// guest/pack does.
func Build(ctx context.Context, folder string) ([]byte, error) {
	manifest, err := os.ReadFile(filepath.Join(folder, "manifest.json"))
	if err != nil {
		return nil, fmt.Errorf("handlertest: %w", err)
	}
	if _, err := abi.ParseManifest(manifest); err != nil {
		return nil, fmt.Errorf("handlertest: %s: %w", folder, err)
	}
	out, err := os.CreateTemp("", "handler-*.wasm")
	if err != nil {
		return nil, fmt.Errorf("handlertest: %w", err)
	}
	defer os.Remove(out.Name())
	defer out.Close()
	cmd := exec.CommandContext(ctx, "go", "build", "-buildmode=c-shared", "-o", out.Name(), ".")
	cmd.Dir = folder
	cmd.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "CGO_ENABLED=0", "GOFLAGS=")
	if text, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("handlertest: %s does not compile: %w\n%s", folder, err, text)
	}
	module, err := os.ReadFile(out.Name())
	if err != nil {
		return nil, fmt.Errorf("handlertest: %w", err)
	}
	return abi.AppendManifest(module, manifest), nil
}
