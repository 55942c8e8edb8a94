// Package handlers carries the compiled handlers of this folder inside the
// host's binary. `task guests` builds them; a binary made without that step
// carries none and says so when it is started.
package handlers

import (
	"embed"
	"io/fs"
	"path"
	"strings"
)

// dist holds the modules that `task guests` has built, if it has.
//
//go:embed all:dist
var dist embed.FS

// Modules gives each embedded handler's WebAssembly module by its name.
func Modules() (map[string][]byte, error) {
	files, err := fs.Glob(dist, "dist/*.wasm")
	if err != nil {
		return nil, err
	}
	modules := make(map[string][]byte, len(files))
	for _, file := range files {
		data, err := dist.ReadFile(file)
		if err != nil {
			return nil, err
		}
		modules[strings.TrimSuffix(path.Base(file), ".wasm")] = data
	}
	return modules, nil
}
