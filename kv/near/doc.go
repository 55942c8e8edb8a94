// Package near is a cache in the memory of a process, over any [kv.Store]. It
// is itself a [kv.Store] and a [kv.Fencer]. Each process of a site has one over
// each bucket that it reads often; together they are the bucket's members.
//
// # What is kept
//
// Entries that were read, keys that were found absent, and pages of Scan, all
// within a bound of bytes. The store's feed ([kv.Store] Watch) replaces or
// drops what changes; it never adds, so what nobody reads takes no room. An
// entry with an expiry time reads as absent from that time on, as in the store.
// Concurrent reads of one key ask the store once, but nobody is given the
// answer to a question that was asked before a change that he must see.
//
// # What a Get is sure to show
//
//   - Every commit that was made through this Store before the call, and
//     whatever else anybody has been shown through it: time never goes back.
//   - The revision of [kv.AtLeast] in its context, or newer.
//   - Every revision for which a [Store.Fence], in any process, has returned.
//   - Everything that was committed [Lease] (2 s) before, by whomever. Usually
//     the feed is less than a millisecond behind.
//
// If it cannot be sure, it fails with [kv.ErrUnavailable]. Scan promises the
// same. A Commit always goes to the store, whose checks find whatever was
// stale; after a conflict the checked keys are read from the store again.
//
// So the calls through one Store are linearizable among themselves. Whenever
// somebody has been shown a revision that the feed has not brought yet, all
// reads wait for it, a few milliseconds at most, or ask the store. Of a commit
// by another process with several keys, two Gets may for a moment show a part;
// a Scan never does.
//
// # Why it is never older than the lease
//
// Each member writes a small key, its heartbeat, about twice a second. It notes
// on its monotonic clock when it began the write. The feed is ordered, so when
// the heartbeat comes back through the member's own feed, everything that was
// acknowledged before the write began has come before it. The member answers
// from memory only while the newest heartbeat that came back was begun less
// than Lease ago. A member that is cut off, whose feed has stopped in silence,
// or that was stopped as a whole and goes on later, finds its lease out.
//
// Without the lease, a read goes to the store below. That alone proves nothing:
// a JetStream leader that has just been cut off answers reads with old values
// for some seconds, since reads need no quorum. Writes do. So a read is passed
// through only if the store has acknowledged a heartbeat that was begun less
// than Lease ago; else one is written at once, and while that fails, reads are
// refused. The other side of a partition cannot take a commit before it has
// elected a leader, which takes NATS four seconds and more; and whatever it
// takes, the answer is not older than the lease. A store that is so full that
// it takes no write is refused for the same reason.
//
// A machine that is suspended may not count that time on its monotonic clock.
// Therefore a heartbeat is also too old if the machine's own wall clock says so.
// Clocks of two machines are never compared, with one exception that is a minute
// wide; see Fence.
//
// When nobody has read for [idleAfter], the heartbeat pauses, so that an idle
// site does not write. The next read writes one, and is passed through.
//
// # Fence
//
// Whoever takes a right away commits that, and then calls Fence with the
// commit's revision. A heartbeat tells how far its writer's feed has come, and
// how far the writer wants everybody's to be; who sees that such a wish is
// beyond what he has told answers with a heartbeat at once. Fence waits until
// its own feed has brought the revision, so that it knows every heartbeat before
// it, and then for each member that was heard of within the Lease, until that
// one tells a position that is far enough. A member that stays silent is waited
// for until its last heartbeat before the revision is Lease old: its lease is
// then out, and a heartbeat after the revision would prove that it has seen it.
// In any case a lease that began before the call is out Lease later, so a Fence
// takes no longer, even if this process is cut off. With no other member it
// waits for its own feed only and writes nothing.
//
// A member whose feed has just begun learns by a Scan who else is there; since
// heartbeats expire after a minute, this holds as long as the wall clocks of
// the machines are less than that apart.
//
// A read that was under way when Fence was called may still return the old; it
// began before.
//
// # When the feed ends
//
// When the feed ends or may have lost something, all that is kept is dropped,
// reads are passed through, and a new feed is begun after a short random pause.
// The same happens when acknowledged heartbeats do not come back.
//
// A feed that reads a store which holds only the newest change of each key
// leaves out what was overwritten, and brings what replaced it after changes of
// other keys. It then says by [kv.Settler] when it has caught up, and only then
// is the feed's position moved on and are heartbeats heeded.
//
// # Limits
//
// [Options.Keep] can leave out keys; they are read from the store as if there
// were no cache. Keys under "near/" belong to this package; callers are refused
// them, and do not see them. All members of a bucket must be of a program with
// the same Lease. On a store that can lose acknowledged writes (Redis when it
// fails over) what is lost there is lost here too.
package near
