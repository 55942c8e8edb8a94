package engine

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/experimental"
)

// openCache gives the cache of compiled code in a directory, which is made if
// need be, or in memory if there is none.
func openCache(dir string) (wazero.CompilationCache, error) {
	if dir == "" {
		return wazero.NewCompilationCache(), nil
	}
	cache, err := wazero.NewCompilationCacheWithDir(dir)
	if err == nil {
		err = tryWriting(dir)
	}
	if err != nil {
		return nil, fmt.Errorf("the cache of compiled handlers in %s cannot be used: %w", dir, err)
	}
	return cache, nil
}

// tryWriting makes sure that files can be made in a directory: wazero would
// only find out after minutes of compiling.
func tryWriting(dir string) error {
	f, err := os.CreateTemp(dir, "try")
	if err != nil {
		return err
	}
	_, err = f.WriteString("try")
	return errors.Join(err, f.Close(), os.Remove(f.Name()))
}

// compile compiles a module or takes its code from the cache. A cache that has
// been damaged is emptied: it only saves time.
func (e *Engine) compile(ctx context.Context, wasm []byte) (wazero.CompiledModule, error) {
	compiled, err := e.runtime.CompileModule(ctx, wasm)
	if err == nil || e.options.CacheDir == "" || !ofCache(err) {
		return compiled, err
	}
	e.options.Logger.Warn("the cache of compiled handlers is damaged and is made anew", "directory", e.options.CacheDir, "error", err)
	entries, globErr := filepath.Glob(filepath.Join(e.options.CacheDir, "wazero-*", "*"))
	for _, entry := range entries {
		globErr = errors.Join(globErr, os.RemoveAll(entry))
	}
	if globErr != nil {
		e.options.Logger.Warn("the cache of compiled handlers cannot be emptied", "directory", e.options.CacheDir, "error", globErr)
	}
	// If it was the writing that failed, the code is in memory by now.
	return e.runtime.CompileModule(ctx, wasm)
}

// ofCache reports whether an error of compiling came from the cache's files.
func ofCache(err error) bool {
	var file *fs.PathError
	return errors.As(err, &file) || strings.Contains(err.Error(), "compilationcache: ")
}

// compileContext asks wazero to use some goroutines while it compiles.
func compileContext(ctx context.Context, workers int) context.Context {
	return experimental.WithCompilationWorkers(ctx, workers)
}
