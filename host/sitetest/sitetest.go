// Package sitetest runs a whole site for a test: every handler in its sandbox,
// real HTTP, the demo courses and people, and all of its store in the memory of
// the test's process (kv/memory). Nothing is left when the test ends, and any
// number of sites can run side by side.
//
//	func TestEnrolment(t *testing.T) {
//		site := sitetest.Start(t, sitetest.Options{})
//		ada := site.SignIn(t, sitetest.Student, sitetest.Password(sitetest.Student))
//		ada.Post(t, "/course/edge/enroll", nil)
//		if page := ada.Get(t, "/home/panel"); !strings.Contains(page.Body, "/course/edge/take") {
//			t.Errorf("the panel does not show the course:\n%s", page.Body)
//		}
//	}
//
// A handler of one's own is tested alone by sdk.NewFake (guest/README.md), and
// here together with all others: give its compiled module in Options. The first
// start compiles the handlers, some seconds for each; a CacheDir that stays
// spares the next run that.
package sitetest

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"path/filepath"
	"testing"

	"github.com/lectern-lms/lectern/guest/handlers"
	"github.com/lectern-lms/lectern/host/config"
	"github.com/lectern-lms/lectern/host/site"
)

// The people of a site in development. Each has a password that is no secret;
// see Password.
const (
	Admin   = "lms-admin"
	Teacher = "instructor"
	Student = "student"
)

// Password is that of one of the people above.
func Password(login string) string {
	if login == Admin {
		return Admin
	}
	return "lms-" + login
}

// Options say what a site is like; the zero value is right for most tests.
type Options struct {
	// Environ holds variables as a site's operator sets them, "LMS_REMEMBER=0",
	// beside those that the test itself needs. The process's own environment
	// is not looked at.
	Environ []string
	// Modules are compiled handlers to serve beside the site's own, or in
	// place of one with the same name.
	Modules map[string][]byte
	// CacheDir keeps compiled handlers from run to run; a directory of the
	// test's own unless set.
	CacheDir string
	// Logger gets what the site logs; nobody unless set.
	Logger *slog.Logger
}

// Site is a running site.
type Site struct {
	// URL is its address, without a slash at the end.
	URL string
	// Stores are its records and sessions, to be looked at or changed.
	Stores site.Stores
}

// Start starts a site and stops it with the test, which ends at once if the
// site cannot start.
func Start(t testing.TB, o Options) *Site {
	t.Helper()
	s := &Site{Stores: site.OpenMemory()}
	if o.CacheDir == "" {
		o.CacheDir = filepath.Join(t.TempDir(), "cache")
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	cfg, err := config.Load(append([]string{"LMS_ENV=development", "LMS_DATA_DIR=" + t.TempDir(), "SECRET_KEY=of no use outside this one test"}, o.Environ...))
	if err != nil {
		t.Fatal(err)
	}
	modules, err := handlers.Modules()
	if err != nil {
		t.Fatal(err)
	}
	for name, module := range o.Modules {
		modules[name] = module
	}
	running, err := site.Open(t.Context(), site.Options{
		Config: cfg, Stores: s.Stores, Modules: modules, Logger: o.Logger, CacheDir: o.CacheDir,
	})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(running.Handler())
	t.Cleanup(func() {
		server.Close()
		if err := running.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	s.URL = server.URL
	return s
}

// Visitor is somebody with a browser of their own, not signed in.
func (s *Site) Visitor() *Person {
	jar, _ := cookiejar.New(nil) // It fails for no options but wrong ones.
	return &Person{site: s, client: &http.Client{
		Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}
