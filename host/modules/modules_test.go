package modules

import (
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/lectern-lms/lectern/guest/abi"
)

// empty is the least module there is.
const empty = "\x00asm\x01\x00\x00\x00"

// manifestOf is the JSON of a manifest with more in it.
func manifestOf(name, more string) string {
	return `{"abi": 1, "name": "` + name + `", "version": "1.0.0", "routes": [{"pattern": "GET /` + name + `"}]` + more + `}`
}

// packed is a module that carries a manifest.
func packed(manifest string) string {
	return string(abi.AppendManifest([]byte(empty), []byte(manifest)))
}

// folder makes a folder of files; a name that ends with a slash is a folder.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		var err error
		if strings.HasSuffix(name, "/") {
			err = os.Mkdir(filepath.Join(dir, name), 0o700)
		} else {
			err = os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestFolder reads handlers that carry their manifest and such that do not.
func TestFolder(t *testing.T) {
	t.Parallel()
	dir := folder(t, map[string]string{
		"own.wasm": packed(manifestOf("own", "")), "others.wasm": empty, "others.json": manifestOf("others", `, "next": "own"`),
		"README.md": "", "notes.txt": "", ".hidden.wasm": "", "old/": "",
	})
	found, err := Folder(dir)
	if err != nil {
		t.Fatal(err)
	}
	if names := slices.Sorted(maps.Keys(found)); !slices.Equal(names, []string{"others", "own"}) {
		t.Errorf("found %v", names)
	}
	for name, next := range map[string]string{"own": "", "others": "own"} {
		if m, err := abi.FindManifest(found[name]); err != nil || m.Name != name || m.Next != next {
			t.Errorf("%s: %+v, %v", name, m, err)
		}
	}
	if none, err := Folder(""); err != nil || len(none) > 0 {
		t.Errorf("no folder: %v, %v", none, err)
	}
	if none, err := Folder(t.TempDir()); err != nil || len(none) > 0 {
		t.Errorf("an empty folder: %v, %v", none, err)
	}
}

// TestFolderFaults puts one file into a folder that cannot stay there, and
// looks for its name and the reason.
func TestFolderFaults(t *testing.T) {
	t.Parallel()
	good := manifestOf("a", "")
	for name, tt := range map[string]struct {
		files map[string]string
		want  []string
	}{
		"no module":            {map[string]string{"a.wasm": "<html>"}, []string{"a.wasm", "not a WebAssembly module"}},
		"cut off":              {map[string]string{"a.wasm": packed(good)[:20]}, []string{"a.wasm", "cut off"}},
		"nothing":              {map[string]string{"a.wasm": ""}, []string{"a.wasm", "not a WebAssembly module"}},
		"no manifest":          {map[string]string{"a.wasm": empty}, []string{"a.wasm", "no custom section", "a.json"}},
		"broken manifest":      {map[string]string{"a.wasm": empty, "a.json": "{"}, []string{"a.json", "manifest"}},
		"broken manifest in":   {map[string]string{"a.wasm": packed("{")}, []string{"a.wasm", "manifest"}},
		"two manifests":        {map[string]string{"a.wasm": packed(good), "a.json": good}, []string{"a.wasm", "a.json", "remove"}},
		"manifest alone":       {map[string]string{"a.json": good}, []string{"a.json", "belongs to no handler"}},
		"another name":         {map[string]string{"b.wasm": packed(good)}, []string{"b.wasm", `"a"`, "a.wasm"}},
		"other file":           {map[string]string{"a.wsam": packed(good)}, []string{"a.wsam", "belongs to no handler"}},
		"the host's accounts":  {map[string]string{"a.wasm": packed(manifestOf("a", `, "read": ["account/"]`))}, []string{"a.wasm", `"account/" is kept by the host`}},
		"the host's own":       {map[string]string{"a.wasm": empty, "a.json": manifestOf("a", `, "write": ["system/x/"]`)}, []string{"a.json", `"system/x/" is kept by the host`}},
		"several at once":      {map[string]string{"a.wasm": "", "c.json": ""}, []string{"a.wasm", "c.json"}},
		"manifest is a folder": {map[string]string{"a.wasm": empty, "a.json/": ""}, []string{"a.json"}},
	} {
		found, err := Folder(folder(t, tt.files))
		for _, want := range append(tt.want, "LMS_HANDLERS_DIR") {
			if err == nil || found != nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v, the error does not say %q: %v", name, found, want, err)
			}
		}
	}
	if _, err := Folder(filepath.Join(t.TempDir(), "none")); err == nil || !strings.Contains(err.Error(), "LMS_HANDLERS_DIR: the folder cannot be read") {
		t.Errorf("no such folder: %v", err)
	}
}

// TestKeep copies handlers in a form that needs no other file, and keeps none
// from before.
func TestKeep(t *testing.T) {
	t.Parallel()
	from := folder(t, map[string]string{"own.wasm": packed(manifestOf("own", "")), "others.wasm": empty, "others.json": manifestOf("others", "")})
	to := filepath.Join(t.TempDir(), "kept")
	for range 2 {
		if err := Keep(from, to); err != nil {
			t.Fatal(err)
		}
	}
	kept, err := Folder(to)
	want, err1 := Folder(from)
	if err != nil || err1 != nil || !reflect.DeepEqual(kept, want) || len(kept) != 2 {
		t.Errorf("kept %d handlers: %v, %v", len(kept), err, err1)
	}
	if err := os.Remove(filepath.Join(from, "own.wasm")); err != nil {
		t.Fatal(err)
	}
	if err := Keep(from, to); err != nil {
		t.Fatal(err)
	}
	if kept, err := Folder(to); err != nil || len(kept) != 1 {
		t.Errorf("%d handlers after one was removed: %v", len(kept), err)
	}
	if err := os.WriteFile(filepath.Join(from, "others.json"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Keep(from, to); err == nil {
		t.Error("a folder with a fault was kept")
	}
	if kept, err := Folder(to); err != nil || len(kept) != 1 {
		t.Errorf("the fault has taken the earlier copies: %v, %v", kept, err)
	}
	if err := Keep(t.TempDir(), filepath.Join(to, "no", "such", "folder")); err == nil {
		t.Error("handlers were kept nowhere")
	}
}

// TestJoin lets no handler take another's place.
func TestJoin(t *testing.T) {
	t.Parallel()
	binary := map[string][]byte{"a": {1}, "b": {2}}
	all, err := Join(binary, map[string][]byte{"c": {3}})
	if err != nil || len(all) != 3 || len(binary) != 2 {
		t.Errorf("%v, %v", all, err)
	}
	_, err = Join(binary, map[string][]byte{"b": {3}, "c": {4}, "a": {5}})
	if err == nil || !strings.Contains(err.Error(), "a.wasm: this binary carries a handler a already") || !strings.Contains(err.Error(), "b.wasm") || strings.Contains(err.Error(), "c.wasm") {
		t.Errorf("two names twice: %v", err)
	}
	if all, err := Join(nil, nil); err != nil || all == nil {
		t.Errorf("nothing at all: %v, %v", all, err)
	}
}
