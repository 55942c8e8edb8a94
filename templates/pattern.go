package templates

import "strconv"

// tileSize is the side of a tile of a pattern in units of the cover's viewBox
// (320 by 200); four by three tiles cover it, cut at the top and the bottom.
const tileSize = 80

// pattern is a cover drawn from a course's code: three layers of shapes, each
// the "d" attribute of a path, and the number of a set of colours.
type pattern struct {
	Tone   string
	Layers [3]string
}

// tones is how many sets of colours the stylesheet has for patterns.
const tones = 4

// newPattern draws the cover of a course without a motif. The code alone
// decides (FNV-1a, then a xorshift sequence), so a course never changes looks.
func newPattern(code string) pattern {
	seed := uint32(2166136261)
	for i := range len(code) {
		seed = (seed ^ uint32(code[i])) * 16777619
	}
	next := func(n uint32) uint32 {
		seed ^= seed << 13
		seed ^= seed >> 17
		seed ^= seed << 5
		return (seed >> 8) % n
	}
	seed |= 1 // xorshift never leaves zero
	p := pattern{Tone: strconv.Itoa(int(next(tones)))}
	var layers [len(p.Layers)][]byte
	for row := range 3 {
		for column := range 4 {
			layer := &layers[next(uint32(len(layers)))]
			*layer = appendTile(*layer, next(8), column*tileSize, row*tileSize-20)
		}
	}
	for i := range layers {
		p.Layers[i] = string(layers[i])
	}
	return p
}

// appendTile adds one of eight shapes to a path; x and y are the tile's upper
// left corner.
func appendTile(d []byte, shape uint32, x, y int) []byte {
	switch shape {
	case 0: // quarters of a disc, by the corner of its centre
		return append(moveTo(d, x, y), "h80a80 80 0 0 1-80 80z"...)
	case 1:
		return append(moveTo(d, x+80, y), "v80a80 80 0 0 1-80-80z"...)
	case 2:
		return append(moveTo(d, x+80, y+80), "h-80a80 80 0 0 1 80-80z"...)
	case 3:
		return append(moveTo(d, x, y+80), "v-80a80 80 0 0 1 80 80z"...)
	case 4: // a disc
		return append(moveTo(d, x+12, y+40), "a28 28 0 1 0 56 0a28 28 0 1 0-56 0z"...)
	case 5: // leaves, rising and falling
		return append(moveTo(d, x, y+80), "a80 80 0 0 1 80-80a80 80 0 0 1-80 80z"...)
	case 6:
		return append(moveTo(d, x, y), "a80 80 0 0 1 80 80a80 80 0 0 1-80-80z"...)
	}
	return append(moveTo(d, x, y+40), "a40 40 0 0 1 80 0z"...) // half a disc
}

// moveTo adds the start of a shape to a path.
func moveTo(d []byte, x, y int) []byte {
	d = append(d, 'M')
	d = strconv.AppendInt(d, int64(x), 10)
	d = append(d, ' ')
	return strconv.AppendInt(d, int64(y), 10)
}
