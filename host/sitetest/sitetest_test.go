package sitetest_test

import (
	"context"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/lectern-lms/lectern/guest/handlers"
	"github.com/lectern-lms/lectern/host/handlertest"
	"github.com/lectern-lms/lectern/host/sitetest"
	"github.com/lectern-lms/lectern/kv"
)

// kit compiles the handlers once, without the race detector, into a cache.
var kit = &handlertest.Kit{Modules: func(context.Context) ([][]byte, error) {
	modules, err := handlers.Modules()
	var list [][]byte
	for _, m := range modules {
		list = append(list, m)
	}
	return list, err
}}

// TestMain removes what the kit leaves.
func TestMain(m *testing.M) { os.Exit(kit.Run(m)) }

// options are those of a site that uses the kit's cache.
func options(t *testing.T, environ ...string) sitetest.Options {
	t.Helper()
	_, dir, err := kit.Ready()
	if err != nil {
		t.Fatal(err)
	}
	return sitetest.Options{CacheDir: dir, Environ: environ}
}

// TestEnrolment is the example of the package's documentation.
func TestEnrolment(t *testing.T) {
	t.Parallel()
	site := sitetest.Start(t, options(t))
	ada := site.SignIn(t, sitetest.Student, sitetest.Password(sitetest.Student))
	ada.Post(t, "/course/edge/enroll", nil)
	if page := ada.Get(t, "/home/panel"); !strings.Contains(page.Body, "/course/edge/take") {
		t.Errorf("the panel does not show the course:\n%s", page.Body)
	}
}

// TestDocumentation keeps the example there the same as the test above.
func TestDocumentation(t *testing.T) {
	t.Parallel()
	doc, err := os.ReadFile("sitetest.go")
	if err != nil {
		t.Fatal(err)
	}
	test, err := os.ReadFile("sitetest_test.go")
	if err != nil {
		t.Fatal(err)
	}
	_, body, _ := strings.Cut(string(test), "func TestEnrolment(t *testing.T) {\n\tt.Parallel()\n")
	body, _, _ = strings.Cut(body, "\n}\n")
	lines := strings.Split(body, "\n")
	if len(lines) < 5 {
		t.Fatalf("the example is not found:\n%s", body)
	}
	for _, line := range lines {
		line = strings.Replace(line, "options(t)", "sitetest.Options{}", 1)
		if !strings.Contains(string(doc), "\n//\t"+line+"\n") {
			t.Errorf("the documentation does not have the line %q", line)
		}
	}
}

// TestSitesAreApart runs two side by side: what happens in one is not seen in
// the other, and its stores can be looked at. Each has the same people.
func TestSitesAreApart(t *testing.T) {
	t.Parallel()
	one, two := sitetest.Start(t, options(t)), sitetest.Start(t, options(t, "LMS_SITE_NAME=The other site"))
	form := url.Values{"usuario": {"rosa"}, "nombre": {"Rosa"}, "correo_electronico": {"rosa@example.org"}, "acceso": {"three-unrelated-words"}}
	if a := one.Visitor().Post(t, "/user/logon", form); a.Status != http.StatusSeeOther {
		t.Fatalf("sign-up: status %d\n%s", a.Status, a.Body)
	}
	one.SignIn(t, "rosa", "three-unrelated-words")
	for _, login := range []string{sitetest.Admin, sitetest.Teacher, sitetest.Student} {
		if page := two.SignIn(t, login, sitetest.Password(login)).Get(t, "/perfil"); page.Status != http.StatusOK || !strings.Contains(page.Body, login) {
			t.Errorf("%s: status %d", login, page.Status)
		}
	}
	refused := two.Visitor().Post(t, "/user/login", url.Values{"usuario": {"rosa"}, "acceso": {"three-unrelated-words"}})
	if refused.Status != http.StatusUnauthorized || !strings.Contains(refused.Body, "The other site") {
		t.Errorf("the other site: status %d", refused.Status)
	}
	page, err := one.Stores.Records.Scan(t.Context(), kv.Range{Prefix: "profile/"})
	if err != nil || len(page.Entries) == 0 {
		t.Errorf("profiles %v, %v", page.Entries, err)
	}
}
