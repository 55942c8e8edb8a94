package bench

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os/exec"
	"regexp"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/lectern-lms/lectern/bench/items"
	"github.com/lectern-lms/lectern/host/config"
	"github.com/lectern-lms/lectern/host/engine"
	"github.com/lectern-lms/lectern/host/site"
)

// server is something that answers HTTP on loopback.
type server interface{ Serve(net.Listener) error }

// serve starts a server and gives its address.
func serve(t testing.TB, s server, stop func(context.Context) error) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Serve(l) }()
	t.Cleanup(func() {
		if err := errors.Join(stop(context.Background()), <-done); err != nil && !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
	return "http://" + l.Addr().String()
}

// lectern starts a whole site in memory with the benchmarks' handler.
func lectern(t testing.TB) string {
	t.Helper()
	wasm, cache := guest(t)
	cfg, err := config.Load([]string{"LMS_ENV=production", "ADMIN_USER=chief", "ADMIN_PSWD=three-unrelated-words",
		"LMS_DATA_DIR=" + t.TempDir(), "SECRET_KEY=0123456789abcdef0123456789abcdef"})
	if err != nil {
		t.Fatal(err)
	}
	stores := site.OpenMemory()
	s, err := site.Open(context.Background(), site.Options{
		Config: cfg, Stores: stores, Modules: map[string][]byte{"guest": wasm}, CacheDir: cache, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(s.Close(context.Background()), stores.Close()); err != nil {
			t.Error(err)
		}
	})
	return serve(t, s, s.Shutdown)
}

// native starts net/http with a handler that writes the same page.
func native(t testing.TB) string {
	t.Helper()
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Length", strconv.Itoa(len(items.Ready)))
		_, _ = w.Write(items.Ready)
	})}
	return serve(t, s, s.Shutdown)
}

// sandboxed starts net/http with a handler that lets a sandbox answer, and
// nothing else: no sessions, no transaction, no log.
func sandboxed(t testing.TB) string {
	t.Helper()
	wasm, cache := guest(t)
	h := load(t, wasm, engine.Options{CacheDir: cache})
	rooms := sync.Pool{New: func() any { return &[]byte{} }} // as host/server has
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		room := rooms.Get().(*[]byte)
		defer rooms.Put(room)
		x := engine.Exchange{
			Request:  engine.Request{Method: r.Method, URI: r.RequestURI, Proto: r.Proto, Header: r.Header, Source: r.RemoteAddr},
			Response: engine.Response{Header: w.Header(), Body: (*room)[:0]}, Calls: ready,
		}
		if err := h.Serve(r.Context(), &x); err != nil {
			http.Error(w, "it failed", http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Length", strconv.Itoa(len(x.Response.Body)))
		_, _ = w.Write(x.Response.Body)
		*room = x.Response.Body
	})}
	return serve(t, s, s.Shutdown)
}

// ready is the route of the page that lies ready.
var ready = route{pattern: "GET /page"}

// wrkTotal is the line in which wrk says how many requests it made.
var wrkTotal = regexp.MustCompile(`(\d+) requests in ([0-9.]+)(m?s)`)

// wrkFailed matches what wrk says of answers that are none.
var wrkFailed = regexp.MustCompile(`Non-2xx|Socket errors`)

// load32 lets wrk ask for a page over 32 connections for a time and gives the
// requests per second, and the time of a processor that each took here.
func load32(b *testing.B, url string, enough time.Duration) (rate float64, each time.Duration) {
	b.Helper()
	before := processorTime(b)
	text, err := exec.Command("wrk", "-t1", "-c32", "-d"+strconv.Itoa(int(enough.Seconds()))+"s", url).CombinedOutput()
	found := wrkTotal.FindSubmatch(text)
	if err != nil || found == nil || wrkFailed.Match(text) {
		b.Fatalf("wrk (install Debian's package wrk): %v\n%s", err, text)
	}
	n, _ := strconv.ParseFloat(string(found[1]), 64)
	return n / enough.Seconds(), (processorTime(b) - before) / time.Duration(max(n, 1))
}

// BenchmarkHTTP measures a page of 4 KB that a pristine handler in standard Go
// has in its memory, against net/http writing the same bytes, loaded by wrk in
// turns. It reports, as requests per second against net/http's,
//
//	handler/native  the handler behind net/http alone
//	static/native   the handler in a whole site, with sessions, transaction,
//	                metrics and all headers
//
// and the same as processor time of a request in this process, as
// handler-cpu/native and static-cpu/native, which does not depend on what the
// client takes.
func BenchmarkHTTP(b *testing.B) {
	urls := []string{native(b) + "/page", sandboxed(b) + "/page", lectern(b) + "/page"}
	for _, url := range urls {
		answer, err := http.Get(url)
		if err != nil {
			b.Fatal(err)
		}
		body, err := io.ReadAll(answer.Body)
		_ = answer.Body.Close()
		if err != nil || answer.StatusCode != 200 || string(body) != string(items.Ready) {
			b.Fatalf("%s: status %d, %d bytes, %v", url, answer.StatusCode, len(body), err)
		}
	}
	names := []string{"native", "handler", "static"}
	rates, costs := make([][]float64, len(urls)), make([][]float64, len(urls))
	for b.Loop() {
		for i, url := range urls {
			rate, cost := load32(b, url, 2*time.Second)
			rates[i], costs[i] = append(rates[i], rate), append(costs[i], float64(cost))
		}
	}
	for i, name := range names {
		var rate, cost []float64
		for round := range rates[i] {
			rate = append(rate, rates[i][round]/rates[0][round])
			cost = append(cost, costs[0][round]/costs[i][round])
		}
		b.ReportMetric(median(costs[i])/1e3, name+"-us")
		if i > 0 {
			b.ReportMetric(median(rate), name+"/native")
			b.ReportMetric(median(cost), name+"-cpu/native")
		}
	}
}
