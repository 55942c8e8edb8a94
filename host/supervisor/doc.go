// Package supervisor runs worker processes that accept on one inherited
// socket. [Start] is the supervisor's side, [Inherited] the worker's. It needs
// a Unix system.
//
// # What holds
//
// The supervisor keeps the socket open as long as it lives, so no connection is
// refused or lost while a worker, or all of them, are being replaced: those
// that no worker has accepted wait in the socket's queue. A dead worker is
// replaced at once; after lives shorter than 10 s with a growing pause of up
// to 10 s, without end. No worker outlives the supervisor: Linux kills it, and
// anywhere the end of a pipe tells it so. Only processes that this package
// started are ever signalled.
//
// # Who accepts
//
// With one socket the system wakes every idle worker for each connection and
// the fastest takes it, which is often the same one. Workers therefore share a
// page of memory that says how many connections each has and who accepted
// last. One that should not have the next connection leaves it to the others
// for steps of 0.1 ms, up to 2 ms, before it takes it after all. Nobody asks
// for permission and nothing is locked, so a worker that dies or hangs holds up
// nobody; a budget bounds what a hanging one can cost.
//
// Measured with three workers on two cores that others used as well (Go 1.26,
// Linux 6.18), connections made one after the other, alone and beside four
// spinning threads:
//
//	                       plain accept                in turn
//	curl, 480 x 10         up to 15 in a row to one    up to 2 in a row
//	curl, beside spinners  up to 19 in a row           up to 2 in a row
//	Go, 2,000 x 10         up to 195 in a row          up to 2 in a row
//	ten all to one         up to 3 of 60 tries         never
//	p50 of one request     0.22 to 0.35 ms             0.26 to 0.36 ms
//	16 callers             7,000 to 9,900 conn/s       4,000 to 7,800 conn/s
//
// One socket with SO_REUSEPORT per worker spreads evenly but by chance: ten
// connections go to one of three workers in 1 of 20,000 tries, and those queued
// at a worker wait while it hangs. Handing connections over from one accepting
// process would cost a context switch for each.
package supervisor
