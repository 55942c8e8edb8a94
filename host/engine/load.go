package engine

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"

	"github.com/lectern-lms/lectern/guest/abi"
	"github.com/lectern-lms/lectern/host/engine/pool"
	"github.com/lectern-lms/lectern/host/engine/rewrite"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

// Load compiles a handler, checks its manifest, imports and exports, and
// starts its first sandboxes. The error says what is wrong with the module.
func (e *Engine) Load(ctx context.Context, wasm []byte) (*Handler, error) {
	h, err := e.prepare(ctx, wasm)
	if err != nil {
		return nil, err
	}
	if err := h.ready(); err != nil {
		return nil, errors.Join(fmt.Errorf("engine: handler %s: %w", h.manifest.Name, err), h.compiled.Close(ctx))
	}
	return h, nil
}

// prepare compiles a module and checks it; the handler has no image yet.
func (e *Engine) prepare(ctx context.Context, wasm []byte) (*Handler, error) {
	e.quiet.RLock()
	defer e.quiet.RUnlock()
	module, err := e.options.Isolation.rewrite(wasm)
	if err != nil {
		return nil, fmt.Errorf("engine: %w", err)
	}
	compiled, err := e.compile(compileContext(ctx, runtime.GOMAXPROCS(0)), module.Wasm)
	if err != nil {
		return nil, fmt.Errorf("engine: the module cannot be compiled: %w", err)
	}
	manifest, err := findManifest(compiled)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("engine: %w", err), compiled.Close(ctx))
	}
	limits, err := e.options.Limits.narrow(manifest.Limits)
	if err := errors.Join(err, checkModule(compiled, module, limits)); err != nil {
		return nil, errors.Join(fmt.Errorf("engine: handler %s: %w", manifest.Name, err), compiled.Close(ctx))
	}
	h := &Handler{
		manifest: manifest, engine: e, compiled: compiled, module: module, limits: limits,
		log: e.options.Logger.With("handler", manifest.Name), meter: noMeter{},
	}
	if e.options.Observer != nil {
		h.meter = e.options.Observer.Handler(manifest.Name)
	}
	return h, nil
}

// ready makes the handler's image and its first sandboxes.
func (h *Handler) ready() (err error) {
	if !h.engine.options.Isolation.plain() {
		h.engine.quiet.RLock()
		h.image, err = h.newImage()
		h.engine.quiet.RUnlock()
		if err != nil {
			return err
		}
	}
	h.module.Wasm, h.module.Data = nil, nil // they live on in the compiled code and the image
	var cost int64
	if h.image != nil {
		if cost, err = h.Cost(); err != nil {
			h.image.close()
			return err
		}
	}
	o := h.engine.options
	h.lane, err = h.engine.pool.Open(pool.Options[*sandbox]{
		Create: h.clone, Reset: h.reset, Destroy: h.destroy,
		Most: h.most(), Spares: o.Spares, Cost: cost,
	})
	if err == nil {
		if h.engine.register(h) {
			return nil
		}
		h.lane.Close()
		err = ErrClosed
	}
	h.image.close()
	return err
}

// most is how many sandboxes may work at once, as far as memory allows.
func (h *Handler) most() int {
	if asked := h.manifest.Limits.Sandboxes; asked > 0 {
		return min(asked, h.engine.options.Sandboxes)
	}
	return h.engine.options.Sandboxes
}

// findManifest reads the manifest from its custom section.
func findManifest(compiled wazero.CompiledModule) (*abi.Manifest, error) {
	var found []api.CustomSection
	for _, s := range compiled.CustomSections() {
		if s.Name() == abi.ManifestSection {
			found = append(found, s)
		}
	}
	switch len(found) {
	case 0:
		return nil, fmt.Errorf("the module has no custom section %s: build it with `task guests`", abi.ManifestSection)
	case 1:
		return abi.ParseManifest(found[0].Data())
	}
	return nil, fmt.Errorf("the module has %d custom sections %s; it must have one, or nobody can tell which counts", len(found), abi.ManifestSection)
}

// checkModule makes sure of everything that a request relies on.
func checkModule(compiled wazero.CompiledModule, module *rewrite.Module, limits Limits) error {
	if compiled.ExportedMemories()[exportMemory] == nil {
		return errors.New("it does not export its memory as \"memory\"")
	}
	if module.MinPages > limits.MemoryPages {
		return fmt.Errorf("its memory begins with %d pages of 64 KiB, the limit is %d", module.MinPages, limits.MemoryPages)
	}
	i32, i64 := api.ValueTypeI32, api.ValueTypeI64
	functions := compiled.ExportedFunctions()
	faults := []error{
		checkExport(functions, exportHandleReq, nil, []api.ValueType{i64}),
		checkExport(functions, exportHandleResp, []api.ValueType{i32, i32}, nil),
		checkImports(compiled),
	}
	for _, name := range []string{exportInitialize, exportStart, warmUp} {
		if functions[name] != nil {
			faults = append(faults, checkExport(functions, name, nil, nil))
		}
	}
	return errors.Join(faults...)
}

// checkExport makes sure that a function is exported with a signature.
func checkExport(functions map[string]api.FunctionDefinition, name string, params, results []api.ValueType) error {
	f := functions[name]
	if f == nil {
		return fmt.Errorf("it does not export the function %s", name)
	}
	if !slices.Equal(f.ParamTypes(), params) || !slices.Equal(f.ResultTypes(), results) {
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
