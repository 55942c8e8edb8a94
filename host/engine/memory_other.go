//go:build !linux

package engine

// frozen is not used here: images are kept as plain bytes.
type frozen struct{}

// freeze keeps nothing: there is no file.
func freeze([]byte) (*frozen, error)     { return &frozen{}, nil }
func (*frozen) view(int) ([]byte, error) { return nil, errNoImage }
func (*frozen) close([]byte)             {}

// newSpace makes a range that is restored by copying.
func newSpace(_ int, im *image) (space, error) { return newCopySpace(im), nil }

// bestWay is the one way there is.
func bestWay() restoreWay { return restoreByCopy }
