package engine

import (
	"cmp"
	"context"
	"fmt"
	"net/http"

	"github.com/lectern-lms/lectern/host/engine/rewrite"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
)

// maxOutput is how much of a guest's standard output and error is kept.
const maxOutput = 32 << 10

// sandbox is one instance of a handler on its image. It serves one request at
// a time, each in the state of the image.
type sandbox struct {
	module            api.Module
	image             *image
	memory            *memory
	globals           []api.MutableGlobal
	fuel              api.MutableGlobal // nil in the modes without
	request, response api.Function
	// stack holds the parameters and results of a call of the guest.
	stack [2]uint64
	// spoilt is why the request that has just ended failed, "" if it did not.
	spoilt string
	// call is the request that is under way, empty in between.
	call call
	// output is the beginning of what the guest printed: a Go panic begins
	// with its message and the stack of the goroutine that panicked.
	output []byte
}

// newSandbox instantiates the handler on an image; a nil image gives an empty
// memory for building one.
func (h *Handler) newSandbox(im *image) (*sandbox, error) {
	a := &allocator{image: im, limit: int(min(h.limits.MemoryPages, h.module.MaxPages)) * wasmPage}
	s, err := h.newInstance(a)
	if err != nil {
		return nil, err
	}
	if a.err != nil {
		s.close()
		return nil, fmt.Errorf("a sandbox cannot be made: %w", a.err)
	}
	s.image, s.memory = im, a.memory
	for _, name := range h.module.Globals {
		s.globals = append(s.globals, s.module.ExportedGlobal(name).(api.MutableGlobal))
	}
	s.fuel = s.module.ExportedGlobal(rewrite.FuelExport).(api.MutableGlobal)
	if im == nil {
		return s, nil
	}
	if err := s.adopt(); err != nil {
		s.close()
		return nil, fmt.Errorf("a sandbox cannot be made: %w", err)
	}
	return s, nil
}

// newInstance instantiates the module with a memory from a, or with wazero's
// own if that is nil. The context of a request plays no part: a reader who
// goes away must not stop the making of a sandbox half-way.
func (h *Handler) newInstance(a *allocator) (*sandbox, error) {
	s := &sandbox{}
	ctx := context.Background()
	if a != nil {
		ctx = experimental.WithMemoryAllocator(ctx, a)
	}
	config := wazero.NewModuleConfig().
		WithName("").
		WithStartFunctions().
		WithStdout((*printer)(s)).
		WithStderr((*printer)(s)).
		WithRandSource(s).
		WithSysWalltime().
		WithNanotime(s.nanotime, 1).
		WithNanosleep(s.sleep)
	var err error
	if s.module, err = h.engine.runtime.InstantiateModule(ctx, h.compiled, config); err != nil {
		return nil, fmt.Errorf("a sandbox cannot be made: %w", err)
	}
	s.request = s.module.ExportedFunction(exportHandleReq)
	s.response = s.module.ExportedFunction(exportHandleResp)
	return s, nil
}

// adopt gives a new instance the image's size and globals; its memory is the
// image's already.
func (s *sandbox) adopt() error {
	if missing := (len(s.image.content) - s.memory.length) / wasmPage; missing > 0 {
		if _, ok := s.module.Memory().Grow(uint32(missing)); !ok {
			return fmt.Errorf("its memory cannot have the %d bytes of its image", len(s.image.content))
		}
	}
	s.restoreGlobals()
	return nil
}

// begin makes x the sandbox's request, under the deadline of ctx.
func (s *sandbox) begin(ctx context.Context, x *Exchange, config string, limits Limits, log func(int32, string)) *call {
	x.Response.Status = cmp.Or(x.Response.Status, http.StatusOK) // middleware may have set one
	c := &s.call
	*c = call{Context: ctx, x: x, config: config, limits: limits, log: log, sandbox: s}
	c.deadline, c.hasDeadline = ctx.Deadline()
	if s.image != nil {
		c.features = s.image.features
	}
	return c
}

// invoke calls a guest function with fuel. The parameters are in s.stack, the
// results will be.
func (s *sandbox) invoke(f api.Function) error {
	if s.fuel != nil {
		s.fuel.Set(firstShare)
	}
	return f.CallWithStack(&s.call, s.stack[:])
}

// reset brings the sandbox back to its image and tells how many bytes that
// took. If it fails, the sandbox must not be used again.
func (s *sandbox) reset() (written int, err error) {
	if written, err = s.memory.space.restore(s.memory.length); err != nil {
		return written, err
	}
	if size := len(s.image.content); s.memory.length != size {
		s.memory.shrinkTo = size
		if _, ok := s.module.Memory().Grow(1); !ok {
			return written, fmt.Errorf("engine: a memory of %d bytes cannot shrink to its image", s.memory.length)
		}
	}
	s.restoreGlobals()
	s.output = s.output[:0]
	s.call = call{}
	return written, nil
}

// renewable reports whether a sandbox in which a request failed can begin anew
// in place of another one. An instance that wazero has closed cannot, and in
// the modes without an image nothing is known of what it holds.
func (s *sandbox) renewable() bool { return s.image != nil && !s.module.IsClosed() }

// renew makes new call stacks after a request that failed. With what reset
// does for every request, the sandbox is then what a new one is: memory and
// globals are the image's, and there is nothing else, since the rewriter
// refuses modules that change their tables. It takes a microsecond, a clone
// 300, so a handler that fails again and again takes no time from the others.
func (s *sandbox) renew() {
	s.request = s.module.ExportedFunction(exportHandleReq)
	s.response = s.module.ExportedFunction(exportHandleResp)
	s.spoilt = ""
}

// restoreGlobals gives the sandbox the image's globals.
func (s *sandbox) restoreGlobals() {
	for i, g := range s.globals {
		g.Set(s.image.globals[i])
	}
}

func (s *sandbox) close() { _ = s.module.Close(context.Background()) }

// printer is a sandbox as the guest's standard output and error.
type printer sandbox

// Write keeps what fits and takes the rest as written, so that a guest which
// prints without end is not told so.
func (p *printer) Write(text []byte) (int, error) {
	p.call.checkTime()
	p.output = append(p.output, text[:min(len(text), maxOutput-len(p.output))]...)
	return len(text), nil
}
