package handlertest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/lectern-lms/lectern/host/engine"
)

// childVariable tells a test binary to compile the modules in a directory into
// the cache there and to run no test.
const childVariable = "LECTERN_TEST_COMPILE"

// Kit compiles the handlers of one package's tests, at the first test that
// needs them: a run of the package's fuzz targets needs none.
//
// Under the race detector the engine's compiler is more than ten times slower,
// 40 to 70 s a handler where 3 s do, and what it makes is the same. So the
// package's own test binary is built and started once more, without the
// detector, and compiles. (Another program would not do: the engine keeps the
// code of different builds of itself apart.)
type Kit struct {
	// Modules gives the handlers.
	Modules func(context.Context) ([][]byte, error)

	once sync.Once
	dir  string
	list [][]byte
	err  error
}

// Run is the body of a TestMain; it returns the exit code.
func (k *Kit) Run(m *testing.M) int {
	if dir := os.Getenv(childVariable); dir != "" {
		return exitCode(compile(context.Background(), dir))
	}
	defer func() { os.RemoveAll(k.dir) }()
	return m.Run()
}

// Ready gives the modules and an engine's cache directory in which they are
// compiled already, if that saves time.
func (k *Kit) Ready() (modules [][]byte, cacheDir string, err error) {
	k.once.Do(func() { k.err = k.prepare(context.Background()) })
	return k.list, k.dir, k.err
}

// prepare does the work of Ready.
func (k *Kit) prepare(ctx context.Context) error {
	var err error
	if k.list, err = k.Modules(ctx); err != nil {
		return err
	}
	if k.dir, err = os.MkdirTemp("", "lectern-handlers-"); err != nil {
		return fmt.Errorf("handlertest: %w", err)
	}
	if !slowCompiler {
		return nil
	}
	return compileElsewhere(ctx, k.dir, k.list)
}

// exitCode reports an error.
func exitCode(err error) int {
	if err == nil {
		return 0
	}
	fmt.Fprintln(os.Stderr, err)
	return 1
}

// compileElsewhere starts the child.
func compileElsewhere(ctx context.Context, dir string, modules [][]byte) error {
	for i, module := range modules {
		if err := os.WriteFile(filepath.Join(dir, strconv.Itoa(i)+".wasm"), module, 0o600); err != nil {
			return fmt.Errorf("handlertest: %w", err)
		}
	}
	cmd := exec.CommandContext(ctx, "go", "test", "-count=1", "-vet=off", ".")
	cmd.Env = append(os.Environ(), childVariable+"="+dir, "GOFLAGS=")
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("handlertest: the handlers cannot be compiled ahead: %w\n%s", err, strings.TrimSpace(string(text)))
	}
	return nil
}

// compile is what the child does: it loads each module in a directory, which
// leaves its code in the cache there.
func compile(ctx context.Context, dir string) error {
	files, err := filepath.Glob(filepath.Join(dir, "*.wasm"))
	if err != nil || len(files) == 0 {
		return errors.Join(errors.New("handlertest: there is nothing to compile in "+dir), err)
	}
	slices.Sort(files)
	e, err := engine.New(ctx, engine.Options{CacheDir: dir, Sandboxes: 1, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	for _, file := range files {
		module, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		h, err := e.Load(ctx, module)
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		if err := h.Close(ctx); err != nil {
			return err
		}
	}
	return e.Close(ctx)
}
