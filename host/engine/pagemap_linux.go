package engine

import (
	"bytes"
	"errors"
	"fmt"
	"sync"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// pagemap is the process's view of its own page tables.
type pagemap struct {
	once sync.Once
	fd   int
	err  error
}

// pages is this process's page table.
var pages pagemap

func (p *pagemap) open() error {
	p.once.Do(func() {
		p.fd, p.err = unix.Open("/proc/self/pagemap", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	})
	return p.err
}

// pageRegion is a run of pages, as the kernel's struct page_region has it.
type pageRegion struct{ start, end, categories uint64 }

// scanArgument is the kernel's struct pm_scan_arg (linux/fs.h, Linux 6.7).
type scanArgument struct {
	size, flags, start, end, walkEnd, vec, vecLen, maxPages   uint64
	categoryInverted, categoryMask, categoryAnyOf, returnMask uint64
}

// The categories of pages in PAGEMAP_SCAN, and its number:
// _IOWR('f', 16, struct pm_scan_arg).
const (
	pageIsWritten = 1 << 1
	pageIsFile    = 1 << 2
	pageIsPresent = 1 << 3
	pageIsSwapped = 1 << 4
	pageIsZero    = 1 << 5 // the page of zeros that all share
	pagemapScan   = 0xc0606610
)

// private appends the runs of pages in a range that are the process's own
// copies: present or swapped out, and not of the file that is mapped there.
func (p *pagemap) private(into []pageRegion, start, end uintptr, way restoreWay) ([]pageRegion, error) {
	if err := p.open(); err != nil {
		return nil, err
	}
	if way == restoreByPagemap {
		return p.read(into, start, end)
	}
	return p.scan(into, start, end, scanArgument{
		categoryInverted: pageIsFile | pageIsZero, categoryMask: pageIsFile | pageIsZero, categoryAnyOf: pageIsPresent | pageIsSwapped, returnMask: pageIsPresent,
	})
}

// unmarked appends the runs of pages in a tracked range that have been
// written.
func (p *pagemap) unmarked(into []pageRegion, start, end uintptr) ([]pageRegion, error) {
	if err := p.open(); err != nil {
		return nil, err
	}
	return p.scan(into, start, end, scanArgument{categoryMask: pageIsWritten, returnMask: pageIsWritten})
}

// scan appends the runs of pages that a PAGEMAP_SCAN finds.
func (p *pagemap) scan(into []pageRegion, start, end uintptr, arg scanArgument) ([]pageRegion, error) {
	for start < end {
		if cap(into)-len(into) < 16 {
			into = append(make([]pageRegion, 0, 2*cap(into)+64), into...)
		}
		free := into[len(into):cap(into)]
		arg.size, arg.start, arg.end = uint64(unsafe.Sizeof(arg)), uint64(start), uint64(end)
		arg.vec, arg.vecLen = uint64(uintptr(unsafe.Pointer(&free[0]))), uint64(len(free))
		n, _, errno := syscall.Syscall(syscall.SYS_IOCTL, uintptr(p.fd), pagemapScan, uintptr(unsafe.Pointer(&arg)))
		if errno != 0 {
			return nil, fmt.Errorf("engine: the written pages cannot be found: %w", errno)
		}
		into = into[:len(into)+int(n)]
		start = uintptr(arg.walkEnd)
	}
	return into, nil
}

// The bits of an entry of /proc/self/pagemap.
const (
	entryPresent = 1 << 63
	entrySwapped = 1 << 62
	entryFile    = 1 << 61
)

// read is private for kernels before 6.7: it reads an entry for each page.
func (p *pagemap) read(into []pageRegion, start, end uintptr) ([]pageRegion, error) {
	const batch = 512
	var entries [batch]uint64
	raw := unsafe.Slice((*byte)(unsafe.Pointer(&entries)), batch*8)
	for at := start; at < end; {
		n := min(batch, int(end-at)/osPage)
		if got, err := unix.Pread(p.fd, raw[:n*8], int64(at)/int64(osPage)*8); err != nil || got != n*8 {
			return nil, errors.Join(errors.New("engine: the page table cannot be read"), err)
		}
		for _, e := range entries[:n] {
			if e&(entryPresent|entrySwapped) != 0 && e&entryFile == 0 {
				if last := len(into) - 1; last >= 0 && into[last].end == uint64(at) {
					into[last].end += uint64(osPage)
				} else {
					into = append(into, pageRegion{start: uint64(at), end: uint64(at) + uint64(osPage)})
				}
			}
			at += uintptr(osPage)
		}
	}
	return into, nil
}

// bestWay finds out by trying which way this kernel allows. A kernel that does
// not know the call or hides the page table says so; one that answers wrongly,
// as some that only imitate Linux might, would leak one request into the next.
func bestWay() restoreWay {
	for _, way := range []restoreWay{restoreByTrack, restoreByScan, restoreByPagemap} {
		if tryWay(way) == nil {
			return way
		}
	}
	return restoreByCopy
}

// tryWay writes two pages of four that map a file privately, and looks whether
// a way finds just these.
func tryWay(way restoreWay) error {
	file, err := freeze(bytes.Repeat([]byte{1}, 4*osPage))
	if err != nil {
		return err
	}
	defer file.close(nil)
	b, err := unix.Mmap(file.fd, 0, 4*osPage, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE)
	if err != nil {
		return err
	}
	defer func() { _ = unix.Munmap(b) }()
	start := uintptr(unsafe.Pointer(unsafe.SliceData(b)))
	if way == restoreByTrack {
		if err := writes.watch(start, uintptr(len(b))); err != nil {
			return err
		}
	}
	b[3*osPage] += b[0]
	b[osPage] += b[2*osPage]
	s := &mappedSpace{all: b, image: &image{way: way, content: b}, committed: len(b)}
	found, err := s.private(start)
	if err != nil {
		return err
	}
	if len(found) != 2 || !found[0].is(start, 1) || !found[1].is(start, 3) {
		return fmt.Errorf("engine: %s finds other pages than were written: %v", way, found)
	}
	return nil
}

// is reports whether a region is one page, by its number behind a start.
func (r pageRegion) is(start uintptr, page int) bool {
	at := uint64(start) + uint64(page*osPage)
	return r.start == at && r.end == at+uint64(osPage)
}
