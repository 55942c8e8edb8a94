package jetstream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lectern-lms/lectern/kv"
)

// acked reads from a writing child until it has acknowledged n writes, or with
// n negative until it has ended, and adds them to the list.
func (c *child) acked(t *testing.T, list []int, n int) []int {
	t.Helper()
	for n < 0 || len(list) < n {
		line, err := c.out.ReadString('\n')
		if err != nil {
			if n >= 0 || !errors.Is(err, io.EOF) && !errors.Is(err, os.ErrClosed) {
				t.Fatalf("the writer ended after %d writes: %v", len(list), err)
			}
			return list
		}
		i, err := strconv.Atoi(strings.TrimSpace(line))
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, i)
	}
	return list
}

// wantAll fails the test if one of the keys is not there with its value.
func wantAll(t *testing.T, s *Store, list []int) {
	t.Helper()
	page, err := s.Scan(t.Context(), kv.Range{Prefix: "w/"})
	if err != nil {
		t.Fatal(err)
	}
	there := map[string]string{}
	for _, e := range page.Entries {
		there[e.Key] = string(e.Value)
	}
	lost := 0
	for _, i := range list {
		if there[fmt.Sprint("w/", i)] != strconv.Itoa(i) {
			lost++
		}
	}
	if lost > 0 {
		t.Errorf("%d of %d acknowledged writes are lost", lost, len(list))
	}
	if _, err := s.Commit(t.Context(), nil, []kv.Write{kv.Put("after", nil)}); err != nil {
		t.Errorf("a write after it: %v", err)
	}
	t.Logf("%d acknowledged, %d there", len(list), len(page.Entries))
}

// TestKilledServerLosesNothing ends a process with kill -9 in the middle of
// writes, with each way to force them to the disk: all that it acknowledged is
// there after a new start.
func TestKilledServerLosesNothing(t *testing.T) {
	t.Parallel()
	for name, always := range map[string]bool{"interval": false, "always": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := ServerOptions{Dir: t.TempDir(), SyncAlways: always}
			writer := startChild(t, childOptions{Server: o, Write: "data"})
			list := writer.acked(t, nil, 400)
			if err := writer.cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			list = writer.acked(t, list, -1) // what was printed before it died
			writer.kill()
			wantAll(t, reopen(t, o.Dir), list)
		})
	}
}

// reopen starts a server on a directory and opens its bucket.
func reopen(t *testing.T, dir string) *Store {
	t.Helper()
	srv, err := StartServer(ServerOptions{Dir: dir, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(srv.Shutdown)
	nc, err := srv.Connect("test")
	if err != nil {
		t.Fatal(err)
	}
	s, err := Open(t.Context(), nc, Bucket{Name: "data"})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// copyLive copies a directory that is being written, file by file, as it is.
// Files that go away meanwhile are left out.
func copyLive(t *testing.T, from string) string {
	t.Helper()
	to := t.TempDir()
	err := filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err == nil {
			target := filepath.Join(to, strings.TrimPrefix(path, from))
			if d.IsDir() {
				return os.MkdirAll(target, 0o700)
			}
			var data []byte
			if data, err = os.ReadFile(path); err == nil {
				return os.WriteFile(target, data, 0o600)
			}
		}
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return to
}

// TestPowerCut starts from a copy of the store's directory that was taken under
// load. It holds all writes that were acknowledged before the copy began. (What
// the disk itself had not got is another matter: that is what LMS_SYNC is for.)
func TestPowerCut(t *testing.T) {
	t.Parallel()
	o := ServerOptions{Dir: t.TempDir(), SyncAlways: true}
	writer := startChild(t, childOptions{Server: o, Write: "data"})
	list := writer.acked(t, nil, 300)
	for range 3 {
		dir := copyLive(t, o.Dir)
		wantAll(t, reopen(t, dir), list)
		list = writer.acked(t, list, len(list)+50)
	}
}

// TestPowerCutOfCluster does the same with three nodes: their directories are
// copied one after the other, under load, and three nodes start from them.
func TestPowerCutOfCluster(t *testing.T) {
	t.Parallel()
	c := startCluster(t, 3)
	s := c.open(0, Bucket{Name: "data"})
	stop := make(chan struct{})
	var mu sync.Mutex
	var list []int
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for i := w; ; i += 4 {
				select {
				case <-stop:
					return
				default:
				}
				if _, err := s.Commit(context.Background(), nil, []kv.Write{kv.Put(fmt.Sprint("w/", i), []byte(strconv.Itoa(i)))}); err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				list = append(list, i)
				mu.Unlock()
			}
		})
	}
	time.Sleep(time.Second)
	mu.Lock()
	before := append([]int(nil), list...)
	mu.Unlock()
	copied := &testCluster{t: t, dir: t.TempDir(), peers: freeAddrs(t, 3), nodes: make([]*Server, 3)}
	for i := range c.nodes {
		name := fmt.Sprint("n", i)
		if err := os.Rename(copyLive(t, filepath.Join(c.dir, name)), filepath.Join(copied.dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	close(stop)
	wg.Wait()
	copied.startAll(0, 1, 2)
	t.Cleanup(func() {
		for i := range copied.nodes {
			copied.stop(i)
		}
	})
	if !t.Failed() {
		wantAll(t, copied.open(1, Bucket{Name: "data"}), before)
	}
}
