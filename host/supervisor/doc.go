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
//	                              plain accept              in turn
//	most in a row to one, curl    18 (of 540 tries of ten)  2 (of 240)
//	curl beside spinners          19 (of 180)               2 (of 80)
//	a Go client                   195 (of 4,500)            2 (of 2,000)
//	all ten to one, at worst      85 of 500 tries           never
//	p50 of one request            0.22 to 0.35 ms           0.26 to 0.36 ms
//	16 callers, conn/s            4,400 to 10,600           4,000 to 7,800
//
// One socket with SO_REUSEPORT per worker spreads evenly but by chance: ten
// connections go to one of three workers in 1 of 20,000 tries, and those queued
// at a worker wait while it hangs. Handing connections over from one accepting
// process would cost a context switch for each.
package supervisor
