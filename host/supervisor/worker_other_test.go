//go:build unix && !linux

package supervisor

// keepWithoutParent does nothing: there is no parent-death signal.
func keepWithoutParent() {}
