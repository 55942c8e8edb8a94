package engine

// reachable is all memory that a sandbox may ever read: what it has now and
// what it would get back if it grew again.
func reachable(s *sandbox) []byte {
	if m, ok := s.memory.space.(*mappedSpace); ok {
		return m.all[:m.committed]
	}
	return s.memory.space.bytes()
}
