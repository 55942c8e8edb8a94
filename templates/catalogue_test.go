package templates

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// keyLiteral is a string in a source file that looks like a message key.
var keyLiteral = regexp.MustCompile(`"([a-z_]+\.[a-z0-9_]+)"`)

// contract are keys that handlers may use at any time, so that they need not
// appear in a source file yet.
var contract = []string{
	"notice.signed_in", "notice.signed_out", "notice.welcome", "notice.enrolled", "notice.already_enrolled",
	"notice.course_full", "notice.course_closed", "notice.lesson_done", "notice.course_completed",
	"notice.profile_saved", "notice.sign_in_first", "form.required", "form.too_long", "form.wrong_credentials",
	"form.inactive", "form.login_taken", "form.email_taken", "form.email_invalid", "form.login_invalid",
	"form.password_short", "form.password_common", "form.unknown_language",
}

// keysIn collects what looks like a key in the sources under a folder: with
// all its prefixes if there are none to choose from.
func keysIn(t *testing.T, folder string, prefixes ...string) map[string]string {
	t.Helper()
	keys := map[string]string{}
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasSuffix(path, "_templ.go") || strings.HasSuffix(path, "_test.go") ||
			strings.HasPrefix(d.Name(), "messages_") || filepath.Ext(path) != ".go" && filepath.Ext(path) != ".templ" {
			return err
		}
		source, err := os.ReadFile(path)
		for _, m := range keyLiteral.FindAllStringSubmatch(string(source), -1) {
			prefix, _, _ := strings.Cut(m[1], ".")
			if len(prefixes) == 0 || slices.Contains(prefixes, prefix) {
				keys[m[1]] = path
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// handlersFolder is where the handlers are; it is read, never imported.
const handlersFolder = "../guest/handlers"

// TestNoKeyIsMissing wants a message for each key that a page or handler uses.
func TestNoKeyIsMissing(t *testing.T) {
	t.Parallel()
	var prefixes []string
	for key := range english {
		prefix, _, _ := strings.Cut(key, ".")
		prefixes = append(prefixes, prefix)
	}
	used := keysIn(t, ".", prefixes...)
	for key, path := range keysIn(t, handlersFolder, "notice", "form") {
		used[key] = path
	}
	for _, key := range contract {
		used[key] = "the contract with the handlers"
	}
	if len(used) < 100 {
		t.Fatalf("only %d keys were found in the sources; the search is broken", len(used))
	}
	for key, path := range used {
		_, plain := english[key]
		_, counted := english[key+".other"]
		if !plain && !counted {
			t.Errorf("%s uses %q, which has no message", path, key)
		}
	}
}

// TestNoKeyIsUnused wants a use for each message.
func TestNoKeyIsUnused(t *testing.T) {
	t.Parallel()
	used := keysIn(t, ".")
	for key, path := range keysIn(t, handlersFolder) {
		used[key] = path
	}
	for key := range english {
		base := strings.TrimSuffix(strings.TrimSuffix(key, ".one"), ".other")
		if used[key] == "" && used[base] == "" && !slices.Contains(contract, key) {
			t.Errorf("no page uses %q", key)
		}
	}
}

// placeholder is a place for an argument in a message.
var placeholder = regexp.MustCompile(`\{\d+\}`)

// TestCataloguesAgree wants the same keys with the same placeholders in all
// languages, and no message that was left empty.
func TestCataloguesAgree(t *testing.T) {
	t.Parallel()
	for _, l := range Languages {
		other := catalogue(l.Tag)
		for key, text := range english {
			translated, ok := other[key]
			if !ok || strings.TrimSpace(translated) == "" {
				t.Errorf("%s has no %q", l.Tag, key)
				continue
			}
			want, have := placeholder.FindAllString(text, -1), placeholder.FindAllString(translated, -1)
			slices.Sort(want)
			slices.Sort(have)
			if !slices.Equal(want, have) {
				t.Errorf("%s %q has the placeholders %v; English has %v", l.Tag, key, have, want)
			}
		}
		for key := range other {
			if _, ok := english[key]; !ok {
				t.Errorf("%s has %q, English has not", l.Tag, key)
			}
		}
	}
}

// TestSignInFaultNamesNobody keeps the fault of a sign-in from telling whether
// the user exists: it speaks of the pair, in every language.
func TestSignInFaultNamesNobody(t *testing.T) {
	t.Parallel()
	for _, l := range Languages {
		text := strings.ToLower(T(l.Tag, "form.wrong_credentials"))
		user, password := strings.Contains(text, "us"), strings.Contains(text, "password") || strings.Contains(text, "contrase") || strings.Contains(text, "senha")
		if !user || !password {
			t.Errorf("%s: %q does not name both fields", l.Tag, text)
		}
	}
}
