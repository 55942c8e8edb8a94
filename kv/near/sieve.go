package near

import "sync/atomic"

// sieve chooses what leaves when there is no room: SIEVE (Zhang and others,
// NSDI 2024). A hit only sets a mark, so readers need no exclusive lock; a hand
// goes from the oldest to the newest, takes marks away and stops at the first
// that has none. What is asked for once leaves early.
type sieve[T any] struct {
	newest, oldest, hand *node[T]
	bytes                int64
}

// node is one thing in a sieve.
type node[T any] struct {
	visited      atomic.Bool // beside what a hit reads of the value
	size         int64
	newer, older *node[T]
	value        T
}

// visit marks the node as asked for. A mark that is there is not written
// again, so that processors need not pass the line around.
func (n *node[T]) visit() {
	if !n.visited.Load() {
		n.visited.Store(true)
	}
}

// add puts a node in as the newest.
func (s *sieve[T]) add(n *node[T]) {
	n.older = s.newest
	if s.newest != nil {
		s.newest.newer = n
	}
	s.newest = n
	if s.oldest == nil {
		s.oldest = n
	}
	s.bytes += n.size
}

// remove takes a node out.
func (s *sieve[T]) remove(n *node[T]) {
	if s.hand == n {
		s.hand = n.newer
	}
	if n.newer != nil {
		n.newer.older = n.older
	} else {
		s.newest = n.older
	}
	if n.older != nil {
		n.older.newer = n.newer
	} else {
		s.oldest = n.newer
	}
	n.newer, n.older = nil, nil
	s.bytes -= n.size
}

// resize notes that a node takes another number of bytes.
func (s *sieve[T]) resize(n *node[T], size int64) {
	s.bytes += size - n.size
	n.size = size
}

// victim is what leaves next; nil if there is nothing.
func (s *sieve[T]) victim() *node[T] {
	n := s.hand
	for {
		if n == nil {
			n = s.oldest
		}
		if n == nil || !n.visited.Swap(false) {
			s.hand = n
			return n
		}
		n = n.newer
	}
}
