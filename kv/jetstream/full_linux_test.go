package jetstream

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/lectern-lms/lectern/kv"
)

// smallDisk is a directory with room for 12 MiB, or "" where this user may not
// make one.
func smallDisk(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=12m"); err != nil {
		t.Logf("no disk of its own for the test: %v", err)
		return ""
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// TestFullDisk writes until there is no room, on a small disk if this user may
// make one, and against the server's own limit: each further write is refused
// as ErrUnavailable, soon, and with room again all that was acknowledged is
// there.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		dir   string
		limit int64
	}{
		"disk":  {dir: smallDisk(t)},
		"limit": {dir: t.TempDir(), limit: 12 << 20},
	} {
		if test.dir == "" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := ServerOptions{Dir: filepath.Join(test.dir, "store"), MaxStore: test.limit, Logger: slog.New(slog.DiscardHandler)}
			srv, err := StartServer(o)
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
			acked := fillUp(t, s)
			srv.Shutdown()
			roomy := t.TempDir()
			if err := os.CopyFS(roomy, os.DirFS(o.Dir)); err != nil {
				t.Fatal(err)
			}
			wantAll(t, reopen(t, roomy), acked)
		})
	}
}

// fillUp writes 64 KiB at a time until three writes in a row were refused, and
// returns those that were acknowledged.
func fillUp(t *testing.T, s *Store) []int {
	t.Helper()
	var acked []int
	for i, refused := 0, 0; refused < 3; i++ {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		began := time.Now()
		_, err := s.Commit(ctx, nil, []kv.Write{kv.Put(fmt.Sprint("w/", i), fmt.Append(nil, i)), kv.Put(fmt.Sprint("big/", i), make([]byte, 64<<10))})
		cancel()
		switch {
		case err == nil:
			acked, refused = append(acked, i), 0
		case !errors.Is(err, kv.ErrUnavailable):
			t.Fatalf("write %d: %v, want ErrUnavailable", i, err)
		case time.Since(began) > 5*time.Second:
			t.Fatalf("write %d was refused after %v", i, time.Since(began))
		default:
			if refused++; refused == 1 {
				t.Logf("after %d writes: %v", len(acked), err)
			}
		}
		if i > 1000 {
			t.Fatal("64 MiB went into 12")
		}
	}
	return acked
}
