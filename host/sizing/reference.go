package sizing

// Wishes are what the operator set; 0 stands for "auto". Numbers that make no
// sense never get here: package config refuses them with a fault that says
// what to set, where NOW LMS silently takes its default.
type Wishes struct {
	// Workers is the number of processes, LMS_WORKERS.
	Workers int
	// Threads is how many requests one handler may work on at once in a
	// worker, LMS_THREADS.
	Threads int
	// WorkerMB is the memory of one worker in MiB, LMS_WORKER_MEMORY_MB.
	WorkerMB int
}

// referenceWorkerMB is what NOW LMS takes for one worker if nothing is set.
const referenceWorkerMB = 200

// Reference is the calculation of NOW LMS 2.0.4 as its documents and code have
// it, to compare with: two workers for each processor and one more, or as many
// as fit into the memory that is available now; fewer of them if they have
// threads. Limits of control groups do not count, nor is any memory left over.
// With Workers set it does not calculate. An availableMB of 0 means unknown
// and then only the processors count.
//
// It suits Python, where a process works on one request at a time. [Make] is
// what Lectern does.
func Reference(cpus int, availableMB int64, w Wishes) (workers, threads int) {
	threads = max(w.Threads, 1)
	if w.Workers > 0 {
		return w.Workers, threads
	}
	each := w.WorkerMB
	if each <= 0 {
		each = referenceWorkerMB
	}
	workers = cpus*2 + 1
	if availableMB > 0 {
		workers = int(min(int64(workers), availableMB/int64(each)))
	}
	if threads > 1 {
		workers /= threads
	}
	return max(workers, 1), threads
}
