package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lectern-lms/lectern/guest/abi"
)

// manifest is that of a handler named a.
const manifest = `{"abi": 1, "name": "a", "version": "1.0.0", "routes": [{"pattern": "GET /a"}]}`

// program is the least that compiles.
const program = "package main\n\nfunc main() {}\n"

// project makes a project in the working directory: files by their path.
func project(t *testing.T, files map[string]string) {
	t.Helper()
	t.Chdir(t.TempDir())
	files["go.mod"] = "module example.org/p\n\ngo 1.26.0\n"
	files["guest/handlers/dist/.gitkeep"] = ""
	for name, text := range files {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// built lists what is in the target folder.
func built(t *testing.T) string {
	t.Helper()
	entries, err := os.ReadDir(target)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return strings.Join(names, " ")
}

// TestPack builds one handler of two and finds its manifest in the module.
func TestPack(t *testing.T) {
	project(t, map[string]string{
		"guest/handlers/a/manifest.json": manifest, "guest/handlers/a/main.go": program,
		"guest/handlers/b/manifest.json": strings.Replace(manifest, `"a"`, `"b"`, 1), "guest/handlers/b/main.go": "package main\n\nfunc main() { none }\n",
		"guest/handlers/help/help.go": "package help\n",
	})
	if err := run([]string{"a"}); err != nil {
		t.Fatal(err)
	}
	module, err := os.ReadFile(filepath.Join(target, "a.wasm"))
	if err != nil {
		t.Fatal(err)
	}
	if m, err := abi.FindManifest(module); err != nil || m.Name != "a" || m.Routes[0].Pattern != "GET /a" {
		t.Errorf("manifest %+v, %v", m, err)
	}
	err = run(nil)
	if err == nil || !strings.Contains(err.Error(), "undefined: none") || strings.Contains(err.Error(), "handlers/a:") {
		t.Errorf("the error of the broken handler: %v", err)
	}
	if got := built(t); got != ".gitkeep a.wasm" {
		t.Errorf("the target has %s", got)
	}
}

// TestPackNamesEveryFault in one run, and leaves no half module.
func TestPackNamesEveryFault(t *testing.T) {
	project(t, map[string]string{
		"guest/handlers/a/manifest.json": `{"abi": 1}`, "guest/handlers/a/main.go": program,
		"guest/handlers/other/manifest.json": manifest, "guest/handlers/other/main.go": program,
	})
	err := run(nil)
	if err == nil {
		t.Fatal("two faults were overlooked")
	}
	for _, want := range []string{"2 handlers failed", "handlers/a: manifest: name", `name is "a", the folder's is "other"`} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error lacks %q: %v", want, err)
		}
	}
	if got := built(t); got != ".gitkeep" {
		t.Errorf("the target has %s", got)
	}
}

// TestPackElsewhere says where to run it, and names handlers that are none.
func TestPackElsewhere(t *testing.T) {
	project(t, map[string]string{"guest/handlers/a/manifest.json": manifest, "guest/handlers/a/main.go": program})
	if err := run([]string{"none"}); err == nil || !strings.Contains(err.Error(), "none") {
		t.Errorf("a handler that does not exist: %v", err)
	}
	t.Chdir(t.TempDir())
	if err := run(nil); err == nil || !strings.Contains(err.Error(), "top of the repository") {
		t.Errorf("outside of a project: %v", err)
	}
}
