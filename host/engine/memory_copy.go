package engine

import "errors"

// errNoImage says that a memory was made without an image to go back to.
var errNoImage = errors.New("engine: this memory has no image")

// copySpace is a range that is restored by copying the whole image. It works
// on every system and is slower than finding the pages that were written.
type copySpace struct {
	all   []byte
	image []byte
	dirty int // the longest length in use since the last restore
}

// newCopySpace makes a range with a copy of the image, if there is one.
func newCopySpace(limit int, im *image) *copySpace {
	s := &copySpace{all: make([]byte, limit)}
	if im != nil {
		s.image = im.content
		copy(s.all, s.image)
	}
	return s
}

func (s *copySpace) bytes() []byte { return s.all }

func (s *copySpace) commit(length int) error {
	s.dirty = max(s.dirty, length)
	return nil
}

func (s *copySpace) restore(length int) (int, error) {
	if s.image == nil {
		return 0, errNoImage
	}
	copy(s.all, s.image)
	clear(s.all[len(s.image):max(length, s.dirty, len(s.image))])
	s.dirty = 0
	return length, nil
}

func (s *copySpace) resident() int { return len(s.all) }

func (s *copySpace) free() {}
