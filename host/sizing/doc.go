// Package sizing decides how a node uses its machine: how many worker
// processes there are, how much memory each may take, and how many sandboxes
// a handler may have at work. [Read] finds out about the machine, [Make] plans
// and gives the reason for each number; `lectern config` prints them.
//
// # Workers
//
// [Reference] is the calculation of NOW LMS: two processes for each processor
// and one more, or as many as fit. It suits Python, where a process works on
// one request at a time. A Lectern worker uses all processors by itself, so
// another one adds no speed; it has its own connection to the store in place
// of the store itself, its own compiled code and its own caches. What it does
// add is separation: a crash ends the requests of one worker only, and a
// collector or a lock that holds up one process holds up no other.
//
// So LMS_WORKERS is 1 unless it is set, and "auto" means two, of which one
// serves while the other is replaced, and more only on machines with more
// than eight processors, one for every four. Four, because Go's collector takes
// a quarter of the processors, so it has one whole to itself; on more
// processors the threads of one process also queue for its page tables, which
// every restored sandbox touches. That last part is reasoned and not measured,
// since no such machine was at hand.
//
// Measured with 32 callers on four pages without a page cache, one node with 2
// CPUs that other work used as well, in turns (median of three):
//
//	workers      1     2     3     5 (what NOW LMS would take)
//	requests/s   620   589   493   394
//	memory, MiB  279   575   865   1,097 (proportional set size of all processes)
//
// # Memory
//
// What counts is the least limit of the process's control groups (version 2:
// memory.max and memory.high, version 1: memory.limit_in_bytes; its own group
// and all above it), or what is available on the machine if that is less. A
// quarter is left alone. NOW LMS looks at the machine alone and leaves nothing,
// which in a container with a limit ends with the kernel killing it.
//
// The supervisor looks once and hands the result to its workers: one that
// replaces a dead worker gets the same part of the memory, not a part of what
// the others have left.
//
// The figures that plans are made with, measured by
//
//	go test ./host/site -run '^$' -bench Memory -benchtime 3x
//
// on linux/amd64 with Go 1.26 and wazero 1.12, after 32 callers at once:
//
//	                       own memory   known to Go   without garbage
//	no handler                 46 MiB        49 MiB            25 MiB
//	one handler               113 MiB        86 MiB            75 MiB
//	three handlers            217 MiB       136 MiB           155 MiB
//
// and in whole processes (Pss in /proc/PID/smaps_rollup): a worker 240 MiB, a
// supervisor with a small store 30 MiB, both in one 276 MiB. Hence 80 MiB for a
// worker, 56 MiB for each handler of which 28 MiB are outside Go's heap, and
// 128 MiB for the store, which grows with its data.
//
// # Sandboxes
//
// A sandbox's cost is measured when its handler is loaded: what making one
// allocates and the pages that it may keep after a request, which is the upper
// bound of 4 MiB and not what a page usually writes (0.4 MiB for /home, says
// `lectern handler run`). For the handlers of the site it was 4.3 MiB. Half of what a
// worker has beyond its fixed costs is for sandboxes. The handlers share it as
// package host/engine/pool says: whoever is asked has most of them, and each
// always has its spares. Unless LMS_THREADS says otherwise, one handler has no
// more than eight for each processor: a sandbox that waits for the store leaves
// its processor to another, and more of them only make the queue longer. A
// request under way may grow its sandbox up to the handler's limit; the
// headroom and the collector, which works harder towards Go's soft limit, are
// for that.
package sizing
