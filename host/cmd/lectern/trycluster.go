package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/lectern-lms/lectern/host/config"
)

const (
	// tryNodes is how many nodes `lectern cluster` runs.
	tryNodes = 3
	// killAfter is how much longer than its own limit a node may take to stop.
	killAfter = 15 * time.Second
)

// ownSettings are the settings that each node of a trial has for itself; a
// name that ends with "_" stands for all that start with it.
var ownSettings = []string{"LMS_PORT", "LMS_DATA_DIR", "LMS_CLUSTER_", "LMS_NODE_NAME", "SECRET_KEY"}

// trial is three nodes on this machine, to see a cluster at work.
type trial struct {
	cfg     config.Config
	program string
	peers   []string
	out     io.Writer
	mu      sync.Mutex // of out
}

// tryCluster runs a site on three nodes of this machine until ctx ends. They
// serve on LMS_PORT and the two ports after it, and keep their data under
// LMS_DATA_DIR/cluster. A node that dies is started again.
func tryCluster(ctx context.Context, out io.Writer) error {
	t := &trial{out: out}
	var err error
	if t.cfg, err = config.Load(without(os.Environ(), ownSettings[2:4])); err != nil {
		return err
	}
	t.cfg.DataDir = filepath.Join(t.cfg.DataDir, "cluster")
	unlock, err := config.PrepareDataDir(t.cfg.DataDir)
	if err != nil {
		return err
	}
	defer unlock()
	if err := config.EnsureSecret(&t.cfg); err != nil {
		return err
	}
	if t.program, err = os.Executable(); err != nil {
		return fmt.Errorf("this program's own file cannot be found to start nodes: %w", err)
	}
	if t.peers, err = freeAddresses(tryNodes); err != nil {
		return err
	}
	for i := range tryNodes {
		if err := t.shareCache(i); err != nil {
			return err
		}
	}
	t.print("three nodes on this machine; their logs follow. Press Ctrl-C to stop them all.")
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var wg sync.WaitGroup
	faults := make([]error, tryNodes)
	for i := range tryNodes {
		wg.Go(func() {
			if faults[i] = t.keep(ctx, i); faults[i] != nil {
				stop()
			}
		})
	}
	wg.Wait()
	t.print("stopped")
	return errors.Join(faults...)
}

// shareCache lets a node use the same compiled handlers as the others.
func (t *trial) shareCache(i int) error {
	dir, cache := filepath.Join(t.cfg.DataDir, nodeName(i)), filepath.Join(t.cfg.DataDir, "cache")
	err := errors.Join(os.MkdirAll(dir, 0o700), os.MkdirAll(cache, 0o700))
	if err == nil {
		err = os.Symlink(filepath.Join("..", "cache"), filepath.Join(dir, "cache"))
	}
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("prepare the nodes' directories: %w", err)
	}
	return nil
}

// nodeName is the name of a node and of its directory.
func nodeName(i int) string { return fmt.Sprint("node", i+1) }

// freeAddresses are addresses on the loopback interface that nobody uses.
func freeAddresses(n int) ([]string, error) {
	var addrs []string
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, fmt.Errorf("no free port for the nodes: %w", err)
		}
		defer l.Close()
		addrs = append(addrs, l.Addr().String())
	}
	return addrs, nil
}

// print writes a line.
func (t *trial) print(line string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	fmt.Fprintln(t.out, line)
}

// keep runs a node, again if it dies, until ctx ends. A node that dies before
// it was ready, or does not stop in good order, is an error.
func (t *trial) keep(ctx context.Context, i int) error {
	name := nodeName(i)
	for {
		ready, err := t.run(ctx, i, name)
		switch {
		case ctx.Err() != nil && ready && err != nil:
			return fmt.Errorf("%s did not stop in good order: %w", name, err)
		case ctx.Err() != nil:
			return nil
		case !ready:
			return fmt.Errorf("%s ended before it served: %w; its messages above say why", name, err)
		}
		if err == nil {
			err = errors.New("by itself")
		}
		t.print(fmt.Sprintf("%s ended (%v); starting it again", name, err))
	}
}

// run runs a node once, and tells whether it began to serve.
func (t *trial) run(ctx context.Context, i int, name string) (ready bool, err error) {
	cmd := exec.CommandContext(ctx, t.program, "serve")
	cmd.Env = append(without(os.Environ(), ownSettings), "SECRET_KEY="+t.cfg.SecretKey.Reveal(),
		"LMS_PORT="+strconv.Itoa(t.port(i)), "LMS_DATA_DIR="+filepath.Join(t.cfg.DataDir, name),
		"LMS_CLUSTER_PEERS="+strings.Join(t.peers, ","), "LMS_CLUSTER_ADDR="+t.peers[i], "LMS_NODE_NAME="+name)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = t.cfg.ShutdownTimeout + killAfter
	out, outEnd := io.Pipe()
	log, logEnd := io.Pipe()
	cmd.Stdout, cmd.Stderr = outEnd, logEnd
	var readers sync.WaitGroup
	readers.Go(func() {
		ready = t.copyLines(out, func(line string) (string, bool) {
			url, ok := strings.CutPrefix(line, readyWords)
			return name + " is ready: " + url, ok
		})
	})
	readers.Go(func() { t.copyLines(log, func(line string) (string, bool) { return name + " | " + line, true }) })
	if err = cmd.Run(); cmd.ProcessState != nil && cmd.ProcessState.Success() {
		err = nil // not the context's error, that it was told to stop
	}
	outEnd.Close()
	logEnd.Close()
	readers.Wait()
	return ready, err
}

// port is the port that a node serves on.
func (t *trial) port(i int) int {
	if t.cfg.Port == 0 {
		return 0
	}
	return t.cfg.Port + i
}

// copyLines prints the lines that pick wants, as it wants them, and tells
// whether there were any.
func (t *trial) copyLines(from io.Reader, pick func(string) (string, bool)) (any bool) {
	lines := bufio.NewReader(from)
	for {
		line, err := lines.ReadString('\n')
		if text, ok := pick(strings.TrimRight(line, "\n")); ok && line != "" {
			t.print(text)
			any = true
		}
		if err != nil {
			return any
		}
	}
}

// without leaves settings out of an environment, in each way that their names
// may be written.
func without(environ, settings []string) []string {
	return slices.DeleteFunc(slices.Clone(environ), func(v string) bool {
		name, _, _ := strings.Cut(v, "=")
		name = strings.TrimPrefix(name, "NOW_")
		return name == "PORT" && slices.Contains(settings, "LMS_PORT") || slices.ContainsFunc(settings, func(s string) bool {
			return name == s || strings.HasSuffix(s, "_") && strings.HasPrefix(name, s)
		})
	})
}
