package server_test

import (
	"net/http"
	"testing"

	"github.com/lectern-lms/lectern/guest/abi"
)

// BenchmarkMiddleware compares a page with a handler in front of it to the
// page alone, both through the whole server but the network, in turns.
func BenchmarkMiddleware(b *testing.B) {
	page := abi.Manifest{Name: "page", Routes: []abi.Route{{Pattern: "GET /page"}}}
	alone := newSite(b, with(scripted(b, page, ">body 1 the page")))
	behind := newSite(b, with(scripted(b, page, ">body 1 the page"), scripted(b, abi.Manifest{Name: "front", Next: "page"}, ">next 0", "<set 1 X-Front 1")))
	var took [2]float64
	for b.Loop() {
		for i, s := range []*site{alone, behind} {
			begin := b.Elapsed()
			if w := s.do(request(http.MethodGet, "/page", nil)); w.Code != 200 {
				b.Fatalf("status %d", w.Code)
			}
			took[i] += float64(b.Elapsed() - begin)
		}
	}
	b.ReportMetric((took[1]-took[0])/float64(b.N)/1e3, "middleware-us")
	b.ReportMetric(took[1]/took[0], "middleware/alone")
}
