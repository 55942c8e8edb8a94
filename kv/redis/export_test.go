package redis

import "time"

// Short makes a bucket that forgets deletions and commit ids after so long, so
// that a test need not wait.
func Short(b Bucket, tombstones, span time.Duration) Bucket {
	b.tombstones, b.span = tombstones, span
	return b
}
