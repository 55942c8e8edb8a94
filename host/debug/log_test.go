package debug

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lectern-lms/lectern/host/config"
)

// TestLogFormats writes JSON where nobody looks and text where somebody asks.
func TestLogFormats(t *testing.T) {
	t.Parallel()
	for format, isJSON := range map[config.LogFormat]bool{config.LogAuto: true, config.LogJSON: true, config.LogText: false} {
		var out bytes.Buffer
		log := NewLogger(&out, format, slog.LevelInfo)
		log.Debug("hidden")
		log.Info("shown", "took", 1500*time.Millisecond, "text", "two\nlines")
		var line map[string]any
		err := json.Unmarshal(out.Bytes(), &line)
		if (err == nil) != isJSON || strings.Contains(out.String(), "hidden") || strings.Count(out.String(), "\n") != 1 {
			t.Errorf("%v: %s", format, &out)
		}
		if isJSON && (line["msg"] != "shown" || line["took"] != "1.5s" || line["level"] != "INFO") {
			t.Errorf("%v: %v", format, line)
		}
		if !isJSON && !strings.Contains(out.String(), "took=1.5s") {
			t.Errorf("%v: %s", format, &out)
		}
	}
}

// TestOnlyTerminalsAreTerminals tells files and pipes apart from them. The
// null device is a character device too, which harms nobody.
func TestOnlyTerminalsAreTerminals(t *testing.T) {
	t.Parallel()
	file, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	defer writer.Close()
	for name, w := range map[string]io.Writer{"buffer": &bytes.Buffer{}, "file": file, "pipe": writer} {
		if isTerminal(w) {
			t.Errorf("a %s is taken for a terminal", name)
		}
	}
	device, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer device.Close()
	if !isTerminal(device) {
		t.Error("a character device is not taken for a terminal")
	}
}
