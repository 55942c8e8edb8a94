package main

import (
	"bytes"
	"embed"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"text/template"

	"github.com/lectern-lms/lectern/guest/abi"
)

// repositoryHandlers is where the handlers of this repository are, seen from
// its top; `task guests` builds what it finds there.
const repositoryHandlers = "guest/handlers"

//go:embed template
var templateFiles embed.FS // the files of a new handler; "." stands for its name

// handlerNew writes a new handler, which compiles and passes its test.
func handlerNew(c call) error {
	set := flag.NewFlagSet("lectern handler new", flag.ContinueOnError)
	set.SetOutput(io.Discard)
	dir := set.String("dir", "", "")
	if err := set.Parse(c.args); err != nil {
		return badUsage("lectern handler new: %v\n\n%s", err, handlerUsage)
	}
	if set.NArg() != 1 {
		return badUsage("lectern handler new takes the name of a handler, and -dir before it, but got %q", set.Args())
	}
	name := set.Arg(0)
	files, err := newHandlerFiles(name)
	if err != nil {
		return err
	}
	if *dir == "" {
		if info, err := os.Stat(repositoryHandlers); err != nil || !info.IsDir() {
			return badUsage("there is no %s here: go to the top of Lectern's repository, or say with -dir where the handler's folder shall be", repositoryHandlers)
		}
		*dir = repositoryHandlers
	}
	folder := filepath.Join(*dir, name)
	if err := writeNew(folder, files); err != nil {
		return err
	}
	fmt.Fprintf(c.out, "%s is written. Next:\n\n", filepath.ToSlash(folder))
	for _, line := range nextCommands(filepath.ToSlash(folder), name) {
		fmt.Fprintf(c.out, "  %s\n", line)
	}
	return nil
}

// newHandlerFiles fills in the template, by the names of the files. It refuses
// a name that no manifest may have.
func newHandlerFiles(name string) (map[string][]byte, error) {
	sources, err := template.ParseFS(templateFiles, "template/*")
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	for _, source := range sources.Templates() {
		var b bytes.Buffer
		if err := source.Execute(&b, name); err != nil {
			return nil, err
		}
		files[strings.TrimSuffix(source.Name(), ".tmpl")] = b.Bytes()
	}
	if _, err := abi.ParseManifest(files["manifest.json"]); err != nil {
		return nil, badUsage("%q cannot be the name of a handler: it must be 1 to 40 of a-z, 0-9 and -", name)
	}
	return files, nil
}

// writeNew writes files into a folder, which it makes: it must be new.
func writeNew(folder string, files map[string][]byte) error {
	if err := os.MkdirAll(filepath.Dir(folder), 0o755); err != nil {
		return fmt.Errorf("the handler's folder cannot be made: %w", err)
	}
	err := os.Mkdir(folder, 0o755)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s exists already: choose another name, or remove it first", filepath.ToSlash(folder))
	}
	if err != nil {
		return fmt.Errorf("the handler's folder cannot be made: %w", err)
	}
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(folder, name), data, 0o644); err != nil {
			return fmt.Errorf("the handler cannot be written: %w", err)
		}
	}
	return nil
}

// nextCommands test, build and try a new handler.
func nextCommands(folder, name string) []string {
	pack, built := "go run ./guest/pack "+name, path.Join(repositoryHandlers, "dist", name+".wasm")
	if folder != path.Join(repositoryHandlers, name) {
		if !path.IsAbs(folder) {
			folder = "./" + strings.TrimPrefix(folder, "./")
		}
		pack, built = "go run github.com/lectern-lms/lectern/guest/pack "+folder, path.Join(folder, name+".wasm")
	} else {
		folder = "./" + folder
	}
	return []string{"go test " + folder, pack, "lectern handler run " + built + " GET /" + name}
}
