package main

import (
	"bytes"
	"go/format"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// repository is the top of the repository, seen from this package's folder.
const repository = "../../.."

// step is one thing that the tutorial has its reader do: write a file, or run
// a command and see its output.
type step struct {
	line          int // in the tutorial
	file, content string
	command, want string
}

// TestTutorial does what guest/README.md says, in a copy of the repository,
// and sees what it shows.
func TestTutorial(t *testing.T) {
	t.Parallel()
	env := variables(t)
	text, err := os.ReadFile(repository + "/guest/README.md")
	if err != nil {
		t.Fatal(err)
	}
	steps := readTutorial(t, string(text))
	top := copyRepository(t)
	files, commands := 0, 0
	for _, s := range steps {
		if s.file != "" {
			files++
			writeFile(t, filepath.Join(top, s.file), s)
			continue
		}
		commands++
		cmd := exec.Command("sh", "-c", s.command)
		cmd.Dir, cmd.Env = top, os.Environ()
		for name, value := range env {
			cmd.Env = append(cmd.Env, name+"="+value)
		}
		got, err := cmd.CombinedOutput()
		if err != nil || !outputPattern(s.want).Match(squeeze(got)) {
			t.Fatalf("guest/README.md:%d: $ %s (%v)\n%s\nthe tutorial shows\n%s", s.line, s.command, err, got, s.want)
		}
	}
	if files < 3 || commands < 10 {
		t.Errorf("the tutorial has %d files and %d commands: it is not what this test reads", files, commands)
	}
}

// readTutorial finds the steps: code blocks that name a file, and blocks of
// the kind "console", in which commands begin with "$ ".
func readTutorial(t *testing.T, text string) []step {
	t.Helper()
	var steps []step
	block := "" // the words behind the fence; "" outside a block
	for i, line := range strings.Split(text, "\n") {
		last := len(steps) - 1
		fence, isFence := strings.CutPrefix(line, "```")
		kind, file, _ := strings.Cut(block, " ")
		command, isCommand := strings.CutPrefix(line, "$ ")
		switch {
		case isFence && block != "":
			block = ""
		case isFence && fence == "":
			t.Fatalf("guest/README.md:%d: a block without a kind", i+1)
		case isFence:
			block = fence
			if _, file, _ := strings.Cut(fence, " "); file != "" {
				steps = append(steps, step{line: i + 1, file: file})
			}
		case block == "":
		case file != "":
			steps[last].content += line + "\n"
		case kind == "console" && isCommand:
			steps = append(steps, step{line: i + 1, command: command})
		case kind == "console":
			steps[last].want += line + "\n"
		}
	}
	return steps
}

// copyRepository copies what git knows or would know of the working tree.
func copyRepository(t *testing.T) string {
	t.Helper()
	list := exec.Command("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	list.Dir = repository
	names, err := list.Output()
	if err != nil {
		t.Fatalf("git ls-files: %v", err)
	}
	top := t.TempDir()
	for name := range strings.SplitSeq(strings.TrimSuffix(string(names), "\x00"), "\x00") {
		content, err := os.ReadFile(filepath.Join(repository, name))
		if os.IsNotExist(err) {
			continue // deleted and not yet committed
		}
		if err != nil {
			t.Fatal(err)
		}
		writeFile(t, filepath.Join(top, name), step{content: string(content)})
	}
	return top
}

// writeFile writes a file and its folders. Go code of the tutorial must be
// formatted.
func writeFile(t *testing.T, path string, s step) {
	t.Helper()
	content := []byte(s.content)
	if s.line > 0 && strings.HasSuffix(path, ".go") {
		formatted, err := format.Source(content)
		if err != nil || !bytes.Equal(formatted, content) {
			t.Errorf("guest/README.md:%d: %s is not formatted (%v)", s.line, s.file, err)
		}
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
}

// spaces is what stands between two words of a line.
var spaces = regexp.MustCompile(`[ \t]+`)

// squeeze makes all spaces between words one, since tabs and the width of
// columns do not show in the tutorial.
func squeeze(text []byte) []byte { return spaces.ReplaceAll(text, []byte(" ")) }

// outputPattern is the output that the tutorial shows, in which "..." stands
// for some of a line, or alone for some lines.
func outputPattern(want string) *regexp.Regexp {
	var b strings.Builder
	for line := range strings.Lines(want) {
		if line == "...\n" {
			b.WriteString(`(?:.*\n)+`)
			continue
		}
		parts := strings.Split(string(squeeze([]byte(line))), "...")
		for i := range parts {
			parts[i] = regexp.QuoteMeta(parts[i])
		}
		b.WriteString(strings.Join(parts, ".+"))
	}
	return regexp.MustCompile(`\A` + b.String() + `\z`)
}

// TestOutputPattern pins what counts as the same output.
func TestOutputPattern(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		want, got string
		match     bool
	}{
		{"", "", true}, {"", "x\n", false}, {"a b\n", "a \t b\n", true}, {"a\n", "a\nb\n", false}, {"a\n", "xa\n", false},
		{"ok ... s\n", "ok 1.5 s\n", true}, {"ok ... s\n", "ok\n1 s\n", false}, {"a.c\n", "abc\n", false},
		{"a\n...\nd\n", "a\nb\nc\nd\n", true}, {"a\n...\nd\n", "a\nb\nc\n", false},
	} {
		if got := outputPattern(tt.want).Match(squeeze([]byte(tt.got))); got != tt.match {
			t.Errorf("%q shown, %q printed: match %v", tt.want, tt.got, got)
		}
	}
}
