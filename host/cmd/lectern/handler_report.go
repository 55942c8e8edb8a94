package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"

	"github.com/lectern-lms/lectern/guest/abi"
	"github.com/lectern-lms/lectern/host/engine"
	"github.com/lectern-lms/lectern/host/site"
)

// printTrial prints what a request got, read, changed and used.
func printTrial(w io.Writer, t site.Trial, m *abi.Manifest, r *site.TrialResult) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s: %d %s\n", t.Method, t.Target, r.Status, http.StatusText(r.Status))
	for _, name := range []string{"Content-Type", "Location", "Allow", "Retry-After", "Cache-Control", "Vary"} {
		for _, value := range r.Header.Values(name) {
			fmt.Fprintf(&b, "  %s: %s\n", name, value)
		}
	}
	for _, name := range otherHeaders(r.Header) {
		fmt.Fprintf(&b, "  %s: %s\n", name, r.Header.Get(name))
	}
	fmt.Fprintf(&b, "  body: %s\n", size(len(r.Body)))
	if len(r.Runs) == 0 {
		fmt.Fprintf(&b, "\nThe handler was not asked: the host answered by itself. The handler's routes are:\n")
		for _, route := range m.Routes {
			fmt.Fprintf(&b, "  %s (%s)\n", route.Pattern, whoMay(route))
		}
	}
	for _, run := range r.Runs {
		printRun(&b, run)
	}
	if len(r.Runs) > 0 && r.Failure() == nil {
		fmt.Fprintf(&b, "memory: %d KiB written in the sandbox (%d pages)\n", r.Written>>10, r.Written/os.Getpagesize())
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// hostHeaders are those that the host gives every answer; they say nothing of
// the handler.
var hostHeaders = []string{
	"Content-Type", "Location", "Allow", "Retry-After", "Cache-Control", "Vary", "Content-Length", "Content-Security-Policy",
	"X-Content-Type-Options", "X-Frame-Options", "Referrer-Policy", "Cross-Origin-Opener-Policy", "X-Request-Id", "Set-Cookie",
}

// otherHeaders are the names of the handler's own headers, in ascending order.
func otherHeaders(h http.Header) []string {
	var names []string
	for name := range h {
		if !slices.Contains(hostHeaders, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// printRun prints one run of a handler.
func printRun(b *strings.Builder, run site.TrialRun) {
	fmt.Fprintf(b, "\nroute: %s\n", run.Scope.Pattern)
	facts := run.Tx.Facts()
	fmt.Fprintf(b, "facts: %d\n", len(facts))
	for _, f := range facts {
		note := ""
		if f.Kind.Fleeting() {
			note = " (never the same again)"
		}
		fmt.Fprintf(b, "  %s%s\n", f, note)
	}
	effects := run.Tx.Effects()
	dropped := ""
	if run.Err != nil {
		dropped = " (dropped, since the handler failed)"
	}
	fmt.Fprintf(b, "effects: %d%s\n", len(effects), dropped)
	for _, e := range effects {
		line := strings.TrimSpace(string(e.Kind) + " " + e.Name)
		if e.Size > 0 {
			line += fmt.Sprintf(" (%s)", size(e.Size))
		}
		fmt.Fprintf(b, "  %s\n", line)
	}
	fmt.Fprintf(b, "time: %s in the handler, %s to get and restore its sandbox\n", brief(run.Call), brief(run.Took-run.Call))
	var failure *engine.Failure
	if errors.As(run.Err, &failure) {
		fmt.Fprintf(b, "failed: %s\n%s\n", failure.Cause, strings.TrimSpace(failure.Stack()))
	}
}
