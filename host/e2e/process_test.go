//go:build unix

package e2e

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"syscall"
	"time"
)

const (
	// startLimit is how long a start may take on a busy machine.
	startLimit = 30 * time.Second
	// stopLimit is how long a stop may take; the site's own limit is shorter.
	stopLimit = 30 * time.Second
)

// process is one running `lectern serve` with its workers, all in a process
// group of their own.
type process struct {
	cmd *exec.Cmd
	log *logbook
	// ended is closed when the process has ended; err then says how.
	ended chan struct{}
	err   error
}

// newProcess prepares a site on a data directory, on a port that the system
// chooses. The variables of env come last and so win.
func newProcess(dir string, env ...string) *process {
	p := &process{cmd: exec.Command(binary, "serve"), log: newLogbook(), ended: make(chan struct{})}
	p.cmd.Env = append(cleanEnvironment(), "LMS_DATA_DIR="+dir, "LMS_PORT=0")
	p.cmd.Env = append(p.cmd.Env, env...)
	p.cmd.Stdout, p.cmd.Stderr = io.Discard, p.log
	// A worker that outlives its supervisor must not hold up the test.
	p.cmd.WaitDelay = 5 * time.Second
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	dieWithTests(p.cmd.SysProcAttr)
	return p
}

// start starts the process; it does not wait until the site serves.
func (p *process) start() error {
	if err := p.cmd.Start(); err != nil {
		return err
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.ended)
	}()
	return nil
}

// signal sends a signal to the first process alone, as a service manager does.
func (p *process) signal(s syscall.Signal) error { return p.cmd.Process.Signal(s) }

// signalGroup sends a signal to all processes, as a terminal does at Ctrl-C.
func (p *process) signalGroup(s syscall.Signal) error { return syscall.Kill(-p.cmd.Process.Pid, s) }

// stop asks the process to end and gives its exit status, -1 if it had to be
// killed.
func (p *process) stop(ctx context.Context) int {
	_ = p.signal(syscall.SIGTERM) // one that has ended needs no signal
	return p.wait(ctx)
}

// wait gives the exit status, -1 if the process had to be killed.
func (p *process) wait(ctx context.Context) int {
	select {
	case <-p.ended:
		return p.cmd.ProcessState.ExitCode()
	case <-ctx.Done():
		p.kill()
		return -1
	}
}

// kill ends all processes at once, without a chance to write anything.
func (p *process) kill() {
	select {
	case <-p.ended:
		return
	default:
	}
	_ = p.signalGroup(syscall.SIGKILL)
	<-p.ended
}

// outcome runs `lectern` with arguments to its end and gives the exit status
// and all that it printed.
func outcome(env []string, args ...string) (int, string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), startLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary, args...)
	cmd.Env = slices.Concat(cleanEnvironment(), env)
	text, err := cmd.CombinedOutput()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		return 0, "", err
	}
	if ctx.Err() != nil {
		return 0, "", fmt.Errorf("lectern %v did not end:\n%s", args, text)
	}
	return cmd.ProcessState.ExitCode(), string(text), nil
}
