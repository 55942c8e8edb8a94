package near

// Forget drops a key, so that the next read asks the store.
func Forget(s *Store, key string) { s.shard(key).wrote(key, unknowable) }
