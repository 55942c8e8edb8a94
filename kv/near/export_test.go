package near

// Forget drops a key, so that the next read asks the store.
func Forget(s *Store, key string) {
	h, hash := s.shard(key)
	h.wrote(hash, key, unknowable)
}
