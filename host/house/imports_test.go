package house

import (
	"path"
	"slices"
	"strings"
	"testing"
)

// importRule says what of ours the packages that match a pattern may import.
// A pattern is a path; "*" stands for one segment and a last "/..." for
// anything below as well.
type importRule struct {
	of string
	// may are the packages that code may import.
	may []string
	// tests are those that tests may import besides.
	tests []string
}

// importRules is who may import whom. The first rule that matches a package
// counts; every package needs one. Packages of host are in the order in which
// they stand on one another: each imports some of those above it, so a new
// one is put under what it needs.
var importRules = []importRule{
	{of: "guest/abi"},
	{of: "guest/abi/...", may: []string{"guest/abi"}},
	{of: "guest/lms"},
	{of: "guest/sdk/...", may: []string{"guest/abi", "guest/sdk/..."}},
	{of: "guest/store/...", may: []string{"guest/sdk/...", "guest/lms", "guest/store/..."}},
	{of: "templates/static"},
	{of: "templates", may: []string{"guest/lms"}, tests: []string{"templates/static"}},
	{of: "guest/handlers"}, // carries the built modules and knows nothing of them
	{of: "guest/handlers/page/pagetest", may: []string{"guest/sdk/...", "guest/store/...", "guest/lms", "guest/abi", "guest/handlers/page/..."}},
	{of: "guest/handlers/...", may: []string{"guest/sdk/...", "guest/store/...", "guest/lms", "templates", "guest/handlers/page/..."}},
	{of: "guest/pack", may: []string{"guest/abi"}},

	{of: "kv"},
	{of: "kv/...", may: []string{"kv/..."}},

	{of: "host/house"},
	{of: "host/e2e/..."}, // sees the built binary only
	{of: "host/config", may: []string{"kv", "kv/redis"}}, // reads and masks the address of a Redis as the adapter does
	{of: "host/modules", may: []string{"guest/abi"}},
	{of: "host/sizing"},
	{of: "host/supervisor"},
	{of: "host/engine/...", may: []string{"guest/abi", "kv/...", "host/engine/..."}, tests: []string{"guest/handlers"}},
	{of: "host/handlertest/...", may: []string{"guest/abi", "guest/handlers", "guest/sdk/...", "host/engine/...", "host/handlertest/..."}},
	{of: "host/auth", may: hostMay()},
	{of: "host/useragent", may: hostMay()},
	{of: "host/transaction", may: hostMay("auth", "useragent")},
	{of: "host/debug", may: hostMay("config", "engine", "transaction"), tests: []string{"host/auth"}},
	{of: "host/server", may: hostMay("auth", "engine", "transaction"), tests: []string{"guest/handlers"}},
	{of: "host/site", may: hostMay("auth", "config", "debug", "engine", "server", "sizing", "transaction"), tests: []string{"guest/handlers"}},
	{of: "host/sitetest", may: append(hostMay("config", "site"), "guest/handlers")}, // a help for tests, of whole sites
	{of: "host/cmd/...", may: []string{"host/...", "kv/...", "guest/abi", "guest/handlers", "templates/..."}},
	{of: "bench/...", may: []string{"host/...", "kv/...", "guest/...", "templates/...", "bench/..."}},
}

// hostMay is what a package of host may import: the store, the contract with
// the guests, the pages' files, and the named lower packages of host.
func hostMay(lower ...string) []string {
	may := []string{"kv/...", "guest/abi", "templates/..."}
	for _, name := range lower {
		may = append(may, "host/"+name)
	}
	return may
}

// matches reports whether a package is one of a pattern.
func matches(pattern, name string) bool {
	if prefix, below := strings.CutSuffix(pattern, "/..."); below {
		return name == prefix || strings.HasPrefix(name, prefix+"/")
	}
	ok, err := path.Match(pattern, name)
	return ok && err == nil
}

// matchesAny reports whether a package is one of several patterns.
func matchesAny(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return matches(p, name) })
}

// helper reports whether a package is a help for tests: its folder, or one
// above it, has a name that ends with "test", as kvtest has.
func helper(name string) bool {
	return slices.ContainsFunc(strings.Split(name, "/"), func(part string) bool { return strings.HasSuffix(part, "test") })
}

// TestImports checks the rules above for code and for tests. Tests may import
// any helper; code that is no helper itself may import none.
func TestImports(t *testing.T) {
	t.Parallel()
	for _, p := range listed(t) {
		name := short(p.ImportPath)
		i := slices.IndexFunc(importRules, func(r importRule) bool { return matches(r.of, name) })
		if i < 0 {
			t.Errorf("%s has no rule; give it one in host/house, under what it needs", name)
			continue
		}
		rule := importRules[i]
		for _, imported := range p.Imports {
			of := short(imported)
			if of != "" && (!matchesAny(rule.may, of) || helper(of) && !helper(name)) {
				t.Errorf("%s imports %s, and may import of ours: %v, helpers of tests aside", name, of, rule.may)
			}
		}
		may := slices.Concat(rule.may, rule.tests, []string{name})
		for _, imported := range slices.Concat(p.TestImports, p.XTestImports) {
			if of := short(imported); of != "" && !matchesAny(may, of) && !helper(of) {
				t.Errorf("a test of %s imports %s, and may import of ours: %v, and helpers", name, of, may)
			}
		}
	}
}

// owners are modules that one package alone imports, so that the rest of the
// code would not notice if it were replaced.
var owners = map[string]string{
	"github.com/tetratelabs/wazero": "host/engine/...",
	"github.com/caarlos0/env":       "host/config",
}

// TestOwners checks that nobody else imports what has an owner. A test that
// builds a module of its own would be no exception.
func TestOwners(t *testing.T) {
	t.Parallel()
	found := map[string]bool{}
	for _, p := range listed(t) {
		for _, imported := range slices.Concat(p.Imports, p.TestImports, p.XTestImports) {
			for owned, owner := range owners {
				if imported != owned && !strings.HasPrefix(imported, owned+"/") {
					continue
				}
				found[owned] = true
				if !matches(owner, short(p.ImportPath)) {
					t.Errorf("%s imports %s; only %s may", short(p.ImportPath), imported, owner)
				}
			}
		}
	}
	for owned, owner := range owners {
		if !found[owned] {
			t.Errorf("nobody imports %s; its owner is %s", owned, owner)
		}
	}
}

// TestMatches pins the patterns, since a wrong one would let all through.
func TestMatches(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		pattern, name string
		want          bool
	}{
		{"kv", "kv", true}, {"kv", "kv/memory", false}, {"kv/...", "kv", true}, {"kv/...", "kv/memory", true},
		{"kv/...", "kvx", false}, {"host/*", "host/auth", true}, {"host/*", "host/cmd/lectern", false}, {"", "kv", false},
	} {
		if got := matches(tt.pattern, tt.name); got != tt.want {
			t.Errorf("matches(%q, %q) = %v; want %v", tt.pattern, tt.name, got, tt.want)
		}
	}
}
