package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/lectern-lms/lectern/guest/abi"
	"github.com/lectern-lms/lectern/guest/handlers"
	"github.com/lectern-lms/lectern/host/modules"
)

// handlerUsage is the help of "lectern handler".
const handlerUsage = `Usage: lectern handler COMMAND

  list                            the handlers that this binary carries, and those
                                  of LMS_HANDLERS_DIR
  inspect NAME|FILE.wasm          what a handler asks for, and what it costs to start
  run [FLAGS] NAME|FILE.wasm METHOD PATH
                                  answer one request on a store in memory and tell
                                  what the handler read, changed and used
  new [-dir DIR] NAME             write a new handler with its test

Flags of run:
  -user LOGIN      ask as this person of the demo site (lms-admin, student, instructor)
  -form NAME=VALUE a field of the posted form; may be given several times
  -header NAME=VALUE
                   a header of the request; may be given several times
  -demo=false      leave the store empty but for the administrator
  -body            print the body alone, and everything else to standard error

A NAME is that of a handler of this binary or of LMS_HANDLERS_DIR. The manifest of
a FILE.wasm is in the file, or in FILE.json beside it.

Compiled handlers are kept in LMS_DATA_DIR/cache if that is set, else in the
user's cache directory. guest/README.md teaches how to write a handler.
`

// handlerCommand carries out "lectern handler ...".
func handlerCommand(ctx context.Context, c call) error {
	if len(c.args) == 0 {
		return badUsage("%s", handlerUsage)
	}
	name, rest := c.args[0], call{c.args[1:], c.out, c.errOut}
	if name == "help" || slices.ContainsFunc(c.args, asksHelp) {
		_, err := io.WriteString(c.out, handlerUsage)
		return err
	}
	switch name {
	case "list":
		return handlerList(rest)
	case "inspect":
		return handlerInspect(ctx, rest)
	case "run":
		return handlerRun(ctx, rest)
	case "new":
		return handlerNew(rest)
	}
	return badUsage("lectern handler has no command %q\n\n%s", name, handlerUsage)
}

// handlerList prints a table of a site's handlers. It reads their manifests
// only, so it takes no time.
func handlerList(c call) error {
	if len(c.args) > 0 {
		return badUsage("lectern handler list takes no arguments, but got %q", c.args[0])
	}
	found, err := known()
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(c.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "NAME\tVERSION\tSIZE\tROUTES\tSUMMARY")
	for _, name := range slices.Sorted(maps.Keys(found)) {
		m, err := abi.FindManifest(found[name])
		if err != nil {
			return fmt.Errorf("handler %s: %w", name, err)
		}
		summary := m.Summary
		if m.Internal {
			summary = "(internal) " + summary
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%d\t%s\n", m.Name, m.Version, size(len(found[name])), len(m.Routes), summary)
	}
	return table.Flush()
}

// embedded gives the handlers that this binary carries, at least one.
func embedded() (map[string][]byte, error) {
	found, err := handlers.Modules()
	if err == nil && len(found) == 0 {
		err = fmt.Errorf("this binary carries no handlers: build it with `task build`")
	}
	return found, err
}

// allModules gives the handlers that a site runs: those that this binary
// carries and those of the operator's folder.
func allModules(folder string) (map[string][]byte, error) {
	carried, err := handlers.Modules()
	if err != nil {
		return nil, err
	}
	added, err := modules.Folder(folder)
	if err != nil {
		return nil, err
	}
	return modules.Join(carried, added)
}

// known gives the handlers that commands find by their names, at least one.
func known() (map[string][]byte, error) {
	if _, err := embedded(); err != nil {
		return nil, err
	}
	return allModules(variable("HANDLERS_DIR"))
}

// variable reads one of ours, by either of its names.
func variable(name string) string { return cmp.Or(os.Getenv("LMS_"+name), os.Getenv("NOW_LMS_"+name)) }

// findModule reads the handler that an argument means: the file if it looks
// like one, else the handler of that name.
func findModule(argument string) ([]byte, *abi.Manifest, error) {
	if strings.HasSuffix(argument, ".wasm") || strings.ContainsRune(argument, filepath.Separator) {
		return modules.File(argument)
	}
	found, err := known()
	if err != nil {
		return nil, nil, err
	}
	module, ok := found[argument]
	if !ok {
		return nil, nil, badUsage("there is no handler %q in this binary; there are: %s. A file must end in .wasm",
			argument, strings.Join(slices.Sorted(maps.Keys(found)), ", "))
	}
	m, err := abi.FindManifest(module)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", argument, err)
	}
	return module, m, nil
}

// cacheDir is where compiled handlers are kept: with the site's data if they
// have a place, else where this user's programs keep such things, else ("")
// only in memory.
func cacheDir() string {
	if dir := variable("DATA_DIR"); dir != "" {
		return filepath.Join(dir, "cache")
	}
	base, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	return filepath.Join(base, "lectern")
}

// size shows a number of bytes to people: MB are a million bytes.
func size(bytes int) string {
	switch {
	case bytes >= 1_000_000:
		return fmt.Sprintf("%.1f MB", float64(bytes)/1e6)
	case bytes >= 1000:
		return fmt.Sprintf("%.1f kB", float64(bytes)/1e3)
	}
	if bytes == 1 {
		return "1 byte"
	}
	return fmt.Sprintf("%d bytes", bytes)
}
