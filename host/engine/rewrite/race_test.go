//go:build race

package rewrite_test

// raceDetector says that everything takes ten times as long.
const raceDetector = true
