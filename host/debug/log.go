// Package debug is how people watch a running process: its log, its health,
// its metrics, and the endpoints under /debug/ that answer the questions of
// NOW LMS's troubleshooting guide. Secrets are masked, and session tokens are
// never shown.
package debug

import (
	"io"
	"log/slog"
	"os"

	"github.com/lectern-lms/lectern/host/config"
)

// NewLogger makes the process's logger: text on a terminal, JSON elsewhere,
// unless the configuration says otherwise.
func NewLogger(w io.Writer, format config.LogFormat, level slog.Leveler) *slog.Logger {
	options := &slog.HandlerOptions{Level: level, ReplaceAttr: readable}
	if format == config.LogText || (format == config.LogAuto && isTerminal(w)) {
		return slog.New(slog.NewTextHandler(w, options))
	}
	return slog.New(slog.NewJSONHandler(w, options))
}

// isTerminal reports whether w is a character device.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// readable writes durations as people do, in JSON too: 1.5s, not 1500000000.
func readable(_ []string, a slog.Attr) slog.Attr {
	if a.Value.Kind() == slog.KindDuration {
		a.Value = slog.StringValue(a.Value.Duration().String())
	}
	return a
}
