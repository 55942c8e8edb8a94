package jetstream

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lectern-lms/lectern/kv"
)

// childEnv tells this test binary to be a server in a process of its own, one
// that can be killed; it holds the childOptions.
const childEnv = "LECTERN_TEST_CHILD"

// childOptions say what such a process runs.
type childOptions struct {
	Server ServerOptions // without its Logger
	// Write makes it write the keys w/0, w/1 ... to this bucket and print the
	// number of each that was acknowledged.
	Write string
}

// runChild is the life of such a process.
func runChild(text string) error {
	var o childOptions
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		return err
	}
	o.Server.Logger = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	srv, err := StartServer(o.Server)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := srv.AwaitQuorum(ctx); err != nil {
		return err
	}
	fmt.Println("ready")
	if o.Write == "" {
		select {} // until it is killed
	}
	nc, err := srv.Connect("writer")
	if err != nil {
		return err
	}
	s, err := Open(ctx, nc, Bucket{Name: o.Write})
	if err != nil {
		return err
	}
	var writers sync.WaitGroup
	for w := range 4 {
		writers.Go(func() {
			for i := w; ; i += 4 {
				if _, err := s.Commit(context.Background(), nil, []kv.Write{kv.Put(fmt.Sprint("w/", i), fmt.Append(nil, i))}); err != nil {
					fmt.Fprintln(os.Stderr, "write", i, err)
					return
				}
				fmt.Println(i)
			}
		})
	}
	writers.Wait()
	return nil
}

// child is such a process, seen by its test.
type child struct {
	cmd *exec.Cmd
	out *bufio.Reader
}

// startChild starts one and waits until it is ready.
func startChild(t testing.TB, o childOptions) *child {
	t.Helper()
	o.Server.Logger = nil
	text, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+string(text))
	cmd.Stderr = os.Stderr
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	c := &child{cmd: cmd, out: bufio.NewReader(pipe)}
	t.Cleanup(c.kill)
	if line, err := c.out.ReadString('\n'); strings.TrimSpace(line) != "ready" {
		t.Fatalf("the child process did not start: %q, %v", line, err)
	}
	return c
}

// kill ends the process as kill -9 does; more than one call is no error.
func (c *child) kill() {
	_ = c.cmd.Process.Kill() // it may have ended
	_ = c.cmd.Wait()         // says that it was killed
}
