package supervisor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"time"
)

// Options say what a supervisor runs. Listener, Workers and Command are
// needed; the rest has defaults.
type Options struct {
	// Listener is the socket that the workers accept on. Start takes it over:
	// it keeps a copy of the socket until Stop and closes the Listener itself.
	Listener *net.TCPListener
	// Workers is how many processes to run.
	Workers int
	// Command makes the command of the worker with this index, anew for each
	// start. The supervisor adds to its Env and ExtraFiles, and sets Stdout
	// and Stderr where they are nil.
	Command func(index int) *exec.Cmd
	// Logger takes a line for each start and end of a worker; the default is
	// slog.Default.
	Logger *slog.Logger
	// ReadyTimeout is how long a worker may take until it serves. One that
	// takes longer is killed and counts as dead. The default is 30 s.
	ReadyTimeout time.Duration
	// Stdout and Stderr take what the workers write, line by line. The
	// defaults are those of this process.
	Stdout, Stderr io.Writer
	// OnReady is called whenever a worker begins to serve, OnExit whenever
	// one has ended, with the reason. Both may be nil; they must return soon,
	// and may be called from many goroutines at a time.
	OnReady func(Status)
	OnExit  func(Status, error)

	// wait is what passes the time before a new start; tests replace it.
	wait func(ctx context.Context, d time.Duration)
}

// Status is what is known of one worker.
type Status struct {
	Index int
	// Pid is the process; 0 while there is none.
	Pid int
	// Ready says that the process serves.
	Ready bool
	// Restarts counts how often the worker was replaced.
	Restarts int
	// Since is when the state last changed: the process was started, became
	// ready or ended.
	Since time.Time
}

// Supervisor keeps a number of worker processes alive. Make one with [Start].
type Supervisor struct {
	opts  Options
	file  *os.File // the listener as the workers inherit it
	board *board
	spawn chan func() // runs on the one thread that starts processes

	ctx  context.Context // ends when the supervisor begins to stop
	stop context.CancelFunc
	// kill ends when the workers' time to stop is up.
	kill     context.Context
	killNow  context.CancelFunc
	running  sync.WaitGroup
	finished chan struct{} // closed when no worker is left
	stopOnce sync.Once

	mu     sync.Mutex
	status []Status
	change chan struct{} // closed and replaced when a status changes
}

// Start starts the workers and returns when all of them serve. If one of them
// ends or takes longer than the ReadyTimeout before that, the others are
// stopped and the error says which one it was. Once it has returned without
// an error, the supervisor never gives a worker up. Cancelling ctx ends the
// start; it has no effect later.
func Start(ctx context.Context, opts Options) (*Supervisor, error) {
	s, err := prepare(opts)
	if err != nil {
		return nil, err
	}
	failed := make(chan error, s.opts.Workers)
	for index := range s.opts.Workers {
		s.running.Go(func() { s.keep(index, failed) })
	}
	go func() {
		s.running.Wait()
		close(s.spawn)
		s.board.close()
		close(s.finished)
	}()
	if err := s.awaitAll(ctx, failed); err != nil {
		s.killNow()
		return nil, errors.Join(err, s.Stop(context.Background()))
	}
	return s, nil
}

// prepare checks the options, fills in the defaults and makes what the workers
// share.
func prepare(opts Options) (*Supervisor, error) {
	if opts.Listener == nil || opts.Workers < 1 || opts.Command == nil {
		return nil, errors.New("supervisor: Options lack a Listener, a Command or a positive number of Workers")
	}
	if opts.Logger == nil {
		opts.Logger = slog.Default()
	}
	if opts.ReadyTimeout <= 0 {
		opts.ReadyTimeout = 30 * time.Second
	}
	if opts.Stdout == nil {
		opts.Stdout = os.Stdout
	}
	if opts.Stderr == nil {
		opts.Stderr = os.Stderr
	}
	if opts.wait == nil {
		opts.wait = wait
	}
	file, err := listenerFile(opts.Listener)
	if err != nil {
		return nil, err
	}
	board, err := newBoard(opts.Workers)
	if err != nil {
		file.Close()
		return nil, err
	}
	s := &Supervisor{
		opts: opts, file: file, board: board, spawn: make(chan func()), finished: make(chan struct{}),
		status: make([]Status, opts.Workers), change: make(chan struct{}),
	}
	for i := range s.status {
		s.status[i] = Status{Index: i, Since: time.Now()}
	}
	opts.Listener.Close() // the copy holds the socket
	s.ctx, s.stop = context.WithCancel(context.Background())
	s.kill, s.killNow = context.WithCancel(context.Background())
	go s.startProcesses()
	return s, nil
}

// startProcesses runs the functions of s.spawn on one thread that lives as
// long as the workers: Linux sends the parent-death signal when the thread
// that started the child ends, not the process.
func (s *Supervisor) startProcesses() {
	runtime.LockOSThread()
	for start := range s.spawn {
		start()
	}
}

// awaitAll waits until every worker has been ready.
func (s *Supervisor) awaitAll(ctx context.Context, failed <-chan error) error {
	for {
		ready, change := 0, s.changed()
		for _, st := range s.Status() {
			if st.Ready {
				ready++
			}
		}
		if ready == s.opts.Workers {
			return nil
		}
		select {
		case err := <-failed:
			return err
		case <-ctx.Done():
			return fmt.Errorf("supervisor: the start was ended while %d of %d workers served: %w", ready, s.opts.Workers, ctx.Err())
		case <-change:
		}
	}
}

// Status returns what is known of each worker, by index.
func (s *Supervisor) Status() []Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Status(nil), s.status...)
}

// changed returns a channel that is closed when a status changes.
func (s *Supervisor) changed() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.change
}

// update changes the status of one worker and returns it as it is then.
func (s *Supervisor) update(index int, change func(*Status)) Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.status[index])
	s.status[index].Since = time.Now()
	close(s.change)
	s.change = make(chan struct{})
	return s.status[index]
}

// Stop ends the workers: it closes the socket, sends each worker SIGTERM,
// waits for them to end, and kills those that are left when ctx ends, which it
// reports as an error. More than one call is no error.
func (s *Supervisor) Stop(ctx context.Context) error {
	s.stopOnce.Do(func() {
		s.spawn <- func() { // not while a process is started, which uses the file
			s.stop()
			s.file.Close()
		}
	})
	var err error
	select {
	case <-s.finished:
	case <-ctx.Done():
		err = fmt.Errorf("supervisor: killed the workers that had not ended: %w", ctx.Err())
		s.killNow()
		<-s.finished
	}
	s.killNow()
	return err
}

// Done is closed when the supervisor has stopped and no worker is left.
func (s *Supervisor) Done() <-chan struct{} { return s.finished }
