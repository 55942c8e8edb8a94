// Package engine runs handlers: WebAssembly modules that answer HTTP requests
// in sandboxes. It speaks the published http-wasm ABI (module "http_handler")
// and Lectern's own module (guest/abi), and it is the only package that knows
// wazero.
//
// Why a frozen image? What one request leaves in a handler's memory must never
// reach the next. Starting the Go runtime anew for each request is safe and
// takes 4 ms. So a handler is started once, its memory and globals are frozen,
// and every sandbox is a copy-on-write mapping of them that is brought back
// after each request by copying the few pages that it wrote. Package rewrite
// prepares the module for that.
//
// Why fuel and not wazero's close-on-done? Close-on-done leaves native code at
// every turn of a loop, which makes rendering seven times slower, and closes
// the module. A counter in the module costs a few per cent.
package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"sync"

	"github.com/lectern-lms/lectern/host/engine/pool"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

// Options configure an Engine.
type Options struct {
	// CacheDir keeps compiled code between starts; "" keeps it in memory.
	CacheDir string
	// Sandboxes is how many instances of one handler may work at once.
	Sandboxes int
	// Memory, if not 0, is what the sandboxes of all handlers may take together,
	// in bytes; the cost of each is measured when its handler is loaded.
	Memory int64
	// Spares is how many instances of each handler wait for the next request.
	Spares int
	// Limits bound each sandbox; zero means DefaultLimits.
	Limits Limits
	// CopyImages restores sandboxes by copying the whole image even where the
	// system could tell which pages were written; for tests.
	CopyImages bool
	// Isolation is Pristine but for measurements of what that costs.
	Isolation Isolation
	// Logger receives what handlers log and why they fail.
	Logger *slog.Logger
	// Observer, if set, is told how long each sandbox worked and was started.
	Observer Observer
}

// Engine compiles handlers and owns their sandboxes.
type Engine struct {
	runtime wazero.Runtime
	cache   wazero.CompilationCache
	options Options
	way     restoreWay
	pool    *pool.Pool[*sandbox]

	// quiet is held shared by what allocates much while handlers are loaded side
	// by side, and alone while the cost of a sandbox is measured.
	quiet sync.RWMutex

	mu       sync.Mutex
	handlers map[*Handler]bool // nil after Close
}

// New makes an engine. It fails if this machine cannot run compiled
// WebAssembly, rather than fall back to an interpreter that is 22 times
// slower, or if the cache directory cannot be used.
func New(ctx context.Context, o Options) (*Engine, error) {
	if o.Limits == (Limits{}) {
		o.Limits = DefaultLimits
	}
	if o.Sandboxes < 1 || o.Spares < 0 {
		return nil, fmt.Errorf("engine: %d sandboxes and %d spares: there must be at least one sandbox", o.Sandboxes, o.Spares)
	}
	if o.Limits.MemoryPages < 1 || o.Limits.MemoryPages >= 1<<16 {
		return nil, fmt.Errorf("engine: the limit of %d pages of memory for a sandbox is not between 1 and 65535", o.Limits.MemoryPages)
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if runtime.GOARCH != "amd64" && runtime.GOARCH != "arm64" {
		return nil, fmt.Errorf("engine: handlers cannot be compiled for the processor type %s, only for amd64 and arm64", runtime.GOARCH)
	}
	if err := checkExecutable(); err != nil {
		return nil, fmt.Errorf("engine: %w", err)
	}
	cache, err := openCache(o.CacheDir)
	if err != nil {
		return nil, fmt.Errorf("engine: %w", err)
	}
	config := wazero.NewRuntimeConfigCompiler().
		WithCoreFeatures(api.CoreFeaturesV2).
		WithMemoryLimitPages(o.Limits.MemoryPages + 1). // see memory.Reallocate: shrinking needs room to grow
		WithCustomSections(true).
		WithCompilationCache(cache)
	e := &Engine{
		runtime: wazero.NewRuntimeWithConfig(ctx, config), cache: cache, options: o, way: bestWay(),
		pool: pool.New[*sandbox](o.Memory), handlers: map[*Handler]bool{},
	}
	if o.CopyImages {
		e.way = restoreByCopy
	}
	if o.Isolation != Pristine {
		o.Logger.Warn("handlers are not isolated as they should be; this mode is for measurements alone", "mode", o.Isolation.String())
	}
	o.Logger.Debug("sandboxes are restored", "by", e.way.String())
	if err := errors.Join(e.exportWASI(ctx), e.exportFuel(ctx), e.exportHTTP(ctx), e.exportLectern(ctx)); err != nil {
		return nil, errors.Join(fmt.Errorf("engine: %w", err), e.Close(ctx))
	}
	return e, nil
}

// register notes a handler to be closed with the engine. It reports false if
// the engine is closed already.
func (e *Engine) register(h *Handler) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.handlers == nil {
		return false
	}
	e.handlers[h] = true
	return true
}

// forget is the inverse of register.
func (e *Engine) forget(h *Handler) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.handlers, h)
}

// Close closes every handler, as Handler.Close does, and frees the engine.
func (e *Engine) Close(ctx context.Context) error {
	e.mu.Lock()
	handlers := e.handlers
	e.handlers = nil
	e.mu.Unlock()
	var faults []error
	for h := range handlers {
		faults = append(faults, h.Close(ctx))
	}
	return errors.Join(append(faults, e.runtime.Close(ctx), e.cache.Close(ctx))...)
}
