package sizing

import "testing"

// TestReference pins the numbers that the documents of NOW LMS 2.0.4 and the
// tests of its code give.
func TestReference(t *testing.T) {
	t.Parallel()
	const gib = 1024 // in MiB
	for _, tt := range []struct {
		name             string
		cpus             int
		available        int64
		wishes           Wishes
		workers, threads int
	}{
		{"4 CPU, 2 GB: as many as the processors want", 4, 2048, Wishes{WorkerMB: 200}, 9, 1},
		{"4 CPU, 1 GB: as many as fit", 4, 1024, Wishes{WorkerMB: 200}, 5, 1},
		{"threads share them out", 4, 1024, Wishes{WorkerMB: 200, Threads: 4}, 1, 4},
		{"2 CPU, 512 MB, 4 threads", 2, 512, Wishes{WorkerMB: 200, Threads: 4}, 1, 4},
		{"8 CPU, 16 GB, 300 MB each", 8, 16 * gib, Wishes{WorkerMB: 300}, 17, 1},
		{"the same with 2 threads", 8, 16 * gib, Wishes{WorkerMB: 300, Threads: 2}, 8, 2},
		{"4 CPU, 8 GB", 4, 8 * gib, Wishes{WorkerMB: 200}, 9, 1},
		{"not enough for one", 4, 199, Wishes{WorkerMB: 200}, 1, 1},
		{"100 MB", 4, 100, Wishes{}, 1, 1},
		{"200 MB is the default", 4, 1000, Wishes{}, 5, 1},
		{"memory unknown: processors alone", 4, 0, Wishes{}, 9, 1},
		{"memory unknown, 2 threads: half", 4, 0, Wishes{Threads: 2}, 4, 2},
		{"a number that is set", 4, 1024, Wishes{Workers: 12, WorkerMB: 200}, 12, 1},
		{"a number that is set is not divided", 1, 100, Wishes{Workers: 3, Threads: 4}, 3, 4},
		{"a worker's memory that is set", 4, 1024, Wishes{WorkerMB: 500}, 2, 1},
		{"2 CPU, 22 GB, as this was written on", 2, 22 * gib, Wishes{}, 5, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if w, n := Reference(tt.cpus, tt.available, tt.wishes); w != tt.workers || n != tt.threads {
				t.Errorf("%d x %d; want %d x %d", w, n, tt.workers, tt.threads)
			}
		})
	}
}
