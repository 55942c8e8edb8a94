package e2e

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestOverload asks a site of two sandboxes for its heaviest page, a hundred
// times as many requests at once as it can work on, which each have 200 ms:
// everybody gets the page or an honest 503 in time, and the site stays within
// its memory.
func TestOverload(t *testing.T) {
	t.Parallel()
	const (
		sandboxes, callers = 2, 200
		memoryMB           = 400
		timeout            = 200 * time.Millisecond
		// patience is for a machine that does other things as well.
		patience = 10 * time.Second
	)
	s := startSite(t, fmt.Sprint("LMS_THREADS=", sandboxes), fmt.Sprint("LMS_WORKER_MEMORY_MB=", memoryMB), fmt.Sprint("LMS_REQUEST_TIMEOUT=", timeout))
	s.mayFail = []string{"a handler failed", "the store failed"} // at the deadline, wherever that finds them
	var served, refused atomic.Int64
	var all sync.WaitGroup
	end := time.Now().Add(4 * time.Second)
	for range callers {
		p := newPerson(s)
		all.Go(func() {
			for time.Now().Before(end) && !t.Failed() {
				begin := time.Now()
				a, err := p.send(http.MethodGet, "/course/explore", nil, nil)
				switch took := time.Since(begin); {
				case err != nil:
					t.Error(err)
				case took > timeout+patience:
					t.Errorf("an answer took %v", took)
				case a.status == http.StatusOK && strings.Contains(a.body, "</html>"):
					served.Add(1)
				case a.status == http.StatusServiceUnavailable && a.header.Get("Retry-After") != "":
					refused.Add(1)
				default:
					t.Errorf("status %d, Retry-After %q: %.200s", a.status, a.header.Get("Retry-After"), a.body)
				}
			}
		})
	}
	all.Wait()
	most := peak(t, s.cmd.Process.Pid)
	t.Logf("%d pages, %d refusals, %d MiB at most", served.Load(), refused.Load(), most>>10)
	if served.Load() == 0 {
		t.Error("nobody was served")
	}
	if most > memoryMB<<10 {
		t.Errorf("the site took %d MiB, its limit is %d", most>>10, memoryMB)
	}
	metrics := newPerson(s).get(t, "/metrics").body
	for _, state := range []string{"in_use", "idle"} {
		for _, m := range regexp.MustCompile(`lectern_sandboxes\{handler="[a-z]+",state="`+state+`",worker="0"\} (\d+)`).FindAllStringSubmatch(metrics, -1) {
			if len(m[1]) > 1 || m[1] > fmt.Sprint(sandboxes) {
				t.Errorf("there are more than %d sandboxes: %s", sandboxes, m[0])
			}
		}
	}
}
