package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"time"

	"github.com/lectern-lms/lectern/guest/abi"
	"github.com/lectern-lms/lectern/host/engine/rewrite"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

// Handler is a loaded handler with its pool of sandboxes.
type Handler struct {
	manifest *abi.Manifest
	engine   *Engine
	compiled wazero.CompiledModule
	module   *rewrite.Module
	image    *image
	pool     *pool[*sandbox]
	log      *slog.Logger
}

// Load compiles a handler, checks its manifest, imports and exports, and
// starts its first sandboxes. The error says what is wrong with the module.
func (e *Engine) Load(ctx context.Context, wasm []byte) (*Handler, error) {
	module, err := rewrite.Rewrite(wasm)
	if err != nil {
		return nil, fmt.Errorf("engine: %w", err)
	}
	compiled, err := e.runtime.CompileModule(compileContext(ctx, runtime.GOMAXPROCS(0)), module.Wasm)
	if err != nil {
		return nil, fmt.Errorf("engine: the module cannot be compiled: %w", err)
	}
	h, err := e.newHandler(compiled, module)
	if err != nil {
		return nil, errors.Join(err, compiled.Close(ctx))
	}
	return h, nil
}

func (e *Engine) newHandler(compiled wazero.CompiledModule, module *rewrite.Module) (*Handler, error) {
	manifest, err := findManifest(compiled)
	if err != nil {
		return nil, fmt.Errorf("engine: %w", err)
	}
	if err := checkModule(compiled); err != nil {
		return nil, fmt.Errorf("engine: handler %s: %w", manifest.Name, err)
	}
	h := &Handler{manifest: manifest, engine: e, compiled: compiled, module: module, log: e.options.Logger.With("handler", manifest.Name)}
	if h.image, err = newImage(e.runtime, compiled, module, e.way, e.options.Limits); err != nil {
		return nil, fmt.Errorf("engine: handler %s: %w", manifest.Name, err)
	}
	module.Wasm, module.Data = nil, nil // they live on in the compiled code and the image
	if h.pool, err = newPool(e.options.Sandboxes, e.options.Spares, h.clone, (*sandbox).reset, (*sandbox).close); err != nil {
		h.image.close()
		return nil, fmt.Errorf("engine: handler %s: %w", manifest.Name, err)
	}
	return h, nil
}

// clone makes a sandbox on the image.
func (h *Handler) clone() (*sandbox, error) {
	begin := time.Now()
	s, err := newSandbox(h.engine.runtime, h.compiled, h.module, h.image, h.engine.options.Limits)
	if err == nil && h.engine.options.Observer != nil {
		h.engine.options.Observer.Started(h.manifest.Name, time.Since(begin))
	}
	return s, err
}

// findManifest reads the manifest from its custom section.
func findManifest(compiled wazero.CompiledModule) (*abi.Manifest, error) {
	for _, s := range compiled.CustomSections() {
		if s.Name() == abi.ManifestSection {
			return abi.ParseManifest(s.Data())
		}
	}
	return nil, fmt.Errorf("the module has no custom section %s: build it with `task guests`", abi.ManifestSection)
}

// checkModule makes sure of everything that a request relies on.
func checkModule(compiled wazero.CompiledModule) error {
	if compiled.ExportedMemories()[exportMemory] == nil {
		return errors.New("it does not export its memory as \"memory\"")
	}
	i32, i64 := api.ValueTypeI32, api.ValueTypeI64
	functions := compiled.ExportedFunctions()
	return errors.Join(
		checkExport(functions, exportHandleReq, nil, []api.ValueType{i64}),
		checkExport(functions, exportHandleResp, []api.ValueType{i32, i32}, nil),
		checkImports(compiled))
}

// checkExport makes sure that a function is exported with a signature.
func checkExport(functions map[string]api.FunctionDefinition, name string, params, results []api.ValueType) error {
	f := functions[name]
	if f == nil {
		return fmt.Errorf("it does not export the function %s", name)
	}
	if string(f.ParamTypes()) != string(params) || string(f.ResultTypes()) != string(results) {
		return fmt.Errorf("its export %s has the wrong signature", name)
	}
	return nil
}

// checkImports names every import that this host does not have.
func checkImports(compiled wazero.CompiledModule) error {
	var faults []error
	for _, f := range compiled.ImportedFunctions() {
		module, name, _ := f.Import()
		switch module {
		case httpModule, abi.Module, wasiModule, rewrite.YieldModule:
		default:
			faults = append(faults, fmt.Errorf("it imports %s.%s, which this host does not have", module, name))
		}
	}
	return errors.Join(faults...)
}

// Manifest is what the handler says of itself; it must not be changed.
func (h *Handler) Manifest() *abi.Manifest { return h.manifest }

// Close ends the handler's idle sandboxes and frees its code. No request may
// be under way.
func (h *Handler) Close(ctx context.Context) error {
	h.pool.close()
	h.image.close()
	return h.compiled.Close(ctx)
}

// Serve answers x.Request in x.Response with a sandbox of its own. The error
// is ErrBusy, a *Failure, or the error of x.Next.
func (h *Handler) Serve(ctx context.Context, x *Exchange) error {
	s, err := h.pool.get(ctx)
	if err != nil {
		return err
	}
	sound := false
	defer func() { h.pool.put(s, sound) }()
	begin := time.Now()
	err = h.run(ctx, s, x)
	cause := ""
	var failure *Failure
	if errors.As(err, &failure) {
		cause = failure.Cause
	}
	if h.engine.options.Observer != nil {
		h.engine.options.Observer.Served(h.manifest.Name, time.Since(begin), cause)
	}
	sound = cause == ""
	if sound && len(s.output.text) > 0 {
		h.log.Info("the handler printed", "output", strings.TrimSpace(s.output.String()))
	}
	return err
}

// run calls the guest's handle_request and, if it asks for it, the next
// handler and handle_response.
func (h *Handler) run(ctx context.Context, s *sandbox, x *Exchange) error {
	x.Response.Status = defaultStatus
	c := &call{x: x, config: []byte(h.manifest.Config), limits: h.engine.options.Limits, log: h.guestLog}
	result, err := s.invoke(ctx, c, s.request)
	if err != nil {
		return newFailure(h.manifest.Name, err, s.output.String())
	}
	if uint32(result[0]) != 1 {
		return nil
	}
	c.wroteRequest, c.wroteResponse = false, false
	nextErr := error(nil)
	if x.Next == nil {
		x.Response.Status = 404
	} else {
		nextErr = x.Next(ctx, x)
	}
	isError := uint64(0)
	if nextErr != nil {
		isError = 1
	}
	if _, err := s.invoke(ctx, c, s.response, result[0]>>32, isError); err != nil {
		return newFailure(h.manifest.Name, err, s.output.String())
	}
	return nextErr
}

// guestLog writes a guest's message at http-wasm's level: -1 debug, 0 info,
// 1 warn, 2 error.
func (h *Handler) guestLog(level int32, message string) {
	levels := map[int32]slog.Level{-1: slog.LevelDebug, 0: slog.LevelInfo, 1: slog.LevelWarn, 2: slog.LevelError}
	h.log.Log(context.Background(), levels[level], message)
}
