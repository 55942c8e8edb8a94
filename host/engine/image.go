package engine

import (
	"context"
	"fmt"
	"time"

	"github.com/lectern-lms/lectern/host/engine/rewrite"
	"github.com/tetratelabs/wazero/experimental"
)

// linearMemory is the name that the rest of the package uses for wazero's.
type linearMemory = experimental.LinearMemory

// restoreWay is how a sandbox is brought back to its image.
type restoreWay int

const (
	// restoreByTrack asks the kernel for the pages that lost their write
	// protection (Linux 6.7, where userfaultfd is allowed).
	restoreByTrack restoreWay = iota
	// restoreByScan asks the kernel for the pages that are not the file's
	// (Linux 6.7).
	restoreByScan
	// restoreByPagemap reads the page table.
	restoreByPagemap
	// restoreByCopy copies the whole image; it works everywhere.
	restoreByCopy
)

// String names the way for the log.
func (w restoreWay) String() string {
	return [...]string{"tracking writes", "PAGEMAP_SCAN", "/proc/self/pagemap", "copying the image"}[w]
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
	// features are those that the handler enabled while it started.
	features uint32
}

// newImage starts a handler once and freezes what it has become.
func (h *Handler) newImage() (*image, error) {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	e := h.engine
	s, err := h.newSandbox(nil)
	if err != nil {
		return nil, err
	}
	defer s.close()
	c := s.begin(ctx, &Exchange{}, h.manifest.Config, h.limits, h.guestLog)
	c.logs = h.logs
	if err := s.start(h.module); err != nil {
		return nil, err
	}
	h.logOutput(s)
	im := &image{way: e.way, features: c.features}
	for _, g := range s.globals {
		im.globals = append(im.globals, g.Get())
	}
	live := s.memory.space.bytes()[:s.memory.length]
	if im.way == restoreByCopy {
		im.content = append([]byte(nil), live...)
		return im, nil
	}
	if im.file, err = freeze(live); err != nil {
		return nil, err
	}
	if im.content, err = im.file.view(len(live)); err != nil {
		im.file.close(nil)
		return nil, fmt.Errorf("an image cannot be read: %w", err)
	}
	return im, nil
}

// start writes the data segments and runs the module's start-up.
func (s *sandbox) start(module *rewrite.Module) error {
	for _, d := range module.Data {
		if !s.module.Memory().Write(d.Offset, d.Data) {
			return fmt.Errorf("a data segment of %d bytes at %d lies outside its memory", len(d.Data), d.Offset)
		}
	}
	names := []string{exportInitialize, warmUp}
	if s.module.ExportedFunction(exportInitialize) == nil {
		names[0] = exportStart
	}
	if module.HasStart {
		names = append([]string{rewrite.StartExport}, names...)
	}
	for _, name := range names {
		f := s.module.ExportedFunction(name)
		if f == nil {
			continue
		}
		if err := s.invoke(f); err != nil {
			return fmt.Errorf("its start-up (%s) failed: %w\n%s", name, err, s.output)
		}
	}
	return nil
}

// close frees the image; there is none in the modes without.
func (im *image) close() {
	if im != nil && im.file != nil {
		im.file.close(im.content)
	}
}
