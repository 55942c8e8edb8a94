package supervisor

import (
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// How long a worker leaves a waiting connection to others that should have it.
// It looks again after each step. Steps in which nobody took a connection are
// counted and drawn from a budget, so that a worker that hangs costs the others
// at most a tenth of their time.
const (
	step         = 100 * time.Microsecond
	maxSteps     = 20               // for nothing, per connection
	budgetFull   = 300              // steps
	budgetRefill = time.Millisecond // one step each
)

// turnListener accepts on the shared socket in turn with the other workers.
type turnListener struct {
	file    *os.File // the socket; its own poller entry
	raw     syscall.RawConn
	addr    net.Addr
	board   *board
	index   int
	workers int

	budget int       // steps left; used by Accept alone
	filled time.Time // up to when the budget was refilled
	mu     sync.Mutex
	closed sync.Once
}

// newTurnListener makes the listener of the worker with this index from the
// inherited socket, which it closes with itself.
func newTurnListener(file *os.File, board *board, index, workers int) (*turnListener, error) {
	plain, err := net.FileListener(file)
	if err != nil {
		return nil, fmt.Errorf("supervisor: the inherited file is no listener: %w", err)
	}
	defer plain.Close() // only its address was wanted
	raw, err := file.SyscallConn()
	if err != nil {
		return nil, fmt.Errorf("supervisor: use the inherited listener: %w", err)
	}
	board.reset(index)
	return &turnListener{
		file: file, raw: raw, addr: plain.Addr(), board: board, index: index, workers: workers,
		budget: budgetFull, filled: time.Now(),
	}, nil
}

// Addr is the address of the shared socket.
func (l *turnListener) Addr() net.Addr { return l.addr }

// Close stops accepting here; the other workers go on. The connections stay.
func (l *turnListener) Close() error {
	err := net.ErrClosed
	l.closed.Do(func() {
		l.slot().accepting.Store(0)
		err = l.file.Close()
	})
	return err
}

// slot is this worker's part of the board.
func (l *turnListener) slot() *slot { return &l.board.shared.slots[l.index] }

// Accept waits for a connection that it is this worker's turn to take.
func (l *turnListener) Accept() (net.Conn, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.slot().accepting.Store(1)
	for {
		fd, err := -1, error(nil)
		waitErr := l.raw.Read(func(listener uintptr) (done bool) {
			l.giveWay(int(listener))
			fd, err = acceptOne(int(listener))
			return !errors.Is(err, syscall.EAGAIN)
		})
		switch {
		case errors.Is(waitErr, os.ErrClosed):
			l.slot().accepting.Store(0)
			return nil, &net.OpError{Op: "accept", Net: "tcp", Addr: l.addr, Err: net.ErrClosed}
		case waitErr != nil:
			return nil, &net.OpError{Op: "accept", Net: "tcp", Addr: l.addr, Err: waitErr}
		case errors.Is(err, syscall.EINTR), errors.Is(err, syscall.ECONNABORTED):
			continue // the caller has gone; there may be others
		case err != nil: // a syscall.Errno, so that net/http sees what is temporary
			return nil, &net.OpError{Op: "accept", Net: "tcp", Addr: l.addr, Err: os.NewSyscallError("accept", err)}
		}
		conn, err := l.wrap(fd)
		if err == nil || errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) {
			return conn, err // without descriptors, net/http waits and tries again
		}
	}
}

// giveWay waits a moment if there is a connection that another worker should
// have, so that it can take it.
func (l *turnListener) giveWay(listener int) {
	now := time.Now()
	if n := int(now.Sub(l.filled) / budgetRefill); n > 0 {
		l.budget = min(l.budget+n, budgetFull)
		l.filled = now
	}
	for steps := 0; steps < maxSteps && l.budget > 0; steps++ {
		taken := l.board.shared.taken.Load()
		if !l.board.others(l.index, l.workers) || !readable(listener) {
			return
		}
		sleepBriefly(step)
		if l.board.shared.taken.Load() != taken {
			return // others are at it; what waits now is more than they can take
		}
		l.budget--
	}
}

// readable reports whether a connection waits to be accepted.
func readable(listener int) bool {
	fds := []unix.PollFd{{Fd: int32(listener), Events: unix.POLLIN}}
	n, err := unix.Poll(fds, 0)
	return err == nil && n == 1
}

// wrap makes a connection of an accepted socket and enters it on the board.
func (l *turnListener) wrap(fd int) (net.Conn, error) {
	file := os.NewFile(uintptr(fd), "connection")
	defer file.Close()
	plain, err := net.FileConn(file) // sets keep-alive and no-delay as Accept does
	if err != nil {
		return nil, err
	}
	tcp, ok := plain.(*net.TCPConn)
	if !ok {
		plain.Close()
		return nil, errors.New("supervisor: not a TCP connection")
	}
	l.board.shared.last.Store(int32(l.index) + 1)
	l.board.shared.taken.Add(1)
	l.slot().open.Add(1)
	return &turnConn{TCPConn: tcp, left: func() { l.slot().open.Add(-1) }}, nil
}

// turnConn is a connection that leaves the board when it is closed. It has all
// methods of the TCP connection, so that sendfile and splice still work.
type turnConn struct {
	*net.TCPConn
	once sync.Once
	left func()
}

// Close closes the connection.
func (c *turnConn) Close() error {
	c.once.Do(c.left)
	return c.TCPConn.Close()
}
