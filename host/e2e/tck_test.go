//go:build unix

package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// kitTests is how many tests the conformance kit v0.7.0 has, with the one
// that holds them all; fewer would mean that some did not run.
const kitTests = 36

// TestConformanceKit runs the conformance kit of http-wasm against a site. The
// kit's guest, as it was published, is a handler that the operator added, in
// front of another one that tells what it was asked.
func TestConformanceKit(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	command(t, "tck", nil, "go", "run", ".", filepath.Join(folder, "tck.wasm"))
	command(t, "testdata/echo", []string{"GOOS=wasip1", "GOARCH=wasm", "CGO_ENABLED=0"},
		"go", "build", "-buildmode=c-shared", "-o", filepath.Join(folder, "echo.wasm"), ".")
	for _, name := range []string{"tck.json", "echo.json"} {
		text, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s := startSite(t, "LMS_HANDLERS_DIR="+folder)
	out := command(t, "tck", []string{"TCK_ADDRESS=" + s.address, "TCK_HOST=tck.example"}, "go", "test", "-count=1", "-v", ".")
	t.Log(out)
	if n := strings.Count(out, "--- PASS: "); n < kitTests {
		t.Errorf("%d tests of the kit have passed, there are %d", n, kitTests)
	}
	if a := newPerson(s).get(t, "/home"); a.status != 200 {
		t.Errorf("the site's own start page: status %d", a.status)
	}
}

// command runs a command in a folder and gives what it prints; its failure ends
// the test.
func command(t *testing.T, folder string, env []string, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = folder
	cmd.Env = append(append(os.Environ(), "GOFLAGS=", "GOWORK=off"), env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s in %s: %v\n%s", name, strings.Join(args, " "), folder, err, out)
	}
	return string(out)
}
