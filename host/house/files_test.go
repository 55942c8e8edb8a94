package house

import (
	"bytes"
	"go/ast"
	"regexp"
	"slices"
	"testing"
)

// How long files and functions may be, in lines. Long ones are where nobody
// finds anything.
const (
	longestFile    = 400
	medianFile     = 120
	p90File        = 250
	p90Function    = 40
	mostExceptions = 10 // linter exceptions in the whole repository
)

// TestLengths checks the files that people write, tests included.
func TestLengths(t *testing.T) {
	t.Parallel()
	var files, functions []int
	for _, s := range parsed(t) {
		if s.generated {
			continue
		}
		lines := bytes.Count(s.text, []byte("\n"))
		files = append(files, lines)
		if lines > longestFile {
			t.Errorf("%s has %d lines, the most is %d; divide it by subject", s.path, lines, longestFile)
		}
		for _, decl := range s.file.Decls {
			if f, ok := decl.(*ast.FuncDecl); ok {
				functions = append(functions, s.fset.Position(f.End()).Line-s.fset.Position(f.Pos()).Line+1)
			}
		}
	}
	for _, tt := range []struct {
		what        string
		lengths     []int
		part, limit int
	}{
		{"the median file", files, 50, medianFile},
		{"nine of ten files", files, 90, p90File},
		{"nine of ten functions", functions, 90, p90Function},
	} {
		got := percentile(tt.lengths, tt.part)
		t.Logf("%s (of %d): up to %d lines", tt.what, len(tt.lengths), got)
		if got > tt.limit {
			t.Errorf("%s: %d lines, the limit is %d", tt.what, got, tt.limit)
		}
	}
}

// percentile is the length that so many of a hundred do not exceed.
func percentile(lengths []int, part int) int {
	slices.Sort(lengths)
	return lengths[(len(lengths)-1)*part/100]
}

// exception is a comment that switches a linter off, and reasoned is one that
// names the linter and the reason. They are put together here so that this
// file is none.
var (
	exception = regexp.MustCompile(`//\s*no` + `lint`)
	reasoned  = regexp.MustCompile(`//no` + `lint:[a-z0-9,]+ // \S+`)
)

// TestExceptions checks that linters are switched off seldom, and with a
// reason.
func TestExceptions(t *testing.T) {
	t.Parallel()
	count := 0
	for _, s := range parsed(t) {
		for _, line := range bytes.Split(s.text, []byte("\n")) {
			if !exception.Match(line) {
				continue
			}
			count++
			if !reasoned.Match(line) {
				t.Errorf("%s: %q names no linter or no reason", s.path, bytes.TrimSpace(line))
			}
		}
	}
	if count > mostExceptions {
		t.Errorf("%d exceptions from linters, the most is %d; mend the code instead", count, mostExceptions)
	}
}
