package house

import (
	"bytes"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// module is the path of this module; names of packages are told without it.
const module = "github.com/lectern-lms/lectern"

// root is the top of the repository, seen from this folder.
const root = "../.."

// pkg is what a test needs to know of a package.
type pkg struct {
	ImportPath   string
	Dir          string
	Name         string
	Imports      []string
	TestImports  []string
	XTestImports []string
}

// packages lists the module's packages with their imports, as they are built
// here and as the guests are built.
var packages = sync.OnceValues(func() ([]pkg, error) {
	native, err := list(nil, "./...")
	if err != nil {
		return nil, err
	}
	wasm, err := list([]string{"GOOS=wasip1", "GOARCH=wasm"}, "./guest/...", "./templates/...")
	return append(native, wasm...), err
})

// list runs go list with more variables in its environment.
func list(env []string, patterns ...string) ([]pkg, error) {
	cmd := exec.Command("go", append([]string{"list", "-json=ImportPath,Dir,Name,Imports,TestImports,XTestImports"}, patterns...)...)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), env...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, err
	}
	var all []pkg
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		if err := dec.Decode(&p); err == io.EOF {
			return all, nil
		} else if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
}

// listed returns the packages or ends the test.
func listed(t *testing.T) []pkg {
	t.Helper()
	all, err := packages()
	if err != nil || len(all) < 5 {
		t.Fatalf("go list found %d packages: %v", len(all), err)
	}
	return all
}

// short is an import path without the module, or "" if it is not ours.
func short(path string) string {
	rest, ours := strings.CutPrefix(path, module+"/")
	if !ours {
		return ""
	}
	return rest
}

// source is one Go file.
type source struct {
	path      string // from the top of the repository
	text      []byte
	file      *ast.File
	fset      *token.FileSet
	generated bool
}

// test reports whether the file is a test.
func (s source) test() bool { return strings.HasSuffix(s.path, "_test.go") }

// sources parses every Go file of the repository.
var sources = sync.OnceValues(func() ([]source, error) {
	var all []source
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := entry.Name()
		if entry.IsDir() && path != root && (strings.HasPrefix(name, ".") || name == "testdata" || name == "bin" || name == "data") {
			return fs.SkipDir
		}
		if entry.IsDir() || !strings.HasSuffix(name, ".go") {
			return nil
		}
		s := source{fset: token.NewFileSet()}
		if s.path, err = filepath.Rel(root, path); err != nil {
			return err
		}
		if s.text, err = os.ReadFile(path); err != nil {
			return err
		}
		if s.file, err = parser.ParseFile(s.fset, s.path, s.text, parser.ParseComments); err != nil {
			return err
		}
		s.generated = ast.IsGenerated(s.file)
		all = append(all, s)
		return nil
	})
	return all, err
})

// parsed returns the Go files or ends the test.
func parsed(t *testing.T) []source {
	t.Helper()
	all, err := sources()
	if err != nil || len(all) < 20 {
		t.Fatalf("parsed %d Go files: %v", len(all), err)
	}
	return all
}
