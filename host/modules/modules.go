// Package modules reads the handlers that a site's operator adds to those in
// the binary: a folder of NAME.wasm files. A module that others published
// carries no manifest; its manifest then is NAME.json beside it.
//
// Nothing in the folder is passed over: a file that cannot be a handler stops
// the start, since a site without a handler that its operator has put there,
// such as one that guards the others, would do something else than meant.
package modules

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/lectern-lms/lectern/guest/abi"
)

// moduleEnding and manifestEnding are those of a handler's two files.
const (
	moduleEnding   = ".wasm"
	manifestEnding = ".json"
)

// Folder gives the handlers in a folder by their names; there are none if dir
// is "". Hidden files, folders and notes (.md, .txt) may lie beside them. The
// error names every file that is at fault.
func Folder(dir string) (map[string][]byte, error) {
	if dir == "" {
		return nil, nil
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("LMS_HANDLERS_DIR: the folder cannot be read: %w", err)
	}
	found := map[string][]byte{}
	var faults []error
	for _, entry := range entries {
		file := filepath.Join(dir, entry.Name())
		name := strings.TrimSuffix(entry.Name(), filepath.Ext(file))
		switch ending := filepath.Ext(file); {
		case entry.IsDir(), strings.HasPrefix(entry.Name(), "."), ending == ".md", ending == ".txt":
		case ending == moduleEnding:
			module, m, err := File(file)
			if err == nil && m.Name != name {
				err = fmt.Errorf("%s: its manifest's name is %q: rename the file to %s%s", file, m.Name, m.Name, moduleEnding)
			}
			found[name] = module
			faults = append(faults, err)
		case ending == manifestEnding && exists(strings.TrimSuffix(file, ending)+moduleEnding):
		default:
			faults = append(faults, fmt.Errorf("%s belongs to no handler: a folder of handlers holds NAME%s and NAME%s", file, moduleEnding, manifestEnding))
		}
	}
	if err := errors.Join(faults...); err != nil {
		return nil, fmt.Errorf("LMS_HANDLERS_DIR: %w", err)
	}
	return found, nil
}

// File reads one handler and its manifest, which is in the module or beside it.
func File(file string) ([]byte, *abi.Manifest, error) {
	module, err := os.ReadFile(file)
	if err != nil {
		return nil, nil, fmt.Errorf("the handler cannot be read: %w", err)
	}
	beside := strings.TrimSuffix(file, moduleEnding) + manifestEnding
	m, err := abi.FindManifest(module)
	switch {
	case err == nil && exists(beside):
		return nil, nil, fmt.Errorf("%s carries a manifest and has another in %s; remove that file, or nobody can tell which counts", file, beside)
	case err == nil:
		return module, m, nil
	case !errors.Is(err, abi.ErrNoManifest):
		return nil, nil, fmt.Errorf("%s: %w", file, err)
	}
	text, err := os.ReadFile(beside)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, fmt.Errorf("%s: %w; for a module of others write its manifest into %s", file, abi.ErrNoManifest, beside)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("the manifest cannot be read: %w", err)
	}
	if m, err = abi.ParseManifest(text); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", beside, err)
	}
	return abi.AppendManifest(module, text), m, nil
}

// Join gives the handlers of a binary and those of a folder together. No
// handler takes the place of another.
func Join(binary, folder map[string][]byte) (map[string][]byte, error) {
	all := maps.Clone(binary)
	if all == nil {
		all = map[string][]byte{}
	}
	var faults []error
	for _, name := range slices.Sorted(maps.Keys(folder)) {
		if all[name] != nil {
			faults = append(faults, fmt.Errorf("LMS_HANDLERS_DIR: %s%s: this binary carries a handler %s already: give yours another name", name, moduleEnding, name))
		}
		all[name] = folder[name]
	}
	return all, errors.Join(faults...)
}

// Keep copies the handlers of a folder into another, which Folder can read;
// what was there is removed. A site keeps the handlers that it was started
// with: its operator may change the first folder while it runs.
func Keep(from, to string) error {
	found, err := Folder(from)
	if err != nil {
		return err
	}
	if err := os.RemoveAll(to); err != nil {
		return fmt.Errorf("earlier copies of handlers cannot be removed: %w", err)
	}
	if err := os.Mkdir(to, 0o700); err != nil {
		return fmt.Errorf("handlers cannot be copied: %w", err)
	}
	for name, module := range found {
		if err := os.WriteFile(filepath.Join(to, name+moduleEnding), module, 0o600); err != nil {
			return fmt.Errorf("the handler %s cannot be copied: %w", name, err)
		}
	}
	return nil
}

// exists reports whether there is a file.
func exists(file string) bool {
	_, err := os.Stat(file)
	return err == nil
}
