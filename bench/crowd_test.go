package bench

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestCrowd keeps 2,000 sandboxes of a handler with a templ page alive in one
// process, which must stay under 1.2 GiB all the time. The process is one of
// its own, built without the race detector, which takes memory too.
func TestCrowd(t *testing.T) {
	t.Parallel()
	const sandboxes, limitKiB = 2000, 1200 << 10
	wasm, cache := guest(t)
	module, program := filepath.Join(t.TempDir(), "guest.wasm"), filepath.Join(t.TempDir(), "crowd")
	if err := os.WriteFile(module, wasm, 0o600); err != nil {
		t.Fatal(err)
	}
	if text, err := exec.Command("go", "build", "-o", program, "./crowd").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	text, err := exec.Command(program, "-n", fmt.Sprint(sandboxes), "-cache", cache, module).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	var n, resident, most, each int
	if _, err := fmt.Sscanf(string(text), "sandboxes %d resident-KiB %d peak-KiB %d each-KiB %d", &n, &resident, &most, &each); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	t.Logf("%s", text)
	if n != sandboxes || most > limitKiB || resident < limitKiB/100 {
		t.Errorf("%d sandboxes, %d KiB resident, %d at most; want %d and less than %d", n, resident, most, sandboxes, limitKiB)
	}
}
