// Package redis is the kv adapter on a Redis server of version 7 or later.
//
// # Layout
//
// A bucket is seven keys that share a hash tag, {lectern:<name>}, so that they
// live in one slot of a Redis Cluster: a table with the state of the bucket, a
// table of the records, three sorted sets over the records' keys (by key for
// Scan, by revision for Watch and for checks on prefixes, by the time at which
// something is due), and two tables of commit ids. All of it is declared to
// the scripts, which use nothing else. Each record has its expiry with it, in
// the format of record.go, so Redis's own expiry is not used: it would leave
// no trace in the feed.
//
// # Commits
//
// A commit is one Lua script: checks, writes, the next revisions and the
// notice to the feeds happen at once or not at all. Scripts declare their
// flags, so Redis refuses one as a whole when it is full or read-only, and
// never stops in the middle; deletions are allowed when it is full. Each
// commit has an id that the bucket remembers for longer than a commit may be
// under way, so one whose answer was lost is sent again without harm.
//
// # Time
//
// Only the server's clock decides what has expired. Expired values read as
// absent at once; every process turns them into tombstones with revisions of
// their own, which the feeds deliver and which are kept for
// [kv.TombstoneAge].
//
// # Feeds
//
// The set of keys by revision holds the newest change of each key, so a feed
// reads on from any revision, in order and without a gap, however long it was
// away (as far as tombstones reach). A message on a sharded channel wakes it;
// if messages are lost it looks by itself every second. The log is no larger
// than the bucket.
//
// # Epochs and runs
//
// A bucket has a random epoch, and a run that changes when the server's
// replication id does: after each restart and each failover. Every call names
// the run and the newest revision that this process has seen; the script
// refuses to serve another. When the run has changed and revisions that this
// process saw are lost (no or too little persistence, a failover to a replica
// that was behind, an older copy), feeds end with [kv.ErrUnavailable] and new
// revisions begin above all old ones. A bucket that is empty or another one is
// begun anew if it is [Bucket.Volatile]; else every call fails until the
// original is back or the process is started again.
//
// # Redis Cluster
//
// One bucket lives in one slot, so the contract holds in a Redis Cluster as on
// a single server. What it does not change is that Redis replicates after it
// has answered: a failover may lose writes that were acknowledged, which is
// then noticed as above. Set min-replicas-to-write to 1 or more, so that a
// primary that was cut off stops taking writes. More nodes do not make one
// bucket faster or larger.
package redis
