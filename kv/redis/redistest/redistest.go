// Package redistest runs real Redis servers for tests, each with a directory
// of its own, on the loopback address.
package redistest

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// startTimeout is how long a server may take until it answers.
const startTimeout = 20 * time.Second

// logFile is the name of a server's log in its directory.
const logFile = "redis.log"

// Server is a redis-server process. It is stopped when its test ends.
type Server struct {
	tb   testing.TB
	args []string
	dir  string
	port int
	cmd  *exec.Cmd
	tls  bool
}

// Start runs a server without persistence; args are more of its options, such
// as "--appendonly", "yes".
func Start(tb testing.TB, args ...string) *Server {
	tb.Helper()
	return launch(tb, &Server{tb: tb, args: args, dir: tb.TempDir()})
}

// StartTLS is Start for a server that speaks TLS alone; args name its
// certificate.
func StartTLS(tb testing.TB, args ...string) *Server {
	tb.Helper()
	return launch(tb, &Server{tb: tb, args: args, dir: tb.TempDir(), tls: true})
}

// StartReplica is Start for a replica of the server at an address. It returns
// when the replica has caught up.
func StartReplica(tb testing.TB, primary string, args ...string) *Server {
	tb.Helper()
	host, port, err := net.SplitHostPort(primary)
	if err != nil {
		tb.Fatal(err)
	}
	s := Start(tb, append([]string{"--replicaof", host + " " + port}, args...)...)
	for end := time.Now().Add(startTimeout); !strings.Contains(s.Do("INFO", "replication"), "master_link_status:up"); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			tb.Fatal("the replica does not follow")
		}
	}
	return s
}

// launch runs a server for the first time.
func launch(tb testing.TB, s *Server) *Server {
	tb.Helper()
	if _, err := exec.LookPath("redis-server"); err != nil {
		tb.Fatal("these tests need redis-server 7 or later on the PATH: install the package redis-server (macOS: brew install redis)")
	}
	tb.Cleanup(s.Kill)
	// Another process may take the free port before the server does.
	var err error
	for range 5 {
		s.port = freePort(tb)
		if err = s.start(); err == nil {
			return s
		}
	}
	tb.Fatal(err)
	return nil
}

// freePort finds a port that nobody listens on, low enough that the port of a
// cluster's bus, 10,000 above, exists too.
func freePort(tb testing.TB) int {
	tb.Helper()
	for {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			tb.Fatal(err)
		}
		port := l.Addr().(*net.TCPAddr).Port
		if err := l.Close(); err != nil {
			tb.Fatal(err)
		}
		if port < 55000 {
			return port
		}
	}
}

// Addr is the server's address.
func (s *Server) Addr() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)) }

// URL is the server's address as Lectern's settings have it.
func (s *Server) URL() string { return "redis://" + s.Addr() }

// Dir is where the server keeps its files.
func (s *Server) Dir() string { return s.dir }

// start runs the process and waits until it answers.
func (s *Server) start() error {
	ports := []string{"--port", strconv.Itoa(s.port)}
	if s.tls {
		ports = []string{"--port", "0", "--tls-port", strconv.Itoa(s.port)}
	}
	args := slices.Concat(ports, []string{"--bind", "127.0.0.1", "--dir", s.dir, "--save", "", "--logfile", logFile,
		"--repl-diskless-sync-delay", "0"}, s.args)
	if err := os.Remove(filepath.Join(s.dir, logFile)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	s.cmd = exec.Command("redis-server", args...)
	if err := s.cmd.Start(); err != nil {
		return fmt.Errorf("redis-server: %w", err)
	}
	for end := time.Now().Add(startTimeout); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if s.answers() {
			return nil
		}
		if s.ended() {
			break
		}
	}
	s.Kill()
	return fmt.Errorf("redis-server %q does not answer:\n%s", args, s.Log())
}

// answers tells whether the server accepts connections, on all its addresses.
func (s *Server) answers() bool {
	if !strings.Contains(s.Log(), "Ready to accept connections") {
		return false
	}
	c, err := net.DialTimeout("tcp", s.Addr(), time.Second)
	if err != nil {
		return false
	}
	return c.Close() == nil
}

// ended tells whether the process is a zombie already: its port was taken.
func (s *Server) ended() bool {
	stat, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(s.cmd.Process.Pid), "stat"))
	return err == nil && strings.Contains(string(stat), ") Z ")
}

// Kill ends the process as a power cut would, if it runs.
func (s *Server) Kill() { s.end(syscall.SIGKILL) }

// Stop ends the process as an operator does; it saves what it is to save.
func (s *Server) Stop() { s.end(syscall.SIGTERM) }

// Log is what the server has logged.
func (s *Server) Log() string {
	text, err := os.ReadFile(filepath.Join(s.dir, logFile))
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// end sends a signal and waits for the process.
func (s *Server) end(sig syscall.Signal) {
	if s.cmd == nil {
		return
	}
	// Both fail only when the process has ended, or by the signal.
	_ = s.cmd.Process.Signal(sig)
	_ = s.cmd.Wait()
	s.cmd = nil
}

// Restart runs the server again on the same port and directory, with other
// options if there are any.
func (s *Server) Restart(args ...string) {
	s.tb.Helper()
	s.Kill()
	if len(args) > 0 {
		s.args = args
	}
	if err := s.start(); err != nil {
		s.tb.Fatal(err)
	}
}

// Freeze stops the process where it is; it answers nothing until Thaw.
func (s *Server) Freeze() { s.signal(syscall.SIGSTOP) }

// Thaw lets a frozen process go on.
func (s *Server) Thaw() { s.signal(syscall.SIGCONT) }

// signal sends a signal that must arrive.
func (s *Server) signal(sig syscall.Signal) {
	s.tb.Helper()
	if err := s.cmd.Process.Signal(sig); err != nil {
		s.tb.Fatal(err)
	}
}

// Do runs one command by redis-cli and returns what it prints.
func (s *Server) Do(args ...string) string {
	s.tb.Helper()
	out, err := exec.Command("redis-cli", append([]string{"-p", strconv.Itoa(s.port)}, args...)...).CombinedOutput()
	if err != nil {
		s.tb.Fatalf("redis-cli %q: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}
