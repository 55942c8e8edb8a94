//go:build race

package handlertest

// slowCompiler says that this binary has the race detector.
const slowCompiler = true
