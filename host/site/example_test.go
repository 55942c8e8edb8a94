package site_test

import (
	"context"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/lectern-lms/lectern/guest/abi"
	"github.com/lectern-lms/lectern/host/site"
	"github.com/lectern-lms/lectern/kv"
)

// exampleC is the folder of the handler in C.
const exampleC = "../../guest/examples/c"

// compileC compiles the example as its first comment says.
func compileC(t *testing.T) []byte {
	t.Helper()
	for _, tool := range []string{"clang", "wasm-ld"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Fatalf("the handler in C needs clang and lld with the target wasm32, as Debian's packages of these names are: %v", err)
		}
	}
	out := filepath.Join(t.TempDir(), "hello.wasm")
	cmd := exec.Command("clang", "--target=wasm32", "-std=c11", "-O2", "-Wall", "-Wextra", "-Werror", "-ffreestanding", "-nostdlib",
		"-Wl,--no-entry", "-o", out, "hello.c")
	cmd.Dir = exampleC
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("the example does not compile: %v\n%s", err, text)
	}
	module, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return module
}

// TestHandlerInC serves pages of a handler that no Go is in: it reads its
// route, a record and a header, and one request knows nothing of another.
func TestHandlerInC(t *testing.T) {
	t.Parallel()
	o := options(t, map[string][]byte{"hello-c": compileC(t)})
	mottos := map[string]string{"monday": "Begin <b>small</b> & \"early\".", "long": strings.Repeat("abc ", 5000)}
	for name, text := range mottos {
		if _, err := o.Stores.Records.Commit(t.Context(), nil, []kv.Write{kv.Put("motto/"+name, []byte(text))}); err != nil {
			t.Fatal(err)
		}
	}
	s, err := site.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(context.Background()); err != nil {
			t.Error(err)
		}
	}()
	tests := []struct {
		path, agent string
		status      int
		body        string
	}{
		{"/motto/monday", "curl/8", 200, "<h1>monday</h1>\n<p>Begin &lt;b&gt;small&lt;/b&gt; &amp; &quot;early&quot;.</p>\n<p>Hello, curl/8</p>\n"},
		{"/motto/long", "", 200, "<h1>long</h1>\n<p>" + mottos["long"] + "</p>\n"},
		{"/motto/none", "it's", 404, "<h1>none</h1>\n<p>Nobody has written it yet.</p>\n<p>Hello, it&#39;s</p>\n"},
		{"/motto/%3Ci%3E", "", 404, "<h1>&lt;i&gt;</h1>\n<p>Nobody has written it yet.</p>\n"},
		{"/motto/a%2F%2Fb", "", 400, "<p>This is the name of no motto.</p>\n"},
		{"/motto/monday", strings.Repeat("x", 2000), 200, "early&quot;.</p>\n"}, // a header longer than its buffer
	}
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			for range 25 {
				for _, tt := range tests {
					r := httptest.NewRequest(http.MethodGet, tt.path, nil)
					r.Header.Set("User-Agent", tt.agent)
					w := httptest.NewRecorder()
					s.Handler().ServeHTTP(w, r)
					body := w.Body.String()
					if w.Code != tt.status || !strings.HasSuffix(body, tt.body) || w.Header().Get("Content-Type") != "text/html; charset=utf-8" {
						t.Errorf("%s: status %d, %s: %.300s", tt.path, w.Code, w.Header().Get("Content-Type"), body)
						return
					}
				}
			}
		})
	}
	wait.Wait()
}

// TestHeaderForC compares the numbers in lectern.h with the contract.
func TestHeaderForC(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(exampleC + "/lectern.h")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]uint32{
		"OP_ANSWER": uint32(abi.OpAnswer), "OP_ROUTE": uint32(abi.OpRoute), "OP_REQUEST_ID": uint32(abi.OpRequestID),
		"OP_SIGNED_IN": uint32(abi.OpSignedIn), "OP_ROLE": uint32(abi.OpRole), "OP_USER": uint32(abi.OpUser),
		"OP_SETTING": uint32(abi.OpSetting), "OP_LANGUAGE": uint32(abi.OpLanguage), "OP_SESSION_GET": uint32(abi.OpSessionGet),
		"OP_SESSION_SET": uint32(abi.OpSessionSet), "OP_SESSION_DELETE": uint32(abi.OpSessionDelete), "OP_GET": uint32(abi.OpGet),
		"OP_SCAN": uint32(abi.OpScan), "OP_PUT": uint32(abi.OpPut), "OP_DELETE": uint32(abi.OpDelete), "OP_NOW": uint32(abi.OpNow),
		"OP_RANDOM": uint32(abi.OpRandom), "OP_SIGN_IN": uint32(abi.OpSignIn), "OP_SIGN_UP": uint32(abi.OpSignUp),
		"OP_SIGN_OUT": uint32(abi.OpSignOut), "OP_CREATE_ACCOUNT": uint32(abi.OpCreateAccount), "OP_NOTIFY": uint32(abi.OpNotify),
		"OP_NOTICES": uint32(abi.OpNotices), "OP_ABANDON": uint32(abi.OpAbandon),
		"OK": uint32(abi.StatusOK), "INVALID": uint32(abi.StatusInvalid), "DENIED": uint32(abi.StatusDenied),
		"READ_ONLY": uint32(abi.StatusReadOnly), "TOO_LARGE": uint32(abi.StatusTooLarge), "UNAVAILABLE": uint32(abi.StatusUnavailable),
		"UNKNOWN": uint32(abi.StatusUnknown),
	}
	got := map[string]uint32{}
	for _, m := range regexp.MustCompile(`(?m)^\tLECTERN_([A-Z_]+) = (\d+),$`).FindAllStringSubmatch(string(text), -1) {
		n, err := strconv.ParseUint(m[2], 10, 32)
		if err != nil {
			t.Fatal(err)
		}
		got[m[1]] = uint32(n)
	}
	if !maps.Equal(got, want) {
		t.Errorf("lectern.h has %v\nthe contract %v", got, want)
	}
}
