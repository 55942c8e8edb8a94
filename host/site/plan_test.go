package site_test

import (
	"fmt"
	"regexp"
	"testing"

	"github.com/lectern-lms/lectern/host/site"
	"github.com/lectern-lms/lectern/host/sizing"
)

// TestPlan opens sites with plans of different sizes: the log says how many
// sandboxes the handler has, and that their cost was measured.
func TestPlan(t *testing.T) {
	t.Parallel()
	little := sizing.Machine{CPUs: 4, MemoryTotal: 128 << 20, MemoryAvailable: 128 << 20}
	for name, tt := range map[string]struct {
		plan    sizing.Plan
		environ string
		want    int
	}{
		"little memory":       {sizing.Make(little, sizing.Wishes{Workers: 1}, 1), "LMS_THREADS=auto", 2},
		"the operator's word": {sizing.Make(little, sizing.Wishes{Workers: 1, Threads: 33}, 1), "LMS_THREADS=33", 33},
		"none, but a number":  {sizing.Plan{}, "LMS_THREADS=5", 5},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o, log := start(t, site.OpenMemory(), append([]string{tt.environ}, chief...)...)
			o.Plan = tt.plan
			open(t, o)
			line := regexp.MustCompile(fmt.Sprintf(`handler=catalog .*sandboxes=%d sandbox_cost="[1-9][0-9.]* [KM]iB"`, tt.want))
			if !line.MatchString(log.String()) {
				t.Errorf("no line has %s:\n%s", line, log)
			}
		})
	}
	if n := site.Serving(map[string][]byte{"setup": nil, "catalog": nil, "learn": nil}); n != 2 {
		t.Errorf("%d handlers serve; want 2", n)
	}
}
