//go:build unix

package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// kitTests is how many tests the conformance kit v0.7.0 has, with the one
// that holds them all; fewer would mean that some did not run.
const kitTests = 36

// published are the guests that come with the http-wasm host for Go v0.7.0 and
// are run as they are: the one of the conformance kit, and its examples. Each
// answers for a host name of its own, NAME.example.
var published = map[string]struct {
	config  string
	rights  []string
	methods []string // GET and POST if none
}{
	"tck":    {methods: []string{"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH"}},
	"auth":   {rights: []string{"authorization"}},
	"config": {config: "\x07\x00\x00\x00\x00\x00\x00\x00"}, // the features that it wants, and four bytes more
	"log":    {},
	"redact": {config: "open sesame"},
	"router": {},
	"wasi":   {},
}

// TestPublishedGuests runs guests of others on a site, as handlers that its
// operator added in front of another one, and first of all the conformance
// kit of http-wasm.
func TestPublishedGuests(t *testing.T) {
	t.Parallel()
	s := startSite(t, "LMS_HANDLERS_DIR="+publishedFolder(t))
	t.Run("kit", func(t *testing.T) {
		out := command(t, "tck", []string{"TCK_ADDRESS=" + s.address, "TCK_HOST=tck.example"}, "go", "test", "-count=1", "-v", ".")
		t.Log(out)
		if n := strings.Count(out, "--- PASS: "); n != kitTests {
			t.Errorf("%d tests of the kit have passed, there are %d", n, kitTests)
		}
	})
	const page, notFound = "x-httpwasm-next-uri: /page?a=b", "status: 404"
	for _, tt := range []struct {
		name, request, header, body, want string
	}{
		{"auth", "GET /page?a=b", "", "", "status: 401|www-authenticate: Basic realm=\"test\""},
		{"auth", "GET /page?a=b", "Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "", page},
		{"auth", "GET /page?a=b", "Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZT==", "", "status: 401"},
		{"config", "GET /page?a=b", "", "", page},
		{"log", "GET /page?a=b", "", "", page},
		{"redact", "POST /page?a=b", "", "open sesame, I say", "body: ###########, I say"},
		{"router", "GET /page", "", "", "body: hello world"},
		{"router", "GET /host/page?a=b", "", "", page},
		{"router", "GET /host", "", "", "x-httpwasm-next-uri: /"},
		{"router", "GET /hosting", "", "", "status: 500"}, // it makes "ing" of it, which is no path
		{"wasi", "POST /page?a=b", "", `{"hello": "panda"}`, page},
		{"nobody", "GET /page", "", "", notFound},
	} {
		t.Run(tt.name, func(t *testing.T) {
			method, path, _ := strings.Cut(tt.request, " ")
			got := askHost(t, s, tt.name+".example", method, path, tt.header, tt.body)
			for want := range strings.SplitSeq(tt.want, "|") {
				if !strings.Contains(got, want) {
					t.Errorf("%s of %s: the answer lacks %q:\n%s", tt.request, tt.name, want, got)
				}
			}
		})
	}
	s.mayFail = append(s.mayFail, "a handler failed")
	lines, _ := s.log.snapshot()
	var log strings.Builder
	for _, l := range lines {
		log.WriteString(l.text)
	}
	for _, want := range []string{`"msg":"hello world","handler":"log"`, `POST /page?a=b HTTP/1.1\n`, `HTTP/1.1 200\n`, `"handler":"wasi"`} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log lacks %s", want)
		}
	}
	if a := newPerson(s).get(t, "/home"); a.status != 200 {
		t.Errorf("the site's own start page: status %d", a.status)
	}
}

// TestWorkersKeepTheirHandlers spoils the operator's folder while the site
// runs, and kills its workers: those that take their place run the handlers
// with which the site was started.
func TestWorkersKeepTheirHandlers(t *testing.T) {
	t.Parallel()
	folder := publishedFolder(t)
	s := startSite(t, "LMS_WORKERS=2", "LMS_HANDLERS_DIR="+folder)
	if err := os.WriteFile(filepath.Join(folder, "router.wasm"), []byte("half of a"), 0o600); err != nil {
		t.Fatal(err)
	}
	for worker := range 2 {
		s.killWorker(worker)
	}
	if got := askHost(t, s, "router.example", "GET", "/page", "", ""); !strings.Contains(got, "body: hello world") {
		t.Errorf("after the workers were replaced:\n%s", got)
	}
	if status := s.terminate(); status != 0 {
		t.Errorf("exit status %d", status)
	}
	status, text, err := outcome([]string{"LMS_HANDLERS_DIR=" + folder, "LMS_PORT=0", "LMS_DATA_DIR=" + s.dir}, "serve")
	if err != nil || status != 1 || !strings.Contains(text, "router.wasm") {
		t.Errorf("a start with the spoilt folder: status %d, %v:\n%s", status, err, text)
	}
}

// askHost sends a request for a host name and shows the answer as text, its
// headers in small letters.
func askHost(t *testing.T, s *site, host, method, path, header, body string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, s.url(path), strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Host = host
	if name, value, ok := strings.Cut(header, ": "); ok {
		r.Header.Set(name, value)
	}
	a, err := newPerson(s).do(r)
	if err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf("status: %d", a.status) + "\nbody: " + a.body + "\n"
	for name, values := range a.header {
		text += strings.ToLower(name) + ": " + strings.Join(values, ", ") + "\n"
	}
	return text
}

// publishedFolder makes a folder of the published guests with a manifest for
// each, and of the handler behind them.
func publishedFolder(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	command(t, "tck", nil, "go", "run", ".", filepath.Join(folder, "tck.wasm"))
	module := strings.TrimSpace(command(t, "tck", nil, "go", "list", "-m", "-f", "{{.Dir}}", "github.com/http-wasm/http-wasm-host-go"))
	for name, guest := range published {
		if name != "tck" {
			copyFile(t, filepath.Join(module, "examples", name+".wasm"), filepath.Join(folder, name+".wasm"))
		}
		methods := guest.methods
		if methods == nil {
			methods = []string{"GET", "POST"}
		}
		var routes []map[string]string
		for _, method := range methods {
			routes = append(routes, map[string]string{"pattern": method + " " + name + ".example/{path...}"})
		}
		manifest, err := json.Marshal(map[string]any{
			"abi": 1, "name": name, "version": "0.7.0", "next": "echo", "routes": routes, "config": guest.config, "rights": guest.rights,
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, name+".json"), manifest, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	command(t, "testdata/echo", []string{"GOOS=wasip1", "GOARCH=wasm", "CGO_ENABLED=0"},
		"go", "build", "-buildmode=c-shared", "-o", filepath.Join(folder, "echo.wasm"), ".")
	copyFile(t, "testdata/echo/echo.json", filepath.Join(folder, "echo.json"))
	return folder
}

// copyFile copies a file.
func copyFile(t *testing.T, from, to string) {
	t.Helper()
	content, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// command runs a command in a folder and gives what it prints; its failure
// ends the test.
func command(t *testing.T, folder string, env []string, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = folder
	cmd.Env = append(append(os.Environ(), "GOFLAGS=", "GOWORK=off"), env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s in %s: %v\n%s", name, strings.Join(args, " "), folder, err, out)
	}
	return string(out)
}
