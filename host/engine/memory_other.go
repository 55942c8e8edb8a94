//go:build !linux

package engine

// frozen is not used here: images are kept as plain bytes.
type frozen struct{}

func freeze([]byte) (*frozen, error)           { return &frozen{}, nil }
func (*frozen) view(int) ([]byte, error)       { return nil, errNoImage }
func (*frozen) close([]byte)                   {}
func newSpace(_ int, im *image) (space, error) { return newCopySpace(im), nil }
func bestWay() restoreWay                      { return restoreByCopy }
