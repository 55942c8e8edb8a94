package jetstream

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lectern-lms/lectern/kv"
)

// fillStore makes a store of 100 keys, some of them written twice, deleted and
// with an expiry, and returns the message file of its bucket.
func fillStore(t *testing.T, dir string) string {
	t.Helper()
	srv, err := StartServer(ServerOptions{Dir: dir, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer srv.Shutdown()
	nc, err := srv.Connect("test")
	if err != nil {
		t.Fatal(err)
	}
	s, err := Open(t.Context(), nc, Bucket{Name: "data"})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 100 {
		writes := []kv.Write{kv.Put(fmt.Sprint("w/", i), bytes.Repeat([]byte{byte(i)}, 500))}
		if i%10 == 9 {
			writes = append(writes, kv.Put(fmt.Sprint("w/", i-1), []byte("again")), kv.Delete(fmt.Sprint("w/", i-2)), kv.PutTTL(fmt.Sprint("w/", i-3), nil, time.Hour))
		}
		if _, err := s.Commit(t.Context(), nil, writes); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "jetstream", "$G", "streams", "KV_data", "msgs", "1.blk")
}

// TestDamagedStore changes bytes of a store's file in several places: the start
// is refused with the file's name and what to do, and the file stays as it is.
// The end of a file that was cut off is no damage.
func TestDamagedStore(t *testing.T) {
	t.Parallel()
	flip := func(part float64) func([]byte) []byte {
		return func(data []byte) []byte {
			data[int(part*float64(len(data)))] ^= 0x10
			return data
		}
	}
	for name, test := range map[string]struct {
		change  func([]byte) []byte
		damaged bool
	}{
		"as it was":       {func(d []byte) []byte { return d }, false},
		"one bit, early":  {flip(0.02), true},
		"one bit, middle": {flip(0.5), true},
		"one bit, late":   {flip(0.9), true},
		"a length":        {func(d []byte) []byte { d[3] = 0x7f; return d }, true},
		"zeros":           {func(d []byte) []byte { clear(d[4096:8192]); return d }, true},
		"a part is gone":  {func(d []byte) []byte { return append(d[:5000:5000], d[6000:]...) }, true},
		"the end is gone": {func(d []byte) []byte { return d[:len(d)-100] }, false},
		"zeros at the end": {func(d []byte) []byte {
			return append(d, make([]byte, 4096)...)
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			file := fillStore(t, dir)
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			data = test.change(data)
			if err := os.WriteFile(file, data, 0o600); err != nil {
				t.Fatal(err)
			}
			srv, err := StartServer(ServerOptions{Dir: dir, Logger: slog.New(slog.DiscardHandler)})
			if err == nil {
				srv.Shutdown()
			}
			if !test.damaged {
				if err != nil {
					t.Errorf("the start is refused: %v", err)
				}
				return
			}
			if !errors.Is(err, errDamaged) || !strings.Contains(err.Error(), file) || !strings.Contains(err.Error(), "Restore "+dir) {
				t.Errorf("the start says %v, want the damage, the file and a remedy", err)
			}
			if now, err := os.ReadFile(file); err != nil || !bytes.Equal(now, data) {
				t.Errorf("the damaged file was changed: %v", err)
			}
		})
	}
}

// TestDamagedNode damages one node of a cluster: it is refused, and when its
// directory was moved away, it takes everything from the others.
func TestDamagedNode(t *testing.T) {
	t.Parallel()
	c := startCluster(t, 3)
	s := c.open(0, Bucket{Name: "data"})
	for i := range 50 {
		if _, err := s.Commit(t.Context(), nil, []kv.Write{kv.Put(fmt.Sprint("w/", i), bytes.Repeat([]byte{byte(i)}, 500))}); err != nil {
			t.Fatal(err)
		}
	}
	c.stop(2)
	o := c.options(2)
	file := filepath.Join(o.Dir, "jetstream", "$G", "streams", "KV_data", "msgs", "1.blk")
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	data[len(data)/2] ^= 1
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if srv, err := StartServer(o); err == nil {
		srv.Shutdown()
		t.Fatal("a damaged node started")
	} else if !strings.Contains(err.Error(), "Move "+o.Dir) {
		t.Errorf("the error does not say what to do: %v", err)
	}
	if err := os.Rename(o.Dir, o.Dir+".damaged"); err != nil {
		t.Fatal(err)
	}
	c.start(2)
	if t.Failed() {
		return
	}
	c.lead(s, "n2") // it can lead only when it has everything
	page, err := c.open(2, Bucket{Name: "data"}).Scan(t.Context(), kv.Range{Prefix: "w/"})
	if err != nil || len(page.Entries) != 50 {
		t.Errorf("the new node has %d of 50 keys, %v", len(page.Entries), err)
	}
}

// FuzzFindDamage feeds files that nobody wrote to the reader: it ends, within
// the file.
func FuzzFindDamage(f *testing.F) {
	record := append([]byte{31, 0, 0, 0}, make([]byte, 27)...)
	for _, seed := range [][]byte{nil, record, record[:20], append(record[:30:30], record...), bytes.Repeat([]byte{255}, 64), bytes.Repeat([]byte{30, 0, 0, 128}, 20)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		bad, after, err := findDamage(data, "KV_data-1")
		if err != nil || bad < 0 || bad > len(data) || after < 0 || bad+after > len(data) {
			t.Errorf("%d bytes: %d, %d, %v", len(data), bad, after, err)
		}
	})
}
