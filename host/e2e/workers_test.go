//go:build unix

package e2e

import (
	"sync"
	"testing"
	"time"
)

// settle is how long the load goes on between two deaths of workers.
const settle = 700 * time.Millisecond

// TestWorkersDieUnderLoad kills each of three workers in turn while people
// read and write. A request may find its connection broken and is then sent
// once more; no answer may be wrong, and what was acknowledged stays.
func TestWorkersDieUnderLoad(t *testing.T) {
	t.Parallel()
	workersDie(t, startSite(t, "LMS_WORKERS=3", "LMS_DEBUG_ENDPOINTS=1"))
}

// workersDie is TestWorkersDieUnderLoad on a site with any store.
func workersDie(t *testing.T, s *site) {
	t.Helper()
	people, paths := crowd(t, s)
	stop := make(chan struct{})
	var running sync.WaitGroup
	for _, l := range people {
		running.Go(func() {
			if err := l.work(paths, stop); err != nil {
				t.Error(err)
			}
		})
	}
	for index := range 3 {
		time.Sleep(settle)
		s.killWorker(index)
	}
	time.Sleep(settle)
	close(stop)
	running.Wait()

	pids := map[any]bool{}
	for _, l := range people {
		l.checkWrites(t, paths)
		l.isKnownAs(t, l.login)
		l.pids.Range(func(pid, _ any) bool { pids[pid] = true; return true })
	}
	if len(pids) < 5 {
		t.Errorf("%d processes answered; of 3 workers and 3 that replaced them at least 5 were expected", len(pids))
	}
}
