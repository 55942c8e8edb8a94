package house

import (
	"go/ast"
	"go/token"
	"path/filepath"
	"strings"
	"testing"
)

// TestPackageDocs checks that every package says what it is for.
func TestPackageDocs(t *testing.T) {
	t.Parallel()
	documented, folders := map[string]bool{}, map[string]string{}
	for _, s := range parsed(t) {
		if s.test() || strings.HasSuffix(s.file.Name.Name, "_test") {
			continue
		}
		dir := filepath.Dir(s.path)
		folders[dir] = s.file.Name.Name
		if s.file.Doc != nil && len(strings.Fields(s.file.Doc.Text())) >= 5 {
			documented[dir] = true
		}
	}
	for dir, name := range folders {
		if !documented[dir] {
			t.Errorf("package %s in %s has no package comment of at least a sentence", name, dir)
		}
	}
}

// TestNamesDocumented checks that every top-level name of the code has a
// comment, exported or not; so has every exported method. A comment on a group
// covers its names.
func TestNamesDocumented(t *testing.T) {
	t.Parallel()
	names := 0
	for _, s := range parsed(t) {
		if s.test() || s.generated {
			continue
		}
		for _, decl := range s.file.Decls {
			count, bare := undocumented(decl)
			names += count
			for _, name := range bare {
				t.Errorf("%s: %s has no comment; say what it is for", s.fset.Position(name.Pos()), name.Name)
			}
		}
	}
	if names < 100 {
		t.Errorf("looked at %d names only; the test has gone blind", names)
	}
}

// undocumented returns how many names a declaration has and those of them
// without a comment. The package comment speaks for main, and nothing needs to
// be said of init and of the blank name.
func undocumented(decl ast.Decl) (names int, bare []*ast.Ident) {
	switch d := decl.(type) {
	case *ast.FuncDecl:
		if d.Recv == nil && (d.Name.Name == "main" || d.Name.Name == "init") || d.Name.Name == "_" ||
			d.Recv != nil && !d.Name.IsExported() {
			return 0, nil
		}
		if names = 1; empty(d.Doc) {
			bare = append(bare, d.Name)
		}
	case *ast.GenDecl:
		if d.Tok == token.IMPORT {
			return 0, nil
		}
		for _, spec := range d.Specs {
			idents, own := specComment(spec)
			for _, ident := range idents {
				if ident.Name == "_" {
					continue
				}
				names++
				if empty(d.Doc) && !own {
					bare = append(bare, ident)
				}
			}
		}
	}
	return names, bare
}

// specComment returns the names of one spec and whether it has a comment.
func specComment(spec ast.Spec) (idents []*ast.Ident, commented bool) {
	switch s := spec.(type) {
	case *ast.TypeSpec:
		return []*ast.Ident{s.Name}, !empty(s.Doc) || !empty(s.Comment)
	case *ast.ValueSpec:
		return s.Names, !empty(s.Doc) || !empty(s.Comment)
	}
	return nil, true
}

// empty reports whether a comment says nothing. Directives do not count.
func empty(c *ast.CommentGroup) bool {
	return c == nil || strings.TrimSpace(c.Text()) == ""
}
