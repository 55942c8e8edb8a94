package supervisor

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// TestSpread checks that connections made one after the other reach several
// processes: of ten, two at least, round for round.
func TestSpread(t *testing.T) {
	t.Parallel()
	_, addr := start(t, 3, "greet", nil)
	counts := map[int]int{}
	for round := range 30 {
		pids := map[int]bool{}
		for range 10 {
			pid, err := call(addr)
			if err != nil {
				t.Fatal(err)
			}
			pids[pid] = true
			counts[pid]++
		}
		if len(pids) < 2 {
			t.Errorf("round %d: all ten connections went to %v", round, pids)
		}
	}
	if len(counts) != 3 {
		t.Errorf("connections went to %d of 3 processes: %v", len(counts), counts)
	}
	t.Logf("connections by process: %v", counts)
}

// TestSpreadOfOpenConnections checks that connections that stay open are
// shared out evenly.
func TestSpreadOfOpenConnections(t *testing.T) {
	t.Parallel()
	_, addr := start(t, 3, "greet", nil)
	counts := map[string]int{}
	for range 30 {
		conn, greeting, err := dialAndRead(addr)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		counts[greeting]++
	}
	for pid, n := range counts {
		if n > 20 {
			t.Errorf("process %s has %d of 30 connections: %v", pid, n, counts)
		}
	}
}

// dialAndRead makes a connection and reads the greeting.
func dialAndRead(addr string) (io.Closer, string, error) {
	conn, err := dial(addr)
	if err != nil {
		return nil, "", err
	}
	line, err := bufio.NewReader(conn).ReadString('\n')
	return conn, strings.TrimSpace(line), err
}

// TestKillUnderLoad kills a worker while many connections are made. Nothing
// may be refused or left without an answer but what that worker had in its
// hands; another process takes its place and serves.
func TestKillUnderLoad(t *testing.T) {
	t.Parallel()
	s, addr := start(t, 3, "greet", nil)
	victim := s.Status()[1].Pid

	var served, silent atomic.Int64
	var replaced atomic.Bool
	var load sync.WaitGroup
	for range 6 {
		load.Go(func() {
			for !replaced.Load() {
				pid, err := call(addr)
				switch {
				case err == nil:
					served.Add(1)
					if pid == victim || pid == 0 {
						continue
					}
					if st := s.Status()[1]; st.Pid == pid && st.Restarts > 0 {
						replaced.Store(true)
					}
				case pid == 0 && errors.Is(err, syscall.ECONNRESET), pid == 0 && errors.Is(err, io.EOF):
					silent.Add(1) // killed between accept and the first word
				case pid != victim:
					t.Errorf("a connection of process %d failed: %v", pid, err)
				}
			}
		})
	}
	eventually(t, "the load", func() bool { return served.Load() > 200 })
	// Stopped first, the victim holds what it has accepted and nothing else.
	if err := syscall.Kill(victim, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	before := served.Load()
	eventually(t, "service beside a stopped worker", func() bool { return served.Load() > before+50 })
	if err := syscall.Kill(victim, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eventually(t, "an answer of the new process", replaced.Load)
	load.Wait()
	if n := silent.Load(); n > 1 {
		t.Errorf("%d connections were lost before a word; only the one just accepted may be", n)
	}
	st := s.Status()[1]
	if st.Restarts != 1 || st.Pid == victim || !st.Ready {
		t.Errorf("status %+v; want one restart with another process", st)
	}
}

// TestNoWorkerNoRefusal checks that a connection made while no worker lives
// waits for the next one.
func TestNoWorkerNoRefusal(t *testing.T) {
	t.Parallel()
	hold := make(chan struct{})
	s, addr := start(t, 2, "greet", func(o *Options) {
		o.wait = func(ctx context.Context, _ time.Duration) {
			select {
			case <-hold:
			case <-ctx.Done():
			}
		}
	})
	for _, st := range s.Status() {
		syscall.Kill(st.Pid, syscall.SIGKILL)
	}
	eventually(t, "the death of both workers", func() bool { return s.Status()[0].Pid == 0 && s.Status()[1].Pid == 0 })
	conn, err := dial(addr)
	if err != nil {
		t.Fatalf("refused: %v", err)
	}
	defer conn.Close()
	close(hold)
	if line, err := bufio.NewReader(conn).ReadString('\n'); err != nil {
		t.Errorf("greeting %q, %v; want one of a new process", line, err)
	}
}

// TestStop checks the graceful end: what is in flight is answered, then the
// processes end, and the address is free.
func TestStop(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	s, addr := start(t, 2, "greet", func(o *Options) { o.Stdout = &out })
	conn, err := dial(addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	r := bufio.NewReader(conn)
	if _, err := r.ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	stopped := make(chan error, 1)
	go func() { stopped <- s.Stop(context.Background()) }()
	eventually(t, "the end of accepting", func() bool {
		conn, err := dial(addr)
		if err == nil {
			conn.Close() // or its worker would wait for it
		}
		return errors.Is(err, syscall.ECONNREFUSED)
	})
	io.WriteString(conn, "bye\n")
	if answer, err := r.ReadString('\n'); answer != "ok\n" {
		t.Errorf("answer %q, %v; want what was in flight to be answered", answer, err)
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
	<-s.Done()
	if got := out.String(); !strings.Contains(got, "worker 0 stopped\n") || !strings.Contains(got, "worker 1 stopped\n") {
		t.Errorf("the workers say %q; want both to have ended by themselves", got)
	}
	if err := s.Stop(context.Background()); err != nil {
		t.Errorf("a second Stop: %v", err)
	}
}

// TestStopLimit checks that a worker that does not end is killed.
func TestStopLimit(t *testing.T) {
	t.Parallel()
	s, _ := start(t, 1, "stubborn", nil)
	pid := s.Status()[0].Pid
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := s.Stop(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v; want the limit named", err)
	}
	if alive(pid) {
		t.Errorf("process %d is alive after Stop", pid)
	}
}

// TestSupervisorKilled checks that no worker outlives its supervisor, by the
// system's signal and by the life-line alone.
func TestSupervisorKilled(t *testing.T) {
	t.Parallel()
	for _, child := range []string{"greet", "orphan"} {
		t.Run(child, func(t *testing.T) {
			t.Parallel()
			cmd := command("supervisor")(0)
			cmd.Env = append(cmd.Env, "LECTERN_TEST_CHILD="+child)
			cmd.Stderr = t.Output()
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			var addr string
			var pids [2]int
			_, err = fmt.Fscan(out, &addr, &pids[0], &pids[1])
			cmd.Process.Kill()
			if err != nil {
				t.Fatal(err)
			}
			io.Copy(io.Discard, out)
			cmd.Wait()
			for _, pid := range pids {
				eventually(t, "the end of the workers", func() bool { return !alive(pid) })
			}
			// A process's last thread may close its files a moment later.
			eventually(t, "a free address", func() bool { _, err := dial(addr); return errors.Is(err, syscall.ECONNREFUSED) })
		})
	}
}

// TestStartFaults checks the starts that cannot succeed.
func TestStartFaults(t *testing.T) {
	t.Parallel()
	missing := func(int) *exec.Cmd { return exec.Command("/does/not/exist") }
	for name, tt := range map[string]struct {
		change func(*Options)
		says   string
	}{
		"no workers":   {func(o *Options) { o.Workers = 0 }, "Options lack"},
		"too many":     {func(o *Options) { o.Workers = maxSlots + 1 }, "the most is 255"},
		"no such file": {func(o *Options) { o.Command = missing }, "no such file"},
		"crash":        {func(o *Options) { o.Command = command("crash") }, "ended before it served: exit status 3"},
		"never ready":  {func(o *Options) { o.Command = command("mute"); o.ReadyTimeout = 50 * time.Millisecond }, "too long to begin"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			opts := Options{
				Listener: listen(), Workers: 2, Command: command("greet"), Stdout: io.Discard, Stderr: io.Discard, Logger: slog.New(slog.DiscardHandler),
			}
			tt.change(&opts)
			_, err := Start(t.Context(), opts)
			opts.Listener.Close()
			if err == nil || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("error %v; want one that says %q", err, tt.says)
			}
		})
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := Start(ctx, Options{Listener: listen(), Workers: 1, Command: command("mute"), Stdout: io.Discard})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v; want the context's", err)
	}
}

// TestBackoff checks with processes that die at once that the pauses grow,
// that the supervisor does not give up, and that the callbacks are told.
func TestBackoff(t *testing.T) {
	t.Parallel()
	pauses := make(chan time.Duration, 100)
	var exits, readies atomic.Int64
	var role atomic.Value
	role.Store("greet")
	var out safeBuffer
	s, addr := start(t, 1, "", func(o *Options) {
		o.Command = func(i int) *exec.Cmd { return command(role.Load().(string))(i) }
		o.Stdout = &out
		o.OnReady = func(Status) { readies.Add(1) }
		o.OnExit = func(st Status, err error) {
			if st.Pid == 0 || err == nil {
				t.Errorf("OnExit(%+v, %v); want a process and a reason", st, err)
			}
			exits.Add(1)
		}
		o.wait = func(ctx context.Context, d time.Duration) {
			pauses <- d
			if exits.Load() == 6 {
				role.Store("greet") // what was wrong has passed
			}
		}
	})
	role.Store("crash")
	syscall.Kill(s.Status()[0].Pid, syscall.SIGKILL)
	if _, err := call(addr); err != nil {
		t.Errorf("after the crashes: %v", err)
	}
	for i := range 6 {
		if d, longest := <-pauses, firstPause<<i; d < longest/2 || d > longest {
			t.Errorf("pause %d is %v; want between %v and %v", i, d, longest/2, longest)
		}
	}
	eventually(t, "the second OnReady", func() bool { return readies.Load() == 2 })
	if st := s.Status()[0]; st.Restarts != 6 || exits.Load() != 6 {
		t.Errorf("%d restarts, %d exits; want 6", st.Restarts, exits.Load())
	}
	if got := out.String(); got != strings.Repeat("about to crash\n", 5) {
		t.Errorf("the workers' last words are %q; want five lines", got)
	}
}

// safeBuffer is a buffer for several goroutines.
type safeBuffer struct {
	mu sync.Mutex
	bytes.Buffer
}

// Write adds to the buffer.
func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.Write(p)
}

// String is what was written so far.
func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.String()
}

// TestNotInherited checks a process that no supervisor started.
func TestNotInherited(t *testing.T) {
	if w, inherited, err := Inherited(); w != nil || inherited || err != nil {
		t.Errorf("Inherited() = %v, %v, %v; want nothing", w, inherited, err)
	}
	t.Setenv(envIndex, "0")
	t.Setenv(envWorkers, "1")
	for _, files := range []string{"", "x", "2"} {
		os.Setenv(envIndex, "0")
		os.Setenv(envWorkers, "1")
		t.Setenv(envFiles, files)
		if _, _, err := Inherited(); err == nil || !strings.Contains(err.Error(), "supervisor") {
			t.Errorf("files %q: error %v; want one that names the variables' owner", files, err)
		}
	}
}
