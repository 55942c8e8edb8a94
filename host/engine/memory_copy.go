package engine

import (
	"errors"
	"slices"
)

// errNoImage says that a memory was made without an image to go back to.
var errNoImage = errors.New("engine: this memory has no image")

// copySpace is a range that is restored by copying the whole image. It works
// on every system and is slower than finding the pages that were written.
type copySpace struct {
	all   []byte
	image []byte
}

// newCopySpace makes a range with a copy of the image, if there is one.
func newCopySpace(im *image) *copySpace {
	s := &copySpace{}
	if im != nil {
		s.image = im.content
		s.all = slices.Clone(s.image)
	}
	return s
}

func (s *copySpace) bytes() []byte { return s.all }

// commit moves the range if need be. It keeps the length exact: a memory is
// mostly grown once or not at all, and what was grown is dropped by restore.
func (s *copySpace) commit(length int) error {
	if length > len(s.all) {
		grown := make([]byte, length)
		copy(grown, s.all)
		s.all = grown
	}
	return nil
}

// restore keeps what has grown out of its image, but cleared, if it is not
// much more than the image.
func (s *copySpace) restore(int) (int, error) {
	if s.image == nil {
		return 0, errNoImage
	}
	if len(s.all) > 2*len(s.image) {
		s.all = slices.Clone(s.image)
		return len(s.image), nil
	}
	copy(s.all, s.image)
	clear(s.all[len(s.image):])
	return len(s.all), nil
}

func (s *copySpace) resident() int { return len(s.all) }

func (s *copySpace) keeps() int { return 2 * len(s.image) }

func (s *copySpace) free() {}
