package supervisor

import (
	"net"
	"strings"
	"testing"
	"time"
)

// dial makes a connection with a limit on everything that follows.
func dial(addr string) (net.Conn, error) {
	conn, err := net.DialTimeout("tcp", addr, 10*time.Second)
	if err != nil {
		return nil, err
	}
	return conn, conn.SetDeadline(time.Now().Add(20 * time.Second))
}

// TestPauses checks the lengths of the pauses and that a long life ends them.
func TestPauses(t *testing.T) {
	t.Parallel()
	var b backoff
	for i, want := range []time.Duration{100, 200, 400, 800, 1600, 3200, 6400, 10000, 10000} {
		want *= time.Millisecond
		if got := b.next(time.Second); got < want/2 || got > want {
			t.Errorf("pause %d is %v; want between %v and %v", i, got, want/2, want)
		}
	}
	for range 100 {
		if got := b.next(0); got > longestPause {
			t.Fatalf("pause of %v; the longest is %v", got, longestPause)
		}
	}
	if got := b.next(youngLife); got != 0 {
		t.Errorf("pause of %v after a long life; want none", got)
	}
	if got := b.next(0); got > firstPause {
		t.Errorf("pause of %v after the first short life again; want at most %v", got, firstPause)
	}
}

// TestLineWriter checks that lines come out whole, in one write each time.
func TestLineWriter(t *testing.T) {
	t.Parallel()
	var writes recorder
	w := lineWriter{to: &writes}
	for _, piece := range []string{"a", "b\n", "c\nd\ne", "", "f", strings.Repeat("x", longestLine), "y"} {
		if n, err := w.Write([]byte(piece)); n != len(piece) || err != nil {
			t.Errorf("Write = %d, %v", n, err)
		}
	}
	w.flush()
	w.flush()
	want := []string{"ab\n", "c\nd\n", "ef" + strings.Repeat("x", longestLine), "y\n"}
	if strings.Join(writes, "|") != strings.Join(want, "|") {
		t.Errorf("writes %.60q; want %.60q", writes, want)
	}
}

// recorder keeps each write.
type recorder []string

// Write keeps p.
func (r *recorder) Write(p []byte) (int, error) {
	*r = append(*r, string(p))
	return len(p), nil
}

// TestWhoseTurn checks to whom a worker leaves a connection.
func TestWhoseTurn(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name      string
		last      int32 // 1 + index
		open      [3]int32
		accepting [3]int32
		want      bool // worker 0 gives way
	}{
		{"nobody else", 1, [3]int32{5, 0, 0}, [3]int32{1, 0, 0}, false},
		{"my turn", 2, [3]int32{1, 1, 1}, [3]int32{1, 1, 1}, false},
		{"I had the last", 1, [3]int32{0, 0, 0}, [3]int32{1, 1, 1}, true},
		{"I had the last and almost as many", 1, [3]int32{0, 1, 1}, [3]int32{1, 1, 1}, true},
		{"I had the last and fewer", 1, [3]int32{0, 2, 2}, [3]int32{1, 1, 1}, false},
		{"another has fewer", 3, [3]int32{2, 1, 9}, [3]int32{1, 1, 1}, true},
		{"the one with fewer is away", 3, [3]int32{2, 1, 9}, [3]int32{1, 0, 1}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b, err := newBoard(3)
			if err != nil {
				t.Fatal(err)
			}
			defer b.close()
			b.shared.last.Store(tt.last)
			for i := range tt.open {
				b.shared.slots[i].open.Store(tt.open[i])
				b.shared.slots[i].accepting.Store(tt.accepting[i])
			}
			if got := b.others(0, 3); got != tt.want {
				t.Errorf("others = %v; want %v", got, tt.want)
			}
			b.reset(0)
			if s := &b.shared.slots[0]; s.open.Load() != 0 || s.accepting.Load() != 0 {
				t.Error("reset left something of the worker")
			}
		})
	}
}
