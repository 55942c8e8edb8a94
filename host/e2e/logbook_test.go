//go:build unix

package e2e

import (
	"bytes"
	"encoding/json"
	"strings"
	"sync"
	"time"
)

// logLine is one line of the site's JSON log, as far as the tests read it.
type logLine struct {
	text    string
	Level   string `json:"level"`
	Message string `json:"msg"`
	Address string `json:"address"`
	Worker  *int   `json:"worker"`
	PID     int    `json:"pid"`
	Route   string `json:"route"`
	ID      string `json:"request_id"`
	Stack   string `json:"stack"`
}

// logbook keeps what a process logs. It is the process's standard error.
type logbook struct {
	mu     sync.Mutex
	rest   []byte
	lines  []logLine
	change chan struct{}
}

// newLogbook is an empty logbook.
func newLogbook() *logbook { return &logbook{change: make(chan struct{})} }

// Write takes a piece of the log, which may end inside a line.
func (b *logbook) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.rest = append(b.rest, p...)
	for {
		line, rest, found := bytes.Cut(b.rest, []byte("\n"))
		if !found {
			break
		}
		l := logLine{text: string(line)}
		_ = json.Unmarshal(line, &l) // a panic's stack is no JSON: it stays as text
		b.lines, b.rest = append(b.lines, l), rest
	}
	close(b.change)
	b.change = make(chan struct{})
	return len(p), nil
}

// snapshot gives the lines so far, and what is closed when there are more.
func (b *logbook) snapshot() ([]logLine, <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.lines[:len(b.lines):len(b.lines)], b.change
}

// await gives the first line that fits, also of those already there. It gives
// up after the limit, or when ended is closed and no line fits.
func (b *logbook) await(fits func(logLine) bool, limit time.Duration, ended <-chan struct{}) (logLine, bool) {
	deadline := time.After(limit)
	for over := false; ; {
		lines, change := b.snapshot()
		for _, l := range lines {
			if fits(l) {
				return l, true
			}
		}
		if over {
			return logLine{}, false
		}
		select {
		case <-change:
		case <-ended:
			over = true
		case <-deadline:
			over = true
		}
	}
}

// isServing is true of the line by which the whole site, not one worker of
// it, says that it serves.
func isServing(l logLine) bool { return l.Message == "serving" && l.Worker == nil }

// tail is the end of the log, for the message of a test that failed.
func (b *logbook) tail(n int) string {
	lines, _ := b.snapshot()
	var text strings.Builder
	for _, l := range lines[max(0, len(lines)-n):] {
		text.WriteString(l.text)
		text.WriteByte('\n')
	}
	return text.String()
}
