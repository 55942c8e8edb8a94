// Command lectern is the whole of Lectern in one binary: the web server, the
// engine with its handlers, and the store.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/lectern-lms/lectern/host/config"
)

// command is one subcommand. Its error is printed for a person to read.
type command struct {
	name, summary string
	run           func(ctx context.Context, out io.Writer) error
}

// commands are all subcommands, in the order in which help shows them.
var commands = []command{
	{"serve", "run the site", serve},
	{"config", "show the configuration that serve would use, secrets masked", showConfig},
	{"healthcheck", "ask the site on this machine whether it is ready; exit status 1 if not", healthcheck},
	{"version", "show version, commit, Go, engine and ABI", version},
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run carries out one command line and gives the exit status: 0 for success,
// 1 for a failure, 2 for a command line that makes no sense.
func run(ctx context.Context, args []string, out, errOut io.Writer) int {
	if len(args) == 0 {
		usage(errOut)
		return 2
	}
	switch args[0] {
	case "help", "--help", "-help", "-h":
		usage(out)
		return 0
	}
	for _, c := range commands {
		if c.name != args[0] {
			continue
		}
		if len(args) > 1 {
			if args[1] == "--help" || args[1] == "-h" {
				usage(out)
				return 0
			}
			fmt.Fprintf(errOut, "lectern %s takes no arguments, but got %q; everything is set by the environment, see lectern --help\n", c.name, args[1])
			return 2
		}
		if err := c.run(ctx, out); err != nil {
			printError(errOut, err)
			return 1
		}
		return 0
	}
	fmt.Fprintf(errOut, "lectern has no command %q\n\n", args[0])
	usage(errOut)
	return 2
}

// printError writes an error in the form that a person can act on: faults of
// the configuration come as a list of their own.
func printError(w io.Writer, err error) {
	var faults config.Faults
	if errors.As(err, &faults) {
		fmt.Fprintln(w, faults)
		return
	}
	fmt.Fprintln(w, "lectern:", err)
}

// usage lists the commands and every variable.
func usage(w io.Writer) {
	fmt.Fprint(w, "Lectern is a learning management system in one binary.\n\nUsage: lectern COMMAND\n\n")
	for _, c := range commands {
		fmt.Fprintf(w, "  %-12s %s\n", c.name, c.summary)
	}
	fmt.Fprintf(w, "\n%s", config.Help())
}
