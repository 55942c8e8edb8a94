package session

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// root is the top of the repository, whose other folders some tests are in.
const root = "../.."

// requirements is how many there are.
const requirements = 40

// testName is a test as the tables write it, with its folder if it is not
// this one.
var testName = regexp.MustCompile(`\b(?:([a-z0-9/]+)\.)?((?:Test|Fuzz)[A-Z]\w*)`)

// TestRequirements keeps the tables of README.md true: each requirement is
// there with a test, each test that is named exists.
func TestRequirements(t *testing.T) {
	t.Parallel()
	doc, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	numbers, cases := 0, 0
	for line := range strings.Lines(string(doc)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		first, last := strings.TrimSpace(cells[0]), strings.TrimSpace(cells[len(cells)-1])
		switch {
		case len(cells) == 4 && first == strconv.Itoa(numbers+1):
			numbers++
		case len(cells) == 3 && first == "S"+strconv.Itoa(cases+1):
			cases++
			if !strings.Contains(last, "Test"+first) {
				t.Errorf("case %s has no test of its name", first)
			}
		default:
			continue
		}
		named := testName.FindAllStringSubmatch(last, -1)
		if len(named) == 0 && last != "does not apply" {
			t.Errorf("%s names no test", first)
		}
		for _, name := range named {
			folder := "."
			if name[1] != "" {
				folder = filepath.Join(root, name[1])
			}
			if !defined(t, folder)[name[2]] {
				t.Errorf("%s names %s, which does not exist", first, name[0])
			}
		}
	}
	if numbers != requirements || cases != 12 {
		t.Errorf("the tables have %d requirements and %d cases, expected %d and 12", numbers, cases, requirements)
	}
}

// defined are the tests in a folder.
func defined(t *testing.T, folder string) map[string]bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*_test.go"))
	if err != nil || len(files) == 0 {
		t.Errorf("no tests in %s: %v", folder, err)
	}
	tests := map[string]bool{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`).FindAllSubmatch(text, -1) {
			tests[string(m[1])] = true
		}
	}
	return tests
}
