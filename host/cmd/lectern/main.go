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
	run           func(ctx context.Context, c call) error
}

// call is how a command was called: what follows its name, and where it
// writes. Logs and what is not the command's result go to errOut.
type call struct {
	args        []string
	out, errOut io.Writer
}

// usageError is a command line that makes no sense; the exit status is 2.
type usageError string

// Error says what is wrong with the command line.
func (e usageError) Error() string { return string(e) }

// badUsage makes a usageError.
func badUsage(format string, args ...any) error { return usageError(fmt.Sprintf(format, args...)) }

// errHelp is the answer to a command line that asks for help.
var errHelp = errors.New("help")

// bare makes a command of a function that takes no arguments.
func bare(name, summary string, run func(ctx context.Context, out io.Writer) error) command {
	return command{name, summary, func(ctx context.Context, c call) error {
		if len(c.args) == 0 {
			return run(ctx, c.out)
		}
		if asksHelp(c.args[0]) {
			return errHelp
		}
		return badUsage("lectern %s takes no arguments, but got %q; everything is set by the environment, see lectern --help", name, c.args[0])
	}}
}

// asksHelp reports whether an argument asks for help.
func asksHelp(arg string) bool { return arg == "--help" || arg == "-help" || arg == "-h" }

// commands are all subcommands, in the order in which help shows them.
var commands = []command{
	bare("serve", "run the site", serve),
	bare("cluster", "run a site on three nodes of this machine, to see how that works", tryCluster),
	bare("config", "show the configuration that serve would use, secrets masked", showConfig),
	{"handler", "list, inspect, try out and make handlers; see lectern handler --help", handlerCommand},
	bare("healthcheck", "ask the site on this machine whether it is ready; exit status 1 if not", healthcheck),
	bare("version", "show version, commit, Go, engine and ABI", version),
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
	if args[0] == "help" || asksHelp(args[0]) {
		usage(out)
		return 0
	}
	for _, c := range commands {
		if c.name == args[0] {
			return status(c.run(ctx, call{args[1:], out, errOut}), out, errOut)
		}
	}
	fmt.Fprintf(errOut, "lectern has no command %q\n\n", args[0])
	usage(errOut)
	return 2
}

// status reports how a command ended and gives the exit status for it.
func status(err error, out, errOut io.Writer) int {
	var wrong usageError
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errHelp):
		usage(out)
		return 0
	case errors.As(err, &wrong):
		fmt.Fprintln(errOut, wrong)
		return 2
	}
	printError(errOut, err)
	return 1
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
// usage tells what commands and variables there are.
func usage(w io.Writer) {
	fmt.Fprint(w, "Lectern is a learning management system in one binary.\n\nUsage: lectern COMMAND\n\n")
	for _, c := range commands {
		fmt.Fprintf(w, "  %-12s %s\n", c.name, c.summary)
	}
	fmt.Fprintf(w, "\n%s", config.Help())
}
