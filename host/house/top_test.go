package house

import (
	"encoding/json"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// topLevel is what may stand at the top of the repository, dot files aside.
var topLevel = []string{
	"host", "guest", "kv", "templates", "deploy", "bench", "go.mod", "go.sum", "Taskfile.yml", "README.md",
	"LICENSE", "CONTRIBUTING.md", "CHANGELOG.md",
}

// leftovers are what builds and runs leave there; git ignores them.
var leftovers = []string{"bin", "dist", "data"}

// leftoverSuffixes are the endings of more of them.
var leftoverSuffixes = []string{".test", ".out", ".prof"}

// TestTopLevel checks that nothing else stands at the top.
func TestTopLevel(t *testing.T) {
	t.Parallel()
	entries, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		name := entry.Name()
		left := slices.ContainsFunc(leftoverSuffixes, func(s string) bool { return strings.HasSuffix(name, s) })
		if !strings.HasPrefix(name, ".") && !left && !slices.Contains(topLevel, name) && !slices.Contains(leftovers, name) {
			t.Errorf("%s has no place at the top of the repository; move it into one of the folders", name)
		}
	}
	for _, name := range []string{"LICENSE", "CONTRIBUTING.md", "CHANGELOG.md", "Taskfile.yml", ".ci/run"} {
		if _, err := os.Stat(root + "/" + name); err != nil {
			t.Errorf("%s is missing: %v", name, err)
		}
	}
}

// nestedModules are the folders with a go.mod of their own, and what alone it
// may require: what the tests need and the program must not depend on.
var nestedModules = map[string]string{"host/e2e/tck": "github.com/http-wasm/http-wasm-host-go"}

// TestNestedModules checks that there are no others, and that their sums are
// kept with them.
func TestNestedModules(t *testing.T) {
	t.Parallel()
	list := exec.Command("git", "ls-files", "--cached", "--others", "--exclude-standard", "go.mod", "**/go.mod")
	list.Dir = root
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	for file := range strings.FieldsSeq(string(out)) {
		folder := strings.TrimSuffix(strings.TrimSuffix(file, "go.mod"), "/")
		if folder == "" {
			continue
		}
		only, known := nestedModules[folder]
		if !known {
			t.Errorf("%s is a module of its own: the program has one go.mod; name it here if only tests need it", folder)
			continue
		}
		if _, err := os.Stat(root + "/" + folder + "/go.sum"); err != nil {
			t.Errorf("%s has no go.sum: %v", folder, err)
		}
		mod := readMod(t, root+"/"+folder)
		if len(mod.Require) != 1 || mod.Require[0].Path != only || len(mod.Replace)+len(mod.Exclude)+len(mod.Tool) > 0 {
			t.Errorf("%s requires %v, and may require %s alone", folder, mod.Require, only)
		}
	}
}

// namedPackages are the five that the project is built on.
var namedPackages = []string{
	"github.com/tetratelabs/wazero", "github.com/nats-io/nats-server/v2", "github.com/nats-io/nats.go",
	"github.com/a-h/templ", "github.com/caarlos0/env/v10",
}

// goMod is what TestGoMod reads of go.mod.
type goMod struct {
	Module  struct{ Path string }
	Require []struct{ Path string }
	Replace []struct{ Old struct{ Path string } }
	Exclude []struct{ Path string }
	Tool    []struct{ Path string }
}

// readMod reads the go.mod of a folder.
func readMod(t *testing.T, folder string) goMod {
	t.Helper()
	cmd := exec.Command("go", "mod", "edit", "-json")
	cmd.Dir = folder
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var mod goMod
	if err := json.Unmarshal(out, &mod); err != nil {
		t.Fatal(err)
	}
	return mod
}

// TestGoMod checks that the named packages are there, and that nothing is
// replaced: a replacement would not reach those who install the module.
func TestGoMod(t *testing.T) {
	t.Parallel()
	mod := readMod(t, root)
	if mod.Module.Path != module {
		t.Errorf("the module is %s; want %s", mod.Module.Path, module)
	}
	for _, name := range namedPackages {
		if !slices.ContainsFunc(mod.Require, func(r struct{ Path string }) bool { return r.Path == name }) {
			t.Errorf("go.mod does not require %s", name)
		}
	}
	for _, r := range mod.Replace {
		t.Errorf("go.mod replaces %s; use a released version", r.Old.Path)
	}
	for _, r := range mod.Exclude {
		t.Errorf("go.mod excludes %s; use a version that works", r.Path)
	}
	for _, tool := range mod.Tool {
		if tool.Path != "github.com/a-h/templ/cmd/templ" {
			t.Errorf("go.mod has the tool %s; run it by its version from Taskfile.yml, so that go.mod lists what is shipped", tool.Path)
		}
	}
}
