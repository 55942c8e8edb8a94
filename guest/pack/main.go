// Command pack builds the handlers: it compiles each folder of guest/handlers
// that has a manifest.json to WebAssembly, checks the manifest and appends it
// to the module as a custom section, where the host looks for it.
//
//	go run ./guest/pack [name ...]
//
// The modules go to guest/handlers/dist, from where they are embedded in the
// host. Without names it builds all of them. A name with a slash is a folder
// elsewhere, whose module goes into that folder:
//
//	go run github.com/lectern-lms/lectern/guest/pack ./notes
package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/lectern-lms/lectern/guest/abi"
)

const (
	// source has a folder for each handler; target gets their modules.
	source = "guest/handlers"
	// target is where the modules are embedded from.
	target = "guest/handlers/dist"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "pack:", err)
		os.Exit(1)
	}
}

// run builds the named handlers, a few at a time; all of them are tried, so
// that one run shows every fault.
func run(names []string) error {
	folders, err := find(names)
	if err != nil {
		return err
	}
	var wait sync.WaitGroup
	var mu sync.Mutex
	var faults []string
	turn := make(chan struct{}, runtime.NumCPU())
	for _, folder := range folders {
		wait.Go(func() {
			turn <- struct{}{}
			defer func() { <-turn }()
			begin := time.Now()
			size, err := build(folder)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				faults = append(faults, fmt.Sprintf("%s: %v", folder, err))
				return
			}
			fmt.Printf("built %-10s %5.1f MB  %4.1f s\n", filepath.Base(folder), float64(size)/1e6, time.Since(begin).Seconds())
		})
	}
	wait.Wait()
	if len(faults) > 0 {
		return fmt.Errorf("%d handlers failed:\n%s", len(faults), strings.Join(faults, "\n"))
	}
	return nil
}

// find gives the folders of the named handlers, of all if none is named.
func find(names []string) ([]string, error) {
	var folders []string
	for _, name := range names {
		if strings.ContainsAny(name, `/\`) {
			folders = append(folders, filepath.Clean(name))
			continue
		}
		folders = append(folders, filepath.Join(source, name))
	}
	if len(names) > 0 {
		return folders, nil
	}
	manifests, err := filepath.Glob(filepath.Join(source, "*", "manifest.json"))
	if err != nil || len(manifests) == 0 {
		return nil, fmt.Errorf("no %s/*/manifest.json here: run it at the top of the repository", source)
	}
	for _, path := range manifests {
		folders = append(folders, filepath.Dir(path))
	}
	return folders, nil
}

// outputOf is the file for the module of a handler's folder.
func outputOf(folder, name string) string {
	if filepath.Dir(folder) == filepath.FromSlash(source) {
		folder = target
	}
	return filepath.Join(folder, name+".wasm")
}

// build compiles one handler. Symbol names stay in: without them a trap in
// the log has no function names, and the file is only 2 % smaller.
func build(folder string) (int, error) {
	data, err := os.ReadFile(filepath.Join(folder, "manifest.json"))
	if err != nil {
		return 0, err
	}
	manifest, err := abi.ParseManifest(data)
	if err != nil {
		return 0, err
	}
	if manifest.Name != filepath.Base(folder) {
		return 0, fmt.Errorf("the manifest's name is %q, the folder's is %q", manifest.Name, filepath.Base(folder))
	}
	temporary, err := os.MkdirTemp("", "lectern-pack-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(temporary)
	part := filepath.Join(temporary, manifest.Name+".wasm")
	cmd := exec.Command("go", "build", "-buildmode=c-shared", "-trimpath", "-o", part, ".")
	cmd.Dir = folder
	cmd.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "CGO_ENABLED=0")
	if text, err := cmd.CombinedOutput(); err != nil {
		return 0, fmt.Errorf("%w\n%s", err, text)
	}
	module, err := os.ReadFile(part)
	if err != nil {
		return 0, err
	}
	module = abi.AppendManifest(module, data)
	return len(module), os.WriteFile(outputOf(folder, manifest.Name), module, 0o644)
}
