package engine

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

// TestRestore writes to pages in many patterns and checks that restoring brings
// the image back, by each way that this kernel has.
func TestRestore(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(3, 4))
	content := make([]byte, 600*osPage)
	for i := 0; i < len(content); i += 1 + random.IntN(3*osPage) { // with pages of zeros in between
		content[i] = byte(1 + random.IntN(255))
	}
	for _, way := range []restoreWay{restoreByTrack, restoreByScan, restoreByPagemap, restoreByCopy} {
		if way != restoreByCopy && tryWay(way) != nil {
			t.Logf("this kernel has no %s", way)
			continue
		}
		im := frozenImage(t, content, way)
		for name, pages := range map[string]func(i int) bool{
			"none":   func(int) bool { return false },
			"one":    func(i int) bool { return i == 77 },
			"first":  func(i int) bool { return i == 0 },
			"last":   func(i int) bool { return i == 599 },
			"second": func(i int) bool { return i%2 == 0 && i < 400 }, // 200 runs of pages
			"all":    func(int) bool { return true },
			"any":    func(int) bool { return random.IntN(20) == 0 },
			"grown":  func(i int) bool { return i >= 590 },
		} {
			s, err := newSpace(1000*osPage, im)
			if err != nil {
				t.Fatal(err)
			}
			length := len(content)
			if name == "grown" || name == "all" {
				length = 900 * osPage
			}
			if err := s.commit(length); err != nil {
				t.Fatal(err)
			}
			for i := range length / osPage {
				if pages(i) {
					s.bytes()[i*osPage+random.IntN(osPage)]++
				}
			}
			if _, err := s.restore(length); err != nil {
				t.Fatalf("%s, %s: %v", way, name, err)
			}
			if most := s.keeps(); s.resident() > most {
				t.Errorf("%s, %s: %d bytes are the sandbox's own, which may keep %d", way, name, s.resident(), most)
			}
			if got := s.bytes(); !bytes.Equal(got[:len(content)], content) {
				t.Errorf("%s, %s: the image is not restored", way, name)
			}
			if err := s.commit(length); err != nil {
				t.Fatal(err)
			}
			if rest := s.bytes()[len(content):length]; len(bytes.Trim(rest, "\x00")) != 0 {
				t.Errorf("%s, %s: what was grown is not zero", way, name)
			}
			s.free()
		}
	}
}

// frozenImage makes an image of some content.
func frozenImage(t *testing.T, content []byte, way restoreWay) *image {
	t.Helper()
	im := &image{way: way, content: content}
	if way == restoreByCopy {
		return im
	}
	var err error
	if im.file, err = freeze(content); err != nil {
		t.Fatal(err)
	}
	if im.content, err = im.file.view(len(content)); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(im.content, content) {
		t.Error("the file does not hold the image")
	}
	t.Cleanup(im.close)
	return im
}

// TestImagesCannotChange checks that nothing can write to the file of an image.
func TestImagesCannotChange(t *testing.T) {
	t.Parallel()
	im := frozenImage(t, bytes.Repeat([]byte("image"), osPage), restoreByScan)
	if err := (&frozen{im.file.fd}).fill([]byte("other")); err == nil {
		t.Error("a sealed image was written")
	}
}

// TestMemoryLimits checks what a memory answers when it is asked for more than
// there may be, and that a range which cannot be had is an error and no panic.
func TestMemoryLimits(t *testing.T) {
	t.Parallel()
	a := &allocator{limit: 3 * wasmPage}
	m := a.Allocate(wasmPage, 0)
	defer m.Free()
	for _, tt := range []struct {
		size uint64
		ok   bool
	}{{1, true}, {3, true}, {4, false}, {1 << 30, false}, {3, true}} {
		b := m.Reallocate(tt.size * wasmPage)
		if (b != nil) != tt.ok || tt.ok && uint64(len(b)) != tt.size*wasmPage {
			t.Errorf("%d pages: %d bytes", tt.size, len(b))
		}
	}
	huge := &allocator{limit: 1 << 60}
	m = huge.Allocate(wasmPage, 0)
	if b := m.Reallocate(wasmPage); huge.err == nil || len(b) != wasmPage {
		t.Errorf("a range of 2^60 bytes: %d bytes, error %v", len(b), huge.err)
	}
	m.Free()
}
