package main

import (
	"errors"
	"os/exec"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/lectern-lms/lectern/host/config"
)

// TestMain lets the scripts run this test binary as the program itself.
func TestMain(m *testing.M) {
	testscript.Main(tidy{m}, map[string]func(){"lectern": main})
}

// TestScripts runs the command line as people do; the scripts are in
// testdata/script. Each starts in an empty directory and with none of the
// site's variables set.
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"names-every-variable": namesEveryVariable, "status": exitsWith,
		},
	})
}

// namesEveryVariable is a command of the scripts: it fails unless the last
// output names each variable of the configuration at the start of a line.
func namesEveryVariable(ts *testscript.TestScript, negated bool, args []string) {
	if negated || len(args) > 0 {
		ts.Fatalf("usage: names-every-variable")
	}
	first := map[string]bool{}
	for line := range strings.Lines(ts.ReadFile("stdout")) {
		name, _, _ := strings.Cut(strings.TrimSpace(line), " ")
		first[name] = true
	}
	n := 0
	for field := range reflect.TypeFor[config.Config]().Fields() {
		name := field.Tag.Get("env")
		if name == "" {
			continue
		}
		n++
		if !first[name] {
			ts.Fatalf("%s is not in the output", name)
		}
	}
	if n < 20 {
		ts.Fatalf("the configuration has %d variables, expected 20 or more: its tags are not what this test reads", n)
	}
}

// exitsWith is a command of the scripts: it runs a program that must end with
// this exit status.
func exitsWith(ts *testscript.TestScript, negated bool, args []string) {
	if negated || len(args) < 2 {
		ts.Fatalf("usage: status N program [argument ...]")
	}
	err := ts.Exec(args[1], args[2:]...)
	var exit *exec.ExitError
	got := 0
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if strconv.Itoa(got) != args[0] {
		ts.Fatalf("exit status %d, wanted %s", got, args[0])
	}
}
