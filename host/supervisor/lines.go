package supervisor

import (
	"bytes"
	"io"
	"sync"
)

// longestLine is how much of a line without an end is kept before it is
// passed on in pieces, in bytes.
const longestLine = 64 << 10

// writing keeps the lines of all workers whole, also where Stdout and Stderr
// are the same file.
var writing sync.Mutex

// lineWriter passes on whole lines in one write each, so that the lines of
// several processes never mix.
type lineWriter struct {
	to     io.Writer
	buffer []byte
}

// Write takes any piece of text. It never fails: a worker must not be stopped
// because nobody reads what it says.
func (w *lineWriter) Write(p []byte) (int, error) {
	w.buffer = append(w.buffer, p...)
	end := bytes.LastIndexByte(w.buffer, '\n') + 1
	if end == 0 && len(w.buffer) >= longestLine {
		end = len(w.buffer)
	}
	w.pass(end)
	return len(p), nil
}

// flush passes on what is left when the process has ended, as a line.
func (w *lineWriter) flush() {
	if len(w.buffer) > 0 {
		w.buffer = append(w.buffer, '\n')
		w.pass(len(w.buffer))
	}
}

// pass writes the first n bytes of the buffer.
func (w *lineWriter) pass(n int) {
	if n == 0 {
		return
	}
	writing.Lock()
	defer writing.Unlock()
	w.to.Write(w.buffer[:n])
	w.buffer = append(w.buffer[:0], w.buffer[n:]...)
}
