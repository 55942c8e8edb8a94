package engine

import (
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// How many private pages a sandbox keeps. To copy them back is far quicker than
// to give them up and take page faults for them: 60 µs against 1 ms for 400. So
// more than keepPages are given up only at every dropEvery-th restore, and more
// than maxPrivatePages at once, so that one large request does not make a
// sandbox large for long.
const (
	keepPages       = 256
	maxPrivatePages = 1024
	dropEvery       = 64
)

// frozen is the content of an image in a sealed file in memory, which the
// sandboxes map copy-on-write.
type frozen struct{ fd int }

// freeze writes content into the file, leaving holes for pages of zeros, and
// seals it: nobody can change it any more, this process included.
func freeze(content []byte) (*frozen, error) {
	fd, err := unix.MemfdCreate("lectern-image", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		return nil, fmt.Errorf("engine: no file in memory for an image: %w", err)
	}
	f := &frozen{fd}
	if err := f.fill(content); err != nil {
		f.close(nil)
		return nil, fmt.Errorf("engine: an image cannot be written: %w", err)
	}
	return f, nil
}

func (f *frozen) fill(content []byte) error {
	if err := unix.Ftruncate(f.fd, int64(len(content))); err != nil {
		return err
	}
	for at := 0; at < len(content); at += osPage {
		page := content[at:min(at+osPage, len(content))]
		if allZero(page) {
			continue
		}
		if n, err := unix.Pwrite(f.fd, page, int64(at)); err != nil || n != len(page) {
			return fmt.Errorf("%d of %d bytes: %w", n, len(page), err)
		}
	}
	_, err := unix.FcntlInt(uintptr(f.fd), unix.F_ADD_SEALS, unix.F_SEAL_SEAL|unix.F_SEAL_SHRINK|unix.F_SEAL_GROW|unix.F_SEAL_WRITE)
	return err
}

// view maps the file to be read.
func (f *frozen) view(length int) ([]byte, error) {
	return unix.Mmap(f.fd, 0, length, unix.PROT_READ, unix.MAP_SHARED)
}

// close gives back the file and the view of it; sandboxes that still map the
// file keep it alive.
func (f *frozen) close(view []byte) {
	if view != nil {
		_ = unix.Munmap(view)
	}
	_ = unix.Close(f.fd)
}

// osPage is the unit of the system's memory.
var osPage = os.Getpagesize()

// allZero reports whether a page can be a hole in the file.
func allZero(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}

// mappedSpace is a reserved address range whose beginning maps an image,
// copy-on-write.
type mappedSpace struct {
	all       []byte
	image     *image
	committed int
	regions   []pageRegion
	restores  int // since pages were given up
}

// newSpace reserves a range. Nothing of it takes memory until it is written.
func newSpace(limit int, im *image) (space, error) {
	if im != nil && im.way == restoreByCopy {
		return newCopySpace(im), nil
	}
	all, err := unix.Mmap(-1, 0, limit, unix.PROT_NONE, unix.MAP_PRIVATE|unix.MAP_ANON|unix.MAP_NORESERVE)
	if err != nil {
		return nil, fmt.Errorf("engine: no address range for a sandbox: %w", err)
	}
	s := &mappedSpace{all: all, image: im}
	if im == nil {
		return s, nil
	}
	if err := s.mapImage(); err != nil {
		s.free()
		return nil, fmt.Errorf("engine: an image cannot be mapped: %w", err)
	}
	s.committed = len(im.content)
	return s, nil
}

// mapImage puts the image over the beginning of the range.
func (s *mappedSpace) mapImage() error {
	base, length := unsafe.Pointer(unsafe.SliceData(s.all)), uintptr(len(s.image.content))
	if length == 0 {
		return nil
	}
	_, err := unix.MmapPtr(s.image.file.fd, 0, base, length, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_FIXED)
	if err == nil && s.image.way == restoreByTrack {
		err = writes.watch(uintptr(base), length)
	}
	return err
}

func (s *mappedSpace) bytes() []byte { return s.all }

func (s *mappedSpace) commit(length int) error {
	if length <= s.committed {
		return nil
	}
	if err := unix.Mprotect(s.all[s.committed:length], unix.PROT_READ|unix.PROT_WRITE); err != nil {
		return err
	}
	s.committed = length
	return nil
}

// restore copies back the pages that the sandbox holds privately, and clears
// those behind the image. They stay private, so the next request that writes
// them takes no page fault.
func (s *mappedSpace) restore(length int) (int, error) {
	if s.image == nil {
		return 0, errNoImage
	}
	if s.committed == 0 {
		return 0, nil
	}
	base := uintptr(unsafe.Pointer(unsafe.SliceData(s.all)))
	var err error
	if s.regions, err = s.private(base); err != nil {
		return 0, err
	}
	total := 0
	for _, r := range s.regions {
		total += int(r.end - r.start)
	}
	if s.restores++; total > maxPrivatePages*osPage || (total > keepPages*osPage && s.restores >= dropEvery) {
		return total, s.drop()
	}
	content := s.image.content
	for _, r := range s.regions {
		from, to := int(uintptr(r.start)-base), min(int(uintptr(r.end)-base), length)
		if from < len(content) {
			from += copy(s.all[from:to], content[from:])
		}
		if from < to {
			clear(s.all[from:to]) // what is longer than this was cleared before
		}
	}
	return total, nil
}

// private finds the pages that the sandbox holds as its own.
func (s *mappedSpace) private(base uintptr) ([]pageRegion, error) {
	way, found := s.image.way, s.regions[:0]
	if way != restoreByTrack {
		return pages.private(found, base, base+uintptr(s.committed), way)
	}
	image := base + uintptr(len(s.image.content))
	found, err := pages.unmarked(found, base, image)
	if end := base + uintptr(s.committed); err == nil && image < end {
		found, err = pages.private(found, image, end, restoreByScan)
	}
	return found, err
}

// drop gives up all pages of the sandbox's own.
func (s *mappedSpace) drop() error {
	s.restores = 0
	err := unix.Madvise(s.all[:s.committed], unix.MADV_DONTNEED)
	if err == nil && s.image.way == restoreByTrack && len(s.image.content) > 0 {
		err = writes.mark(uintptr(unsafe.Pointer(unsafe.SliceData(s.all))), uintptr(len(s.image.content)))
	}
	return err
}

func (s *mappedSpace) resident() int {
	base := uintptr(unsafe.Pointer(unsafe.SliceData(s.all)))
	regions, err := pages.private(nil, base, base+uintptr(s.committed), restoreByPagemap)
	if err != nil {
		return s.committed
	}
	total := 0
	for _, r := range regions {
		total += int(r.end - r.start)
	}
	return total
}

func (s *mappedSpace) keeps() int { return min(len(s.all), maxPrivatePages*osPage) }

func (s *mappedSpace) free() { _ = unix.Munmap(s.all) }
