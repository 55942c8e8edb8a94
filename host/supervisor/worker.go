package supervisor

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"strconv"
	"sync"
	"syscall"
)

// Worker is this process as a worker of a supervisor.
type Worker struct {
	// Listener accepts on the shared socket, in turn with the other workers.
	Listener net.Listener
	// Index is which worker this is, from 0; Workers is how many there are.
	Index, Workers int

	status *os.File
	done   chan struct{}
	ready  sync.Once
}

// Inherited returns what the supervisor gave to this process, or false if it
// was not started by one. Call it once, early: it takes the variables out of
// the environment, so that the process's own children are no workers.
//
// A key press of Ctrl-C reaches all processes of a terminal. Inherited ignores
// SIGINT, since the supervisor sends SIGTERM when it is time; a worker must
// not ask for SIGINT again.
func Inherited() (*Worker, bool, error) {
	if os.Getenv(envIndex) == "" {
		return nil, false, nil
	}
	w := &Worker{done: make(chan struct{})}
	var first int
	for name, into := range map[string]*int{envIndex: &w.Index, envWorkers: &w.Workers, envFiles: &first} {
		n, err := strconv.Atoi(os.Getenv(name))
		if err != nil {
			return nil, true, fmt.Errorf("supervisor: %s is not a number; only the supervisor may set it", name)
		}
		*into = n
		os.Unsetenv(name)
	}
	if first < 3 || w.Workers > maxSlots || w.Index < 0 || w.Index >= w.Workers {
		return nil, true, errors.New("supervisor: the variables LECTERN_WORKER_* are not ones that a supervisor sets; unset them")
	}
	signal.Ignore(os.Interrupt)
	if err := w.open(first); err != nil {
		return nil, true, err
	}
	return w, true, nil
}

// open takes the inherited files, of which first is the first one's number.
func (w *Worker) open(first int) error {
	var files [fileCount]*os.File
	for i, name := range []string{"listener", "status", "lifeline", "board"} {
		syscall.CloseOnExec(first + i)
		files[i] = os.NewFile(uintptr(first+i), name)
	}
	board, err := openBoard(files[fileBoard])
	if err != nil {
		return err
	}
	l, err := newTurnListener(files[fileListener], board, w.Index, w.Workers)
	if err != nil {
		return err
	}
	w.Listener, w.status = l, files[fileStatus]
	go func() {
		io.Copy(io.Discard, files[fileLifeline])
		close(w.done)
	}()
	return nil
}

// Ready tells the supervisor that the worker serves. Only the first call has
// an effect.
func (w *Worker) Ready() error {
	var err error
	w.ready.Do(func() {
		_, err = io.WriteString(w.status, readyLine)
		err = errors.Join(err, w.status.Close())
	})
	if err != nil {
		return fmt.Errorf("supervisor: tell that the worker is ready: %w", err)
	}
	return nil
}

// Done is closed when the supervisor has gone, however it ended. The worker
// has lost its store with it and must exit.
func (w *Worker) Done() <-chan struct{} { return w.done }
