package supervisor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"
)

// errSlow says that a worker was killed since it took too long to serve.
var errSlow = errors.New("it took too long to begin to serve")

// keep runs the worker with this index, one process after the other, until
// the supervisor stops. The first process of a worker that ends before it is
// ready is reported to failed.
func (s *Supervisor) keep(index int, failed chan<- error) {
	var pause backoff
	for served := false; s.ctx.Err() == nil; {
		started := time.Now()
		becameReady, err := s.runOnce(index)
		if s.ctx.Err() != nil {
			return
		}
		if served = served || becameReady; !served {
			select {
			case failed <- fmt.Errorf("supervisor: worker %d ended before it served: %w; its own messages say why", index, err):
			default: // Start has heard of another
			}
		}
		s.update(index, func(st *Status) { st.Restarts++ })
		delay := pause.next(time.Since(started))
		s.opts.Logger.Warn("worker ended, starting another", "worker", index, "reason", err, "after", delay)
		s.opts.wait(s.ctx, delay)
	}
}

// runOnce runs one process of the worker to its end. It reports whether the
// process became ready and why it ended.
func (s *Supervisor) runOnce(index int) (becameReady bool, err error) {
	p, err := s.start(index)
	if err != nil {
		return false, err
	}
	s.update(index, func(st *Status) { st.Pid = p.pid() })
	defer func() {
		s.board.reset(index)
		p.release()
		ended := s.update(index, func(st *Status) { st.Pid, st.Ready = 0, false })
		ended.Pid = p.pid()
		if s.opts.OnExit != nil {
			s.opts.OnExit(ended, err)
		}
	}()

	ready, slow := p.ready, time.NewTimer(s.opts.ReadyTimeout)
	defer slow.Stop()
	stopping := s.ctx.Done()
	killing := s.kill.Done()
	for {
		select {
		case <-ready:
			ready, becameReady = nil, true
			slow.Stop()
			status := s.update(index, func(st *Status) { st.Ready = true })
			s.opts.Logger.Info("worker serves", "worker", index, "pid", status.Pid, "restarts", status.Restarts)
			if s.opts.OnReady != nil {
				s.opts.OnReady(status)
			}
		case <-slow.C:
			p.signal(os.Kill)
			return false, fmt.Errorf("%w: %w", errSlow, <-p.exited)
		case <-stopping:
			stopping = nil
			p.signal(syscall.SIGTERM)
		case <-killing:
			killing = nil
			p.signal(os.Kill)
		case err := <-p.exited:
			return becameReady, err
		}
	}
}

// wait passes d, or less if ctx ends.
func wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
