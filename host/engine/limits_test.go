package engine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/lectern-lms/lectern/guest/abi"
)

// limited is the probe with limits in its manifest.
func limited(t *testing.T, limits string) []byte {
	t.Helper()
	probe, _, _ := modules(t)
	// The manifest is the last section: what a section with its content takes
	// is cut off.
	_, manifest, found := bytes.Cut(probe, []byte(abi.ManifestSection))
	if !found {
		t.Fatal("the probe has no manifest")
	}
	bare := probe[:len(probe)-len(abi.AppendManifest(nil, manifest))]
	return abi.AppendManifest(bytes.Clone(bare), fmt.Appendf(nil, `{"abi":1,"name":"probe","routes":[{"pattern":"GET /"}],"limits":%s}`, limits))
}

// TestManifestLimits asks for narrow limits and goes over each.
func TestManifestLimits(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ limits, command, cause, text string }{
		{`{"responseKiB":1024}`, "/body?2", CauseFault, "more than 1048576 bytes"},
		{`{"hostCalls":10}`, "/host?11", CauseFault, "more than 10 host calls"},
		{`{"memoryKiB":16384}`, "/allocate", CausePanic, "out of memory"},
		{`{"deadlineMS":50}`, "/spin", CauseTimeout, "deadline"},
	} {
		h := load(t, newEngine(t, func(o *Options) { o.Sandboxes = 1 }), limited(t, tt.limits))
		ctx, cancel := context.WithTimeout(context.Background(), plenty)
		begin := time.Now()
		_, err := ask(ctx, h, tt.command)
		cancel()
		var failure *Failure
		if !errors.As(err, &failure) || failure.Cause != tt.cause || !strings.Contains(failure.Stack(), tt.text) {
			t.Errorf("%s: %s gave %v, want %s with %q", tt.limits, tt.command, err, tt.cause, tt.text)
		}
		if took := time.Since(begin); took > generous {
			t.Errorf("%s: took %v", tt.limits, took)
		}
		if got := mustAsk(t, h, "/ok"); got != "fine" {
			t.Errorf("%s: the next request gets %q", tt.limits, got)
		}
	}
}

// TestSandboxLimit bounds how many requests of one handler work at once.
func TestSandboxLimit(t *testing.T) {
	t.Parallel()
	h := load(t, newEngine(t, func(o *Options) { o.Sandboxes = 5 }), limited(t, `{"sandboxes":3}`))
	if most := h.Usage().Most; most != 3 {
		t.Errorf("%d sandboxes, want 3", most)
	}
}

// TestTooWideLimits refuses a manifest that asks for more than there is, and
// names everything that is too much.
func TestTooWideLimits(t *testing.T) {
	t.Parallel()
	e := newEngine(t, nil)
	_, err := e.Load(context.Background(), limited(t, `{"memoryKiB":65537,"responseKiB":8193,"hostCalls":10001,"logKiB":17}`))
	for _, want := range []string{"handler probe", "limits.memoryKiB 65537", "at most 65536", "limits.responseKiB 8193", "limits.hostCalls 10001", "limits.logKiB 17"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not say %q: %v", want, err)
		}
	}
	load(t, e, limited(t, `{"memoryKiB":65536,"responseKiB":8192,"hostCalls":10000,"logKiB":16}`))
}

// TestMeasurements checks that the observer hears of everything that happens to
// sandboxes.
func TestMeasurements(t *testing.T) {
	t.Parallel()
	seen := &tally{}
	h := newProbe(t, func(o *Options) { o.Sandboxes, o.Observer = 1, seen })
	mustAsk(t, h, "/ok")
	ctx, cancel := context.WithTimeout(context.Background(), plenty)
	defer cancel()
	if _, err := ask(ctx, h, "/panic?boom"); err == nil {
		t.Fatal("a panic was answered")
	}
	mustAsk(t, h, "/ok")
	if u := h.Usage(); u.InUse != 0 || u.Idle != 1 || u.Waiting != 0 || u.Most != 1 {
		t.Errorf("between requests: %+v", u)
	}
	seen.mu.Lock()
	defer seen.mu.Unlock()
	if seen.failures[""] != 2 || seen.failures[CausePanic] != 1 || seen.restored != 3 || seen.bytes == 0 || seen.bytes%osPage != 0 ||
		seen.ended[CausePanic] != 1 || seen.started != 1 {
		t.Errorf("the observer heard %+v", seen)
	}
}
