package e2e

import (
	"testing"
	"time"

	"github.com/prometheus/procfs"
)

// memoryLimit is the most resident memory of a site just started, in KiB.
const memoryLimit = 256 << 10

// TestMemoryAfterStart reads how long a start takes that is not the first, and
// the resident memory of a site in one process with all handlers loaded, before
// and after each kind of page was asked for.
func TestMemoryAfterStart(t *testing.T) {
	t.Parallel()
	begin := time.Now()
	s := startSite(t)
	took := time.Since(begin)
	started := resident(t, s.cmd.Process.Pid)
	p := newPerson(s)
	for _, path := range []string{"/home", "/course/explore", "/course/edge/view", "/user/login", "/no/such/page"} {
		p.get(t, path)
	}
	t.Logf("serving %v after a start on an existing data directory", took.Round(10*time.Millisecond))
	t.Logf("resident after start: %d MiB, after some pages: %d MiB", started>>10, resident(t, s.cmd.Process.Pid)>>10)
	if started > memoryLimit {
		t.Errorf("%d MiB resident after start, the limit is %d MiB", started>>10, memoryLimit>>10)
	}
}

// resident is the memory that a process has now, in KiB, and peak the most
// that it has had.
func resident(t *testing.T, pid int) int { return int(status(t, pid).VmRSS >> 10) }

// peak is resident's highest value so far.
func peak(t *testing.T, pid int) int { return int(status(t, pid).VmHWM >> 10) }

// status is the system's report on a process.
func status(t *testing.T, pid int) procfs.ProcStatus {
	t.Helper()
	p, err := procfs.NewProc(pid)
	if err != nil {
		t.Fatal(err)
	}
	report, err := p.NewStatus()
	if err != nil {
		t.Fatal(err)
	}
	return report
}
