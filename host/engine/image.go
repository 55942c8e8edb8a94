package engine

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"github.com/lectern-lms/lectern/host/engine/rewrite"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
)

// linearMemory is the name that the rest of the package uses for wazero's.
type linearMemory = experimental.LinearMemory

// restoreWay is how a sandbox is brought back to its image.
type restoreWay int

const (
	// restoreByScan asks the kernel for the written pages (Linux 6.7).
	restoreByScan restoreWay = iota
	// restoreByPagemap reads the page table.
	restoreByPagemap
	// restoreByCopy copies the whole image; it works everywhere.
	restoreByCopy
)

// String names the way for the log.
func (w restoreWay) String() string {
	return [...]string{"PAGEMAP_SCAN", "/proc/self/pagemap", "copying the image"}[w]
}

const (
	// startTimeout bounds the start of a handler: the Go runtime takes about
	// 4 ms, a loaded machine may take a hundred times that.
	startTimeout = 10 * time.Second
	// warmUp is an export that a handler may have to prepare its image.
	warmUp = "lectern_warm_up"
)

// image is a handler after its start-up: the memory and globals from which
// every sandbox is made and to which it goes back.
type image struct {
	way     restoreWay
	file    *frozen
	content []byte
	globals []uint64
}

// newImage starts a handler once and freezes what it has become.
func newImage(runtime wazero.Runtime, compiled wazero.CompiledModule, module *rewrite.Module, way restoreWay, limits Limits) (*image, error) {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	s, err := newSandbox(runtime, compiled, module, nil, limits)
	if err != nil {
		return nil, err
	}
	defer s.close()
	if err := s.start(ctx, module); err != nil {
		return nil, err
	}
	im := &image{way: way}
	for _, g := range s.globals {
		im.globals = append(im.globals, g.Get())
	}
	live := s.memory.space.bytes()[:s.memory.length]
	if way == restoreByCopy {
		im.content = append([]byte(nil), live...)
		return im, nil
	}
	if im.file, err = freeze(live); err != nil {
		return nil, err
	}
	if im.content, err = im.file.view(len(live)); err != nil {
		im.file.close(nil)
		return nil, fmt.Errorf("engine: an image cannot be read: %w", err)
	}
	return im, nil
}

// start writes the data segments and runs the module's start-up.
func (s *sandbox) start(ctx context.Context, module *rewrite.Module) error {
	for _, d := range module.Data {
		if !s.module.Memory().Write(d.Offset, d.Data) {
			return fmt.Errorf("a data segment of %d bytes at %d lies outside its memory", len(d.Data), d.Offset)
		}
	}
	c := &call{x: &Exchange{}, limits: DefaultLimits, log: func(int32, string) {}}
	names := []string{exportInitialize, warmUp}
	if s.module.ExportedFunction(exportInitialize) == nil {
		names[0] = "_start"
	}
	if module.HasStart {
		names = append([]string{rewrite.StartExport}, names...)
	}
	for _, name := range names {
		f := s.module.ExportedFunction(name)
		if f == nil {
			continue
		}
		if _, err := s.invoke(ctx, c, f); err != nil {
			return fmt.Errorf("its start-up (%s) failed: %w\n%s", name, err, s.output)
		}
	}
	return nil
}

// newSandbox instantiates a handler on an image; a nil image gives an empty
// memory for building one. The context of a request plays no part: a reader
// who goes away must not stop the making of a sandbox half-way.
func newSandbox(runtime wazero.Runtime, compiled wazero.CompiledModule, module *rewrite.Module, im *image, limits Limits) (*sandbox, error) {
	s := &sandbox{image: im, output: &output{}}
	a := &allocator{image: im, limit: int(limits.MemoryPages) * wasmPage}
	ctx := experimental.WithMemoryAllocator(context.Background(), a)
	config := wazero.NewModuleConfig().
		WithName("").
		WithStartFunctions().
		WithStdout(s.output).
		WithStderr(s.output).
		WithRandSource(rand.Reader).
		WithSysWalltime().
		WithSysNanotime().
		WithNanosleep(s.sleep)
	var err error
	if s.module, err = runtime.InstantiateModule(ctx, compiled, config); err != nil {
		return nil, fmt.Errorf("a sandbox cannot be made: %w", err)
	}
	if a.err != nil {
		s.close()
		return nil, fmt.Errorf("a sandbox cannot be made: %w", a.err)
	}
	s.memory = a.memory
	for _, name := range module.Globals {
		s.globals = append(s.globals, s.module.ExportedGlobal(name).(api.MutableGlobal))
	}
	s.fuel = s.module.ExportedGlobal(rewrite.FuelExport).(api.MutableGlobal)
	s.request = s.module.ExportedFunction(exportHandleReq)
	s.response = s.module.ExportedFunction(exportHandleResp)
	if im == nil {
		return s, nil
	}
	if err := s.adopt(); err != nil {
		s.close()
		return nil, fmt.Errorf("a sandbox cannot be made: %w", err)
	}
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

func (im *image) close() {
	if im.file != nil {
		im.file.close(im.content)
	}
}
