//go:build race

package engine

// The race detector makes everything slower; slowness is by how much, at most.
const (
	raceDetector = true
	slowness     = 8
)
