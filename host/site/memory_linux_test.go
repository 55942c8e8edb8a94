package site_test

import (
	"log/slog"
	"net/http"
	"os"
	"regexp"
	"runtime/debug"
	"runtime/metrics"
	"strconv"
	"sync"
	"testing"

	"github.com/lectern-lms/lectern/guest/handlers"
	"github.com/lectern-lms/lectern/host/config"
	"github.com/lectern-lms/lectern/host/site"
)

// BenchmarkMemory measures what a process of the site takes after each of 32
// callers has asked for pages: first with a handler of one instruction, then
// with one real handler, then with all. Package sizing plans with the figures:
// anon-MiB is the process's own memory, go-MiB what of it the Go runtime knows
// of, idle-MiB what is left of it when the garbage has been given back.
func BenchmarkMemory(b *testing.B) {
	all, err := handlers.Modules()
	if err != nil {
		b.Fatal(err)
	}
	delete(all, "setup")
	dir := b.TempDir()
	for _, bb := range []struct {
		name    string
		modules map[string][]byte
	}{
		{"handlers=0", map[string][]byte{"catalog": guest(catalog, page)}},
		{"handlers=1", map[string][]byte{"catalog": all["catalog"]}},
		{"handlers=" + strconv.Itoa(len(all)), all},
	} {
		b.Run(bb.name, func(b *testing.B) {
			cfg, err := config.Load(append([]string{"LMS_DATA_DIR=" + dir, "SECRET_KEY=0123456789abcdef0123456789abcdef"}, chief...))
			if err != nil {
				b.Fatal(err)
			}
			stores := site.OpenMemory()
			defer stores.Close()
			debug.FreeOSMemory()
			s, err := site.Open(b.Context(), site.Options{Config: cfg, Stores: stores, Modules: bb.modules, Logger: slog.New(slog.DiscardHandler)})
			if err != nil {
				b.Fatal(err)
			}
			defer s.Close(b.Context())
			for b.Loop() {
				visit(b, s, 32, 50)
			}
			b.ReportMetric(anonymous(b), "anon-MiB")
			b.ReportMetric(goMemory(), "go-MiB")
			debug.FreeOSMemory()
			b.ReportMetric(anonymous(b), "idle-MiB")
		})
	}
}

// visit lets callers ask for pages at the same time, each so often.
func visit(b *testing.B, s *site.Site, callers, times int) {
	var wait sync.WaitGroup
	for range callers {
		wait.Go(func() {
			for range times {
				if w := get(s, "/home"); w.Code != http.StatusOK {
					b.Errorf("/home: status %d", w.Code)
				}
			}
		})
	}
	wait.Wait()
}

// anonymousLine is the line of smaps_rollup that counts a process's own pages.
var anonymousLine = regexp.MustCompile(`(?m)^Anonymous: +(\d+) kB$`)

// anonymous is this process's own memory in MiB.
func anonymous(b *testing.B) float64 {
	text, err := os.ReadFile("/proc/self/smaps_rollup")
	if err != nil {
		b.Fatal(err)
	}
	found := anonymousLine.FindSubmatch(text)
	if found == nil {
		b.Fatalf("no line Anonymous in\n%s", text)
	}
	kib, err := strconv.Atoi(string(found[1]))
	if err != nil {
		b.Fatal(err)
	}
	return float64(kib) / 1024
}

// goMemory is what counts for Go's soft memory limit, in MiB.
func goMemory() float64 {
	samples := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	metrics.Read(samples)
	return float64(samples[0].Value.Uint64()-samples[1].Value.Uint64()) / (1 << 20)
}
