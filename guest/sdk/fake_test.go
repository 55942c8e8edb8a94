package sdk_test

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/lectern-lms/lectern/guest/abi"
	"github.com/lectern-lms/lectern/guest/sdk"
)

// ada is an account of the Fakes below.
var ada = sdk.FakeAccount{User: sdk.User{ID: "u1", Login: "ada", Email: "ada@example.org"}, Password: "correct horse", Role: "student"}

// manifest allows most of the routes of this package's tests.
func manifest() *abi.Manifest {
	return &abi.Manifest{
		Routes: []abi.Route{
			{Pattern: "POST /write/{how}", Require: abi.RequireSignedIn}, {Pattern: "GET /admin", Require: "teacher"},
			{Pattern: "POST /in"}, {Pattern: "POST /form"}, {Pattern: "GET /who"}, {Pattern: "POST /out"},
		},
		Write: []string{"a/"}, Secrets: []string{"password", "a"}, Rights: []string{abi.RightSignIn},
	}
}

// TestFakeEnforcesTheManifest asks for routes as different people.
func TestFakeEnforcesTheManifest(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, method, uri, user, role string
		want                          int
	}{
		{"route that is not in it", "GET", "/page", "u1", "admin", 404},
		{"visitor", "POST", "/write/well", "", "", 303},
		{"anybody signed in", "POST", "/write/well", "u1", "student", 202},
		{"visitor of a role's route", "GET", "/admin", "", "", 303},
		{"wrong role", "GET", "/admin", "u1", "student", 403},
		{"right role", "GET", "/admin", "u1", "teacher", 200},
		{"administrator", "GET", "/admin", "u1", "admin", 200},
		{"error route", "ERROR", "/404", "u1", "admin", 404},
	}
	for _, tt := range tests {
		f := sdk.NewFake()
		f.Manifest, f.User.ID, f.Role = manifest(), tt.user, tt.role
		if a := f.Serve(tt.method, tt.uri, nil); a.Status != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, a.Status, tt.want)
		}
	}
	f := sdk.NewFake()
	f.Manifest, f.User.ID = manifest(), "u1"
	f.Manifest.Write = []string{"b/"}
	if a := f.Serve("POST", "/write/well", nil); a.Status != 500 || len(f.Records) != 0 || !strings.Contains(a.Log[0], "manifest") {
		t.Errorf("a write beside the manifest: %d %v %q", a.Status, f.Records, a.Log)
	}
}

// TestFakeHidesSecrets posts a password: the handler sees none, sign-in does.
func TestFakeHidesSecrets(t *testing.T) {
	t.Parallel()
	f := sdk.NewFake()
	f.Manifest, f.Accounts = manifest(), []sdk.FakeAccount{ada}
	if a := f.Serve("POST", "/form", url.Values{"a": {"secret"}, "b": {"x"}}); a.Body != `"" true true 6` {
		t.Errorf("the handler was shown %s", a.Body)
	}
	if a := f.Serve("POST", "/in", url.Values{"login": {"ada"}, "password": {ada.Password}}); a.Body != "0" {
		t.Errorf("sign-in gave outcome %s", a.Body)
	}
	if a := f.ServeBody("POST", "/in", "application/json", `{"password":"secret"}`); a.Status != 415 {
		t.Errorf("secrets that are no form: %d, want 415", a.Status)
	}
	if a := f.ServeBody("POST", "/in", "application/x-www-form-urlencoded", "%zz"); a.Status != 400 {
		t.Errorf("secrets in a broken form: %d, want 400", a.Status)
	}
}

// TestFakeIsASite signs up, in and out over several requests.
func TestFakeIsASite(t *testing.T) {
	t.Parallel()
	f := sdk.NewFake()
	is := func(want string) {
		t.Helper()
		if a := f.Serve("GET", "/who", nil); a.Body != want {
			t.Errorf("who: %s, want %s", a.Body, want)
		}
	}
	is(`false     "" []`)
	f.Serve("POST", "/session", url.Values{"name": {"lang"}, "value": {"es"}})
	a := f.Serve("POST", "/up", url.Values{"login": {"bob"}, "email": {"b@example.org"}, "password": {"long enough"}})
	id := a.Header.Get("Id")
	is(fmt.Sprintf(`true %s bob b@example.org student "es" []`, id))
	f.Serve("POST", "/write/well", nil)
	is(fmt.Sprintf(`true %s bob b@example.org student "es" ["done"]`, id))
	is(fmt.Sprintf(`true %s bob b@example.org student "es" []`, id))
	f.Serve("POST", "/session", url.Values{"name": {"lang"}})
	is(fmt.Sprintf(`true %s bob b@example.org student "" []`, id))
	f.Serve("POST", "/out", nil)
	is(`false     "" []`)
	if a := f.Serve("POST", "/in", url.Values{"login": {"b@example.org"}, "password": {"long enough"}}); a.Body != "0" {
		t.Errorf("the new account cannot sign in: outcome %s", a.Body)
	}
}

// TestFakeAnswersEveryOutcome forces the finer rules of the host.
func TestFakeAnswersEveryOutcome(t *testing.T) {
	t.Parallel()
	for outcome := abi.OutcomeWrong; outcome <= abi.OutcomeThrottled; outcome++ {
		f := sdk.NewFake()
		f.Outcome, f.Accounts = outcome, []sdk.FakeAccount{ada}
		form := url.Values{"login": {"ada"}, "password": {ada.Password}}
		for _, path := range []string{"/in", "/up"} {
			if a := f.Serve("POST", path, form); a.Body != strconv.Itoa(int(outcome)) || f.User.ID != "" || len(f.Accounts) != 1 {
				t.Errorf("%s: outcome %s, want %d", path, a.Body, outcome)
			}
		}
	}
	f := sdk.NewFake()
	f.Accounts = []sdk.FakeAccount{ada}
	f.Accounts[0].Inactive = true
	if a := f.Serve("POST", "/in", url.Values{"login": {"ada"}, "password": {ada.Password}}); a.Body != strconv.Itoa(int(abi.OutcomeInactive)) {
		t.Errorf("an inactive account: outcome %s", a.Body)
	}
	f.Setup = true
	if a := f.Serve("POST", "/setup", nil); a.Body != "0" || len(f.Accounts) != 2 || f.User.ID != "" {
		t.Errorf("setup: outcome %s, accounts %d", a.Body, len(f.Accounts))
	}
}

// TestFakeForgetsWhoWasHere signs one person in over another's session.
func TestFakeForgetsWhoWasHere(t *testing.T) {
	t.Parallel()
	f := sdk.NewFake()
	f.Accounts = []sdk.FakeAccount{ada, {User: sdk.User{ID: "u2", Login: "bob"}, Password: "correct horse"}}
	f.SignIn("ada").Session["lang"] = "es"
	f.Serve("POST", "/in", url.Values{"login": {"bob"}, "password": {"correct horse"}})
	if f.User.Login != "bob" || len(f.Session) != 0 {
		t.Errorf("%s has the session %v", f.User.Login, f.Session)
	}
	defer func() {
		if recover() == nil {
			t.Error("SignIn of an account that does not exist goes unnoticed")
		}
	}()
	f.SignIn("nobody")
}

// TestFakeServesErrorPages asks for one as the host does.
func TestFakeServesErrorPages(t *testing.T) {
	t.Parallel()
	if a := sdk.NewFake().ServeError(404); a.Status != 404 || a.Body != "sorry: 404 "+sdk.FakeRequestID {
		t.Errorf("%d %q", a.Status, a.Body)
	}
}

// TestFakeCleansPaths redirects as the host's router does.
func TestFakeCleansPaths(t *testing.T) {
	t.Parallel()
	if a := sdk.NewFake().Serve("GET", "/echo//x/../y", nil); a.Status/100 != 3 || a.Header.Get("Location") != "/echo/y" || a.ErrorPage {
		t.Errorf("%d %v", a.Status, a.Header)
	}
}

// TestHandlersNeedAHost calls without a Fake: the panic says what to do.
func TestHandlersNeedAHost(t *testing.T) {
	t.Parallel()
	defer func() {
		if p := fmt.Sprint(recover()); !strings.Contains(p, "Fake") {
			t.Errorf("the panic is %s", p)
		}
	}()
	sdk.NoHost()
}
