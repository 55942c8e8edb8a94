package abi

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// valid is a manifest without fault; tests put one in.
func valid() Manifest {
	return Manifest{
		ABI: Version, Name: "hello-2", Version: "0.1.0", Summary: "Says hello.",
		Routes: []Route{{Pattern: "GET /hello/{name}"}, {Pattern: "POST /hello", Require: RequireSignedIn}},
		SignIn: "/hello/in", Read: []string{"course/"}, Write: []string{"hello/", "hello/by-name/"},
		Rights: []string{RightSignIn, RightSignUp, RightSetup, RightAuthorization}, Secrets: []string{"password"}, Config: "x",
		Limits: Limits{MemoryKiB: 1024, DeadlineMS: 500, ResponseKiB: 64, HostCalls: 100, LogKiB: 1, Sandboxes: 4},
	}
}

// encode gives a manifest as JSON.
func encode(t testing.TB, m Manifest) []byte {
	t.Helper()
	data, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestParseManifest reads a manifest with every field set.
func TestParseManifest(t *testing.T) {
	t.Parallel()
	want := valid()
	got, err := ParseManifest(encode(t, want))
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(*got, want) {
		t.Errorf("read %+v, want %+v", *got, want)
	}
}

// TestErrorPagesNeedNoRoute reads the manifest of a handler that only makes
// error pages.
func TestErrorPagesNeedNoRoute(t *testing.T) {
	t.Parallel()
	m := valid()
	m.Routes, m.Errors = nil, true
	if _, err := ParseManifest(encode(t, m)); err != nil {
		t.Error(err)
	}
}

// TestManifestFaultsAreNamed breaks one thing at a time and looks for its name
// in the error.
func TestManifestFaultsAreNamed(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		spoil func(*Manifest)
		want  string
	}{
		{"abi", func(m *Manifest) { m.ABI = Version + 1 }, "abi is 2"},
		{"no abi", func(m *Manifest) { m.ABI = 0 }, "abi is 0"},
		{"no name", func(m *Manifest) { m.Name = "" }, `name ""`},
		{"long name", func(m *Manifest) { m.Name = strings.Repeat("a", 41) }, "name"},
		{"capital", func(m *Manifest) { m.Name = "Hello" }, `name "Hello"`},
		{"path as name", func(m *Manifest) { m.Name = "../x" }, `name "../x"`},
		{"other letters", func(m *Manifest) { m.Name = "niño" }, `name "niño"`},
		{"no route", func(m *Manifest) { m.Routes = nil }, "no route"},
		{"route without method", func(m *Manifest) { m.Routes[0].Pattern = "/hello" }, `route "/hello"`},
		{"empty method", func(m *Manifest) { m.Routes[0].Pattern = " /hello" }, `route " /hello"`},
		{"route of a host alone", func(m *Manifest) { m.Routes[1].Pattern = "GET example.org" }, `route "GET example.org"`},
		{"route with a scheme", func(m *Manifest) { m.Routes[1].Pattern = "GET http://example.org/hello" }, `route "GET http://example.org/hello"`},
		{"route of a port", func(m *Manifest) { m.Routes[1].Pattern = "GET example.org:80/hello" }, `route "GET example.org:80/hello"`},
		{"route of a pattern of hosts", func(m *Manifest) { m.Routes[1].Pattern = "GET {host}/hello" }, `route "GET {host}/hello"`},
		{"accounts", func(m *Manifest) { m.Read[0] = "account/" }, `record prefix "account/" is kept by the host`},
		{"one sort of accounts", func(m *Manifest) { m.Write[0] = "account/login/" }, `record prefix "account/login/" is kept by the host`},
		{"the host's own records", func(m *Manifest) { m.Write[0] = "system/" }, `record prefix "system/" is kept by the host`},
		{"itself as next", func(m *Manifest) { m.Next = m.Name }, "is the handler itself"},
		{"next that is no name", func(m *Manifest) { m.Next = "../x" }, `next "../x" must be the name`},
		{"the site as next, and routes", func(m *Manifest) { m.Next = NextSite }, `next "*" puts the handler in front of all others, so it can have no routes`},
		{"the site as next, and internal", func(m *Manifest) { m.Next, m.Routes, m.Internal = NextSite, nil, true }, `so it cannot be internal`},
		{"prefix without slash", func(m *Manifest) { m.Read[0] = "course" }, `record prefix "course"`},
		{"everything", func(m *Manifest) { m.Write[1] = "/" }, `record prefix "/"`},
		{"empty prefix", func(m *Manifest) { m.Write[0] = "" }, `record prefix ""`},
		{"empty segment", func(m *Manifest) { m.Read[0] = "a//b/" }, `record prefix "a//b/"`},
		{"unknown right", func(m *Manifest) { m.Rights[0] = "root" }, `unknown right "root"`},
		{"negative limit", func(m *Manifest) { m.Limits.HostCalls = -1 }, "limits.hostCalls is -1"},
		{"enormous limit", func(m *Manifest) { m.Limits.MemoryKiB = 1<<30 + 1 }, "limits.memoryKiB"},
		{"sign-in elsewhere", func(m *Manifest) { m.SignIn = "https://evil.example/" }, "signIn"},
		{"sign-in on another host", func(m *Manifest) { m.SignIn = "//evil.example/" }, "signIn"},
	}
	for _, tt := range tests {
		m := valid()
		tt.spoil(&m)
		if _, err := ParseManifest(encode(t, m)); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: the error is %v, it should name %s", tt.name, err, tt.want)
		}
	}
}

// TestAllManifestFaultsAreNamedAtOnce expects one run to show everything.
func TestAllManifestFaultsAreNamedAtOnce(t *testing.T) {
	t.Parallel()
	_, err := ParseManifest([]byte(`{"abi":9,"name":"No","routes":[{"pattern":"x"}],"read":["r"],"write":["w"],"rights":["fly"],"signIn":"in"}`))
	if err == nil {
		t.Fatal("a manifest with seven faults was accepted")
	}
	for _, want := range []string{"abi", `"No"`, `"x"`, `"r"`, `"w"`, `"fly"`, `"in"`} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not name %s: %v", want, err)
		}
	}
}

// TestManifestMustBeOneObject refuses JSON that is not just a manifest.
func TestManifestMustBeOneObject(t *testing.T) {
	t.Parallel()
	good := string(encode(t, valid()))
	for _, text := range []string{"", "null", "[]", "{", `{"abi":"1"}`, good + good, good + " x", `{"colour":"red",` + good[1:]} {
		if m, err := ParseManifest([]byte(text)); err == nil {
			t.Errorf("%.40q was read as %+v", text, m)
		}
	}
}

// TestMayReadAndWrite asks for paths in and beside the manifest's prefixes.
func TestMayReadAndWrite(t *testing.T) {
	t.Parallel()
	m := &Manifest{Read: []string{"course/"}, Write: []string{"seats/", "log/day/"}}
	tests := []struct {
		path        string
		read, write bool
	}{
		{"course/go", true, false},
		{"course/", true, false},
		{"seats/go", true, true},
		{"log/day/1", true, true},
		{"log/", false, false},
		{"cour", false, false},
		{"courses/go", false, false},
		{"", false, false},
		{"account/id/1", false, false},
	}
	for _, tt := range tests {
		if m.MayRead(tt.path) != tt.read || m.MayWrite(tt.path) != tt.write {
			t.Errorf("%q: read %t, write %t; want %t, %t", tt.path, m.MayRead(tt.path), m.MayWrite(tt.path), tt.read, tt.write)
		}
	}
	if !(&Manifest{Rights: []string{RightSignIn}}).Allows(RightSignIn) || m.Allows(RightSetup) {
		t.Error("Allows does not follow the manifest")
	}
}

// TestManifestsOfThisRepository parses those that are built into the host.
func TestManifestsOfThisRepository(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../handlers/*/manifest.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no manifests found: %v", err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if m, err := ParseManifest(data); err != nil {
			t.Errorf("%s: %v", file, err)
		} else if m.Name != filepath.Base(filepath.Dir(file)) {
			t.Errorf("%s: the name is %q", file, m.Name)
		}
	}
}

// FuzzParseManifest reads any bytes. What is accepted must say who it is, keep
// its prefixes inside the store, and be accepted again when it is written.
func FuzzParseManifest(f *testing.F) {
	f.Add(encode(f, valid()))
	f.Add([]byte(`{"abi":1,"name":"a","routes":[{"pattern":"GET /"}],"read":["a/"]}`))
	f.Add([]byte(`{"abi":1,"name":"a","errors":true}{}`))
	f.Add([]byte(`{"abi":1,"name":"é","write":["/"]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := ParseManifest(data)
		if err != nil {
			return
		}
		if m.ABI != Version || m.Name == "" || m.MayRead("") || m.MayRead("/") {
			t.Errorf("accepted %+v", *m)
		}
		if _, err := ParseManifest(encode(t, *m)); err != nil {
			t.Errorf("accepted once and not twice: %v", err)
		}
	})
}
