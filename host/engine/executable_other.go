//go:build !unix

package engine

// checkExecutable has nothing to find out on this system.
func checkExecutable() error { return nil }
