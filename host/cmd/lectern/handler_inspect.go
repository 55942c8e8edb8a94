package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/lectern-lms/lectern/guest/abi"
	"github.com/lectern-lms/lectern/host/engine"
)

// handlerInspect prints what a handler asks for and, after compiling and
// starting it, what it costs.
func handlerInspect(ctx context.Context, c call) (err error) {
	if len(c.args) != 1 {
		return badUsage("lectern handler inspect takes one argument: the name of a handler, or a .wasm file")
	}
	module, m, err := findModule(c.args[0])
	if err != nil {
		return err
	}
	e, err := engine.New(ctx, engine.Options{CacheDir: cacheDir(), Sandboxes: 1})
	if err != nil {
		return err
	}
	defer func() { err = firstOf(err, e.Close(ctx)) }()
	report, err := e.Inspect(ctx, module)
	if err != nil {
		return err
	}
	printManifest(c.out, m)
	printField(c.out, "module", "%s, compiled or read from the cache in %s", size(len(module)), brief(report.Compile))
	printField(c.out, "image", "%s, started in %s", size(report.Image), brief(report.Start))
	printField(c.out, "sandbox", "made in %s, %d KiB of its own while idle, restored by %s",
		brief(report.Clone), report.Private>>10, report.Restore)
	printList(c.out, "imports", report.Imports)
	printList(c.out, "exports", report.Exports)
	return nil
}

// firstOf is the first error that is one.
func firstOf(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

// printField prints a label and its text, in two columns.
func printField(w io.Writer, label, format string, args ...any) {
	fmt.Fprintf(w, "%-8s "+format+"\n", append([]any{label}, args...)...)
}

// printManifest prints what a handler says of itself.
func printManifest(w io.Writer, m *abi.Manifest) {
	printField(w, "handler", "%s %s", m.Name, m.Version)
	printField(w, "summary", "%s", m.Summary)
	printField(w, "abi", "%d", m.ABI)
	if m.Internal {
		printField(w, "internal", "no visitor can reach it")
	}
	if m.Next != "" {
		printField(w, "next", "%s", nextOf(m))
	}
	if m.Errors {
		printField(w, "errors", "makes the site's error pages")
	}
	if m.SignIn != "" {
		printField(w, "sign-in", "%s", m.SignIn)
	}
	width := 0
	for _, r := range m.Routes {
		width = max(width, len(r.Pattern))
	}
	var routes []string
	for _, r := range m.Routes {
		routes = append(routes, fmt.Sprintf("%-*s  %s", width, r.Pattern, whoMay(r)))
	}
	printList(w, "routes", routes)
	for _, list := range []struct {
		label string
		items []string
	}{{"reads", m.Read}, {"writes", m.Write}, {"rights", m.Rights}, {"secrets", m.Secrets}} {
		text := "nothing"
		if len(list.items) > 0 {
			text = strings.Join(list.items, ", ")
		}
		printField(w, list.label, "%s", text)
	}
}

// nextOf tells to whom a handler passes on.
func nextOf(m *abi.Manifest) string {
	text := m.Next
	if text == abi.NextSite {
		text = "the whole site"
	}
	if len(m.Routes) == 0 {
		text += ", in front of all its routes"
	}
	return text
}

// whoMay tells who may use a route.
func whoMay(r abi.Route) string {
	switch r.Require {
	case abi.RequireNobody:
		return "everybody"
	case abi.RequireSignedIn:
		return "whoever is signed in"
	}
	return "the role " + r.Require
}

// printList prints a label and under it a line for each item, once.
func printList(w io.Writer, label string, items []string) {
	if len(items) == 0 {
		printField(w, label, "none")
		return
	}
	fmt.Fprintln(w, label)
	for _, item := range slices.Compact(items) {
		fmt.Fprintf(w, "  %s\n", item)
	}
}

// brief shows a duration with three digits or fewer.
func brief(d time.Duration) string {
	switch {
	case d >= time.Second:
		return d.Round(10 * time.Millisecond).String()
	case d >= time.Millisecond:
		return d.Round(10 * time.Microsecond).String()
	}
	return d.Round(100 * time.Nanosecond).String()
}
