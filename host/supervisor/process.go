package supervisor

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"time"
)

// What a worker inherits: the variables say which worker it is, of how many,
// and the number of the first of its four files, which follow one another.
const (
	envIndex   = "LECTERN_WORKER_INDEX"
	envWorkers = "LECTERN_WORKER_COUNT"
	envFiles   = "LECTERN_WORKER_FILES"
)

// The order of the inherited files.
const (
	fileListener = iota // the listening socket
	fileStatus          // the writing end of a pipe: a line when the worker serves
	fileLifeline        // the reading end of a pipe that ends with the supervisor
	fileBoard           // the memory of the accept board
	fileCount
)

// readyLine is what a worker writes to its status pipe when it serves.
const readyLine = "ready\n"

// process is one running process of a worker.
type process struct {
	cmd      *exec.Cmd
	lifeline *os.File      // our end; the worker sees its end when this closes
	status   *os.File      // our end
	ready    chan struct{} // closed when the worker serves
	exited   chan error    // gets the reason of the end, once
	// what the process writes
	stdout, stderr *lineWriter
}

// start starts a process of the worker with this index.
func (s *Supervisor) start(index int) (*process, error) {
	statusRead, statusWrite, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("make the status pipe: %w", err)
	}
	lifeRead, lifeWrite, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("make the life-line: %w", err), statusRead.Close(), statusWrite.Close())
	}
	p := &process{
		cmd: s.opts.Command(index), lifeline: lifeWrite, status: statusRead,
		ready: make(chan struct{}), exited: make(chan error, 1),
		stdout: &lineWriter{to: s.opts.Stdout}, stderr: &lineWriter{to: s.opts.Stderr},
	}
	p.prepare(index, s.opts.Workers, s.file, statusWrite, lifeRead, s.board.file)

	started := make(chan error)
	s.spawn <- func() { started <- p.cmd.Start() }
	err = <-started
	err = errors.Join(err, statusWrite.Close(), lifeRead.Close())
	if err != nil {
		p.release()
		return nil, fmt.Errorf("start a process: %w", err)
	}
	go p.awaitReady()
	go func() { p.exited <- p.awaitExit() }()
	return p, nil
}

// prepare completes the command with what a worker inherits.
func (p *process) prepare(index, workers int, files ...*os.File) {
	if p.cmd.Env == nil {
		p.cmd.Env = os.Environ()
	}
	p.cmd.Env = append(p.cmd.Env, // 3 is the first number after the standard files
		envIndex+"="+strconv.Itoa(index), envWorkers+"="+strconv.Itoa(workers), envFiles+"="+strconv.Itoa(3+len(p.cmd.ExtraFiles)))
	p.cmd.ExtraFiles = append(p.cmd.ExtraFiles, files...)
	if p.cmd.Stdout == nil {
		p.cmd.Stdout = p.stdout
	}
	if p.cmd.Stderr == nil {
		p.cmd.Stderr = p.stderr
	}
	// A child of the worker that keeps its standard output must not keep us
	// from seeing that the worker has ended.
	p.cmd.WaitDelay = time.Second
	if p.cmd.SysProcAttr == nil {
		p.cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	dieWithParent(p.cmd.SysProcAttr)
}

// awaitReady waits for the worker's word that it serves.
func (p *process) awaitReady() {
	if line, err := bufio.NewReader(p.status).ReadString('\n'); err == nil && line == readyLine {
		close(p.ready)
	}
}

// awaitExit waits for the end and says how it came; never nil.
func (p *process) awaitExit() error {
	err := p.cmd.Wait()
	p.stdout.flush()
	p.stderr.flush()
	if err == nil || errors.Is(err, exec.ErrWaitDelay) {
		return errors.New("it ended by itself")
	}
	return err
}

// pid is the number of the process.
func (p *process) pid() int { return p.cmd.Process.Pid }

// signal sends a signal to the process; one that has ended gets none, since
// os.Process never signals a number that another process may have by now.
func (p *process) signal(sig os.Signal) {
	if err := p.cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		p.cmd.Process.Kill()
	}
}

// release closes our ends of the pipes.
func (p *process) release() {
	p.lifeline.Close()
	p.status.Close()
}

// listenerFile copies the listener's socket to a file that workers inherit. It
// does not use TCPListener.File: when exec asks such a file for its descriptor,
// the socket becomes a blocking one, for every process that shares it. The copy
// is made to look blocking only for the moment in which os.NewFile asks, so
// that this process's poller does not wake up for connections it never takes.
func listenerFile(l *net.TCPListener) (*os.File, error) {
	raw, err := l.SyscallConn()
	if err != nil {
		return nil, fmt.Errorf("supervisor: take the listener's socket: %w", err)
	}
	var file *os.File
	var copyErr error
	err = raw.Control(func(fd uintptr) {
		var copied int
		if copied, copyErr = dupCloseOnExec(int(fd)); copyErr != nil {
			return
		}
		copyErr = syscall.SetNonblock(copied, false)
		file = os.NewFile(uintptr(copied), "listener")
		copyErr = errors.Join(copyErr, syscall.SetNonblock(copied, true))
	})
	if err = errors.Join(err, copyErr); err != nil {
		return nil, fmt.Errorf("supervisor: copy the listener's socket: %w", err)
	}
	return file, nil
}
