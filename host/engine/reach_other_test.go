//go:build !linux

package engine

// reachable is all memory that a sandbox may ever read.
func reachable(s *sandbox) []byte { return s.memory.space.bytes() }

func tryWay(restoreWay) error { return errNoImage }
