package supervisor

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// roleVariable makes the test binary play a part instead of running tests.
const roleVariable = "LECTERN_TEST_ROLE"

// roles are the parts that the test binary plays as another process.
var roles = map[string]func(){
	"greet":      func() { greet(false) },
	"orphan":     func() { keepWithoutParent(); greet(false) },
	"stubborn":   func() { greet(true) },
	"crash":      func() { fmt.Print("about to crash"); os.Exit(3) },
	"mute":       func() { time.Sleep(time.Hour) },
	"supervisor": superviseTwo,
}

// TestMain plays a part if there is one to play.
func TestMain(m *testing.M) {
	if role := roles[os.Getenv(roleVariable)]; role != nil {
		role()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// command runs the test binary in a part.
func command(role string) func(int) *exec.Cmd {
	return func(int) *exec.Cmd {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), roleVariable+"="+role)
		return cmd
	}
}

// greet is a worker. It says its process id to each connection before it
// accepts another, answers a line with "ok", and ends on SIGTERM when its
// connections have been answered; a stubborn one does not end.
func greet(stubborn bool) {
	terminate := make(chan os.Signal, 1)
	signal.Notify(terminate, syscall.SIGTERM)
	w, inherited, err := Inherited()
	if err != nil || !inherited {
		fmt.Println("not a worker:", inherited, err)
		os.Exit(2)
	}
	go func() {
		<-w.Done()
		os.Exit(0)
	}()
	var open sync.WaitGroup
	go func() {
		<-terminate
		if !stubborn {
			w.Listener.Close()
			open.Wait()
			fmt.Println("worker", w.Index, "stopped")
			os.Exit(0)
		}
	}()
	if err := w.Ready(); err != nil {
		fmt.Println(err)
		os.Exit(2)
	}
	for {
		conn, err := w.Listener.Accept()
		if err != nil {
			select {} // the goroutine above ends the process
		}
		fmt.Fprintln(conn, os.Getpid())
		open.Go(func() {
			defer conn.Close()
			if _, err := bufio.NewReader(conn).ReadString('\n'); err == nil {
				io.WriteString(conn, "ok\n")
			}
		})
	}
}

// superviseTwo runs a supervisor of two workers and prints their address and
// process ids; it is there to be killed.
func superviseTwo() {
	l := listen()
	s, err := Start(context.Background(), Options{
		Listener: l, Workers: 2, Command: command(os.Getenv("LECTERN_TEST_CHILD")), Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		fmt.Println(err)
		os.Exit(2)
	}
	fmt.Println(l.Addr(), s.Status()[0].Pid, s.Status()[1].Pid)
	select {}
}

// listen opens a socket on loopback.
func listen() *net.TCPListener {
	l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		panic(err)
	}
	return l
}

// start starts a supervisor that is stopped with the test; it returns the
// address as well.
func start(t *testing.T, workers int, role string, change func(*Options)) (*Supervisor, string) {
	t.Helper()
	l := listen()
	opts := Options{
		Listener: l, Workers: workers, Command: command(role), Logger: slog.New(slog.NewTextHandler(t.Output(), nil)),
		Stdout: t.Output(), Stderr: t.Output(),
	}
	if change != nil {
		change(&opts)
	}
	s, err := Start(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		s.Stop(ctx)
	})
	return s, l.Addr().String()
}

// call makes one connection, reads who answers, asks and reads the answer. The
// pid is 0 if nobody said a word.
func call(addr string) (pid int, err error) {
	conn, err := net.DialTimeout("tcp", addr, 10*time.Second)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	r := bufio.NewReader(conn)
	line, err := r.ReadString('\n')
	if err != nil {
		return 0, err
	}
	if pid, err = strconv.Atoi(strings.TrimSpace(line)); err != nil {
		return 0, err
	}
	if _, err := io.WriteString(conn, "bye\n"); err != nil {
		return pid, err
	}
	if answer, err := r.ReadString('\n'); err != nil || answer != "ok\n" {
		return pid, fmt.Errorf("answer %q, %w", answer, err)
	}
	return pid, nil
}

// eventually waits for something that other processes do.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(15 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s did not come about", what)
		}
	}
}

// alive reports whether there is a process with this id that is no zombie.
func alive(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return syscall.Kill(pid, 0) == nil && !os.IsNotExist(err)
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	return !strings.HasPrefix(rest, "Z")
}
