package site_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lectern-lms/lectern/host/config"
	"github.com/lectern-lms/lectern/host/site"
	"github.com/lectern-lms/lectern/kv"
	"github.com/lectern-lms/lectern/kv/memory"
)

// start are the options of a site in an environment, with the real setup
// handler and a catalogue of one text.
func start(t *testing.T, stores site.Stores, environ ...string) (site.Options, *bytes.Buffer) {
	t.Helper()
	setup, cache := setupModule(t)
	dir := t.TempDir()
	if err := os.Symlink(cache, filepath.Join(dir, "cache")); err != nil {
		t.Fatal(err)
	}
	environ = append(environ, "LMS_DATA_DIR="+dir, "SECRET_KEY=0123456789abcdef0123456789abcdef")
	cfg, err := config.Load(environ)
	if err != nil {
		t.Fatal(err)
	}
	log := &bytes.Buffer{}
	modules := map[string][]byte{"setup": setup, "catalog": guest(catalog, page)}
	return site.Options{Config: cfg, Stores: stores, Modules: modules, Logger: slog.New(slog.NewTextHandler(log, nil))}, log
}

// open opens a site and closes it with the test.
func open(t *testing.T, o site.Options) *site.Site {
	t.Helper()
	s, err := site.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return s
}

// keys lists the records under a prefix, without it.
func keys(t *testing.T, store kv.Store, prefix string) []string {
	t.Helper()
	found, err := store.Scan(context.Background(), kv.Range{Prefix: prefix})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range found.Entries {
		names = append(names, strings.TrimPrefix(e.Key, prefix))
	}
	return names
}

// gate is a store in which a first start waits until another one has come as
// far: both have then found the store empty.
type gate struct {
	kv.Store
	both *sync.WaitGroup
	// arrived makes each process wait once.
	arrived sync.Once
	// conflicts and commits count what became of the first starts.
	mu                 *sync.Mutex
	commits, conflicts *int
}

// Commit waits for the other before it writes.
func (g *gate) Commit(ctx context.Context, checks []kv.Check, writes []kv.Write) (kv.Revision, error) {
	g.arrived.Do(func() {
		g.both.Done()
		g.both.Wait()
	})
	rev, err := g.Store.Commit(ctx, checks, writes)
	g.mu.Lock()
	defer g.mu.Unlock()
	if err == nil {
		*g.commits++
	} else if errors.Is(err, kv.ErrConflict) {
		*g.conflicts++
	}
	return rev, err
}

// twoStarts opens two sites on one store at once, each in its environment,
// and gives the store when both have filled it or found it filled.
func twoStarts(t *testing.T, first, second []string) kv.Store {
	t.Helper()
	shared, sessions := memory.New(), memory.New()
	var mu sync.Mutex
	var both, done sync.WaitGroup
	commits, conflicts := 0, 0
	both.Add(2)
	for _, environ := range [][]string{first, second} {
		stores := site.Stores{Records: &gate{Store: shared, both: &both, mu: &mu, commits: &commits, conflicts: &conflicts}, Sessions: sessions, Backend: "memory"}
		o, _ := start(t, stores, environ...)
		done.Go(func() {
			s, err := site.Open(context.Background(), o)
			if err != nil {
				t.Error(err)
				return
			}
			if err := s.Close(context.Background()); err != nil {
				t.Error(err)
			}
		})
	}
	done.Wait()
	if commits != 1 || conflicts != 1 {
		t.Errorf("%d commits and %d conflicts, want one of each", commits, conflicts)
	}
	return shared
}

// TestTwoAdministratorsAtOnce have different names in the two processes'
// settings: the site gets one of them.
func TestTwoAdministratorsAtOnce(t *testing.T) {
	t.Parallel()
	shared := twoStarts(t,
		[]string{"LMS_ENV=production", "ADMIN_USER=chief", "ADMIN_PSWD=three-unrelated-words"},
		[]string{"LMS_ENV=production", "ADMIN_USER=other", "ADMIN_PSWD=three-unrelated-words"})
	if got := keys(t, shared, "account/login/"); len(got) != 1 {
		t.Errorf("the accounts are %v", got)
	}
}

// TestTwoFirstStartsAtOnce fill the store once: one administrator and one set
// of courses, whichever process was quicker. A later start changes nothing.
func TestTwoFirstStartsAtOnce(t *testing.T) {
	t.Parallel()
	demo := []string{"LMS_ENV=development"}
	shared := twoStarts(t, demo, demo)
	wantDemo(t, shared)
	before, err := shared.Scan(t.Context(), kv.Range{})
	if err != nil {
		t.Fatal(err)
	}
	o, log := start(t, site.Stores{Records: shared, Sessions: memory.New(), Backend: "memory"}, demo...)
	open(t, o)
	after, err := shared.Scan(t.Context(), kv.Range{})
	if err != nil || after.Revision != before.Revision || strings.Contains(log.String(), "first start") {
		t.Errorf("a later start wrote something: revision %d to %d, %v", before.Revision, after.Revision, err)
	}
}

// wantDemo checks that a store holds the demo site, once.
func wantDemo(t *testing.T, store kv.Store) {
	t.Helper()
	if got := keys(t, store, "account/login/"); !slices.Equal(got, []string{"instructor", "lms-admin", "student"}) {
		t.Errorf("the accounts are %v", got)
	}
	content, err := os.ReadDir("../../guest/handlers/setup/content")
	if err != nil {
		t.Fatal(err)
	}
	courses := 0
	for _, entry := range content {
		if entry.IsDir() {
			courses++
		}
	}
	if got := keys(t, store, "course/"); len(got) != courses || courses < 4 {
		t.Errorf("the courses are %v, the folder has %d", got, courses)
	}
	ids := keys(t, store, "account/id/")
	profiles := keys(t, store, "profile/")
	if len(ids) != 3 || len(profiles) != 2 || len(keys(t, store, "lesson/")) == 0 || len(keys(t, store, "system/")) != 1 {
		t.Errorf("%d accounts, %d profiles, system %v", len(ids), len(profiles), keys(t, store, "system/"))
	}
	for _, id := range profiles {
		if !slices.Contains(ids, id) {
			t.Errorf("a profile of nobody: %s", id)
		}
	}
}

// TestFirstStartRefuses names the setting at fault and writes nothing.
func TestFirstStartRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		environ []string
		says    []string
	}{
		{"production without an administrator", []string{"LMS_ENV=production"}, []string{"ADMIN_USER", "ADMIN_PSWD"}},
		{"production with a common password", []string{"LMS_ENV=production", "ADMIN_USER=chief", "ADMIN_PSWD=password123"}, []string{"ADMIN_PSWD"}},
		{"administrator named as a demo person", []string{"LMS_ENV=development", "ADMIN_USER=student", "ADMIN_PSWD=a-good-password"}, []string{"ADMIN_USER", "another"}},
	}
	for _, tt := range tests {
		stores := site.OpenMemory()
		o, log := start(t, stores, tt.environ...)
		s, err := site.Open(t.Context(), o)
		if err == nil {
			t.Errorf("%s: the site has opened: %v", tt.name, s.Close(context.Background()))
			continue
		}
		for _, word := range tt.says {
			if !strings.Contains(err.Error(), word) {
				t.Errorf("%s: the error does not name %s: %v", tt.name, word, err)
			}
		}
		if got := keys(t, stores.Records, ""); len(got) != 0 {
			t.Errorf("%s: written %v", tt.name, got)
		}
		if strings.Contains(err.Error()+log.String(), "password123") || strings.Contains(err.Error()+log.String(), "a-good-password") {
			t.Errorf("%s: the password is told: %v %s", tt.name, err, log)
		}
	}
}

// TestProductionHasNoDemo makes the administrator alone.
func TestProductionHasNoDemo(t *testing.T) {
	t.Parallel()
	stores := site.OpenMemory()
	o, _ := start(t, stores, "LMS_ENV=production", "ADMIN_USER=chief", "ADMIN_PSWD=three-unrelated-words")
	open(t, o)
	if got := keys(t, stores.Records, "account/login/"); !slices.Equal(got, []string{"chief"}) {
		t.Errorf("the accounts are %v", got)
	}
	for _, prefix := range []string{"course/", "lesson/", "profile/"} {
		if got := keys(t, stores.Records, prefix); len(got) > 0 {
			t.Errorf("%s has %v", prefix, got)
		}
	}
	// Once there is an administrator, the settings are not needed any more.
	o, _ = start(t, stores, "LMS_ENV=production")
	open(t, o)
}

// TestFirstStartWithoutItsHandler opens no half of a demo site.
func TestFirstStartWithoutItsHandler(t *testing.T) {
	t.Parallel()
	const manifest = `{"abi": 1, "name": "setup", "version": "1.0.0", "internal": true, "routes": [{"pattern": "POST /setup"}]}`
	whole, _ := setupModule(t)
	for name, module := range map[string][]byte{"missing": nil, "trapping": guest(manifest, ""), "cut off": whole[:5000]} {
		stores := site.OpenMemory()
		o, _ := start(t, stores, "LMS_ENV=development")
		o.Modules = map[string][]byte{"catalog": guest(catalog, page), "setup": module}
		s, err := site.Open(t.Context(), o)
		if err == nil {
			t.Errorf("%s: the site has opened: %v", name, s.Close(context.Background()))
		} else if !strings.Contains(err.Error(), "setup") {
			t.Errorf("%s: the error does not name the handler: %v", name, err)
		}
		if got := keys(t, stores.Records, ""); len(got) != 0 {
			t.Errorf("%s: written %v", name, got)
		}
	}
}

// TestFirstStartWithoutAStore gives up with the store's reason.
func TestFirstStartWithoutAStore(t *testing.T) {
	t.Parallel()
	stores := site.OpenMemory()
	if err := stores.Close(); err != nil {
		t.Fatal(err)
	}
	o, _ := start(t, stores, "LMS_ENV=production", "ADMIN_USER=chief", "ADMIN_PSWD=three-unrelated-words")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if s, err := site.Open(ctx, o); !errors.Is(err, kv.ErrClosed) {
		t.Errorf("site %v, error %v", s, err)
	}
}
