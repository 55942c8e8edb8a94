package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lectern-lms/lectern/guest/abi"
	"github.com/lectern-lms/lectern/host/engine/pool"
	"github.com/lectern-lms/lectern/host/engine/rewrite"
	"github.com/tetratelabs/wazero"
)

// Report is what Inspect finds out about a module.
type Report struct {
	Manifest *abi.Manifest
	// Imports are the host's functions that it may call, as "module.name", and
	// Exports its own functions; both in ascending order.
	Imports, Exports []string
	// Image is its memory after start-up, in bytes.
	Image int
	// Private is what a sandbox has of its own before its first request, in
	// bytes; the rest of its memory is the image's.
	Private int
	// Compile is the time to compile it or to read it from the cache, Start
	// that of its start-up, Clone that of one sandbox.
	Compile, Start, Clone time.Duration
	// Restore names the way in which its sandboxes are restored.
	Restore string
}

// Inspect compiles and starts a module as Load does, with the same errors, and
// tells what that took. It leaves nothing running.
func (e *Engine) Inspect(ctx context.Context, wasm []byte) (r Report, err error) {
	begin := time.Now()
	h, err := e.prepare(ctx, wasm)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, h.compiled.Close(ctx)) }()
	r = Report{Manifest: h.manifest, Compile: time.Since(begin), Restore: e.way.String()}
	r.Imports, r.Exports = functionNames(h.compiled)
	if err := r.measure(h); err != nil {
		return r, fmt.Errorf("engine: handler %s: %w", h.manifest.Name, err)
	}
	return r, nil
}

// measure makes the image and one sandbox on it.
func (r *Report) measure(h *Handler) (err error) {
	begin := time.Now()
	if h.image, err = h.newImage(); err != nil {
		return err
	}
	defer h.image.close()
	r.Start, r.Image = time.Since(begin), len(h.image.content)
	begin = time.Now()
	s, err := h.clone()
	if err != nil {
		return err
	}
	defer s.close()
	r.Clone = time.Since(begin)
	r.Private = s.memory.space.resident()
	return nil
}

// functionNames lists a module's imports and exports without those that
// rewriting has added.
func functionNames(compiled wazero.CompiledModule) (imports, exports []string) {
	for _, f := range compiled.ImportedFunctions() {
		if module, name, _ := f.Import(); module != rewrite.YieldModule {
			imports = append(imports, module+"."+name)
		}
	}
	for name := range compiled.ExportedFunctions() {
		if !strings.HasPrefix(name, rewrite.Prefix) {
			exports = append(exports, name)
		}
	}
	slices.Sort(imports)
	slices.Sort(exports)
	return imports, exports
}

// Usage tells how many sandboxes there are now, how many there may be, and what
// each costs.
func (h *Handler) Usage() pool.Stats { return h.lane.Stats() }
