package transaction

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/lectern-lms/lectern/guest/abi"
	"github.com/lectern-lms/lectern/guest/abi/abitest"
	"github.com/lectern-lms/lectern/kv/session"
)

// shown are the facts as people see them.
func shown(facts []Fact) []string {
	var list []string
	for _, f := range facts {
		list = append(list, f.String())
	}
	return list
}

// TestFacts asks everything twice and finds each answer once, in order.
func TestFacts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.put("read/a", "1", "read/b", "2")
	a, err := w.Records.Get(t.Context(), "read/b")
	if err != nil {
		t.Fatal(err)
	}
	scope := w.scope()
	scope.Cookies, scope.Safe, scope.AcceptLanguage = w.signedIn(), true, "es"
	tx := w.Begin(scope)
	for range 2 {
		must(t, tx, abi.OpLanguage, abi.Writer{}.Strings([]string{"en", "es"}))
		must(t, tx, abi.OpGet, text("read/b"))
		must(t, tx, abi.OpGet, text("read/none"))
		must(t, tx, abi.OpScan, scan("read/", 0))
		must(t, tx, abi.OpSetting, text(abi.SettingSiteName))
		must(t, tx, abi.OpSignedIn, nil)
		must(t, tx, abi.OpRole, nil)
		must(t, tx, abi.OpUser, nil)
		must(t, tx, abi.OpSessionGet, text("lang"))
		must(t, tx, abi.OpNotices, nil)
		must(t, tx, abi.OpNow, nil)
		must(t, tx, abi.OpRandom, abi.Writer{}.Uint(8))
		must(t, tx, abi.OpRequestID, nil)
	}
	must(t, tx, abi.OpRoute, nil)
	tx.Call(t.Context(), abi.OpGet, text("other/c"))
	want := []string{
		`language en es: "es"`, fmt.Sprintf("record read/b: revision %d", a.Revision), "record read/none: absent",
		fmt.Sprintf("prefix read/: revision %d", a.Revision), `setting site.name: "Suite"`, "signed-in: true", `role: "` + abitest.Ada.Role + `"`,
		"user: present", "session lang: absent", "notices: 0", "time", "random", "request-id",
	}
	if got := shown(tx.Facts()); !slices.Equal(got, want) {
		t.Errorf("facts\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if len(tx.Effects()) != 0 {
		t.Errorf("effects of a reader: %v", tx.Effects())
	}
}

// TestFactsCanBeAskedAgain is what a cache will do: a later request asks the
// same and compares. What differs must show, and what is fleeting has nothing
// to compare.
func TestFactsCanBeAskedAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.put("read/a", "1")
	cookie := w.signedIn()
	ask := func(cookie session.Cookies, languages string) []Fact {
		scope := w.scope()
		scope.Safe, scope.Cookies, scope.AcceptLanguage = true, cookie, languages
		tx := w.Begin(scope)
		must(t, tx, abi.OpGet, text("read/a"))
		must(t, tx, abi.OpScan, scan("read/", 0))
		must(t, tx, abi.OpLanguage, abi.Writer{}.Strings([]string{"en", "es"}))
		for _, op := range []abi.Op{abi.OpSignedIn, abi.OpRole, abi.OpUser, abi.OpNow, abi.OpRequestID} {
			must(t, tx, op, nil)
		}
		must(t, tx, abi.OpRandom, abi.Writer{}.Uint(8))
		return tx.Facts()
	}
	first := ask(cookie, "es-MX, en;q=0.5")
	if again := ask(cookie, "es"); !slices.Equal(first, again) {
		t.Errorf("nothing has changed, but\n%v\nbecame\n%v", first, again)
	}
	differ := func(a, b []Fact) (kinds []FactKind) {
		for i := range a {
			if a[i] != b[i] {
				kinds = append(kinds, a[i].Kind)
			}
		}
		return kinds
	}
	if got := differ(first, ask(noCookies, "en")); !slices.Equal(got, []FactKind{FactLanguage, FactSignedIn, FactRole, FactUser}) {
		t.Errorf("a visitor's facts differ in %v", got)
	}
	w.put("read/a", "2")
	if got := differ(first, ask(cookie, "es")); !slices.Equal(got, []FactKind{FactRecord, FactPrefix}) {
		t.Errorf("after a change the facts differ in %v", got)
	}
	for _, f := range first {
		if f.Kind.Fleeting() && f.Answer != "" {
			t.Errorf("%s keeps an answer that never comes again", f.Kind)
		}
	}
}

// TestOwnChangesAreNoFacts writes first and reads what it wrote.
func TestOwnChangesAreNoFacts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tx := w.Begin(w.scope())
	must(t, tx, abi.OpPut, text("write/a", "x").Uint(0))
	must(t, tx, abi.OpGet, text("write/a"))
	must(t, tx, abi.OpSessionSet, text("lang", "es"))
	must(t, tx, abi.OpSessionGet, text("lang"))
	must(t, tx, abi.OpSessionDelete, text("gone"))
	must(t, tx, abi.OpSessionGet, text("gone"))
	must(t, tx, abi.OpSignIn, text("l", "p"))
	must(t, tx, abi.OpSignedIn, nil)
	must(t, tx, abi.OpUser, nil)
	if got := shown(tx.Facts()); !slices.Equal(got, []string{"account"}) {
		t.Errorf("facts %q", got)
	}
}

// TestFactsHoldNothingToShow prints and logs what is personal.
func TestFactsHoldNothingToShow(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tx := w.Begin(w.scope())
	must(t, tx, abi.OpSignIn, text("l", "p"))
	must(t, tx, abi.OpSessionSet, text("word", "confidential"))
	must(t, tx, abi.OpNotify, text("confidential"))
	scope := w.scope()
	scope.Cookies = w.commit(tx)
	tx = w.Begin(scope)
	must(t, tx, abi.OpUser, nil)
	must(t, tx, abi.OpSessionGet, text("word"))
	must(t, tx, abi.OpNotices, nil)
	w.log.Reset()
	for _, f := range tx.Facts() {
		w.Logger.Info("seen", "fact", f)
	}
	if !strings.Contains(w.log.String(), "session word: present") {
		t.Errorf("the log lacks the fact: %s", w.log.String())
	}
	for _, secret := range []string{"confidential", abitest.Ada.Email, abitest.Ada.ID} {
		if text := w.log.String() + strings.Join(shown(tx.Facts()), "\n"); strings.Contains(text, secret) {
			t.Errorf("shown: %q in %s", secret, text)
		}
	}
}

// TestEffects lists what a request wants: records by key, the rest in order.
func TestEffects(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.put("write/b", "1")
	tx := w.Begin(w.scope())
	must(t, tx, abi.OpSessionSet, text("lang", "es"))
	must(t, tx, abi.OpSignOut, nil)
	must(t, tx, abi.OpNotify, text("one"))
	must(t, tx, abi.OpNotify, text("two"))
	must(t, tx, abi.OpSessionSet, text("n", "1"))
	must(t, tx, abi.OpSessionDelete, text("n"))
	must(t, tx, abi.OpSignIn, text("l", "p"))
	must(t, tx, abi.OpPut, text("write/z", "four").Uint(0))
	must(t, tx, abi.OpDelete, text("write/b"))
	want := []Effect{
		{EffectDelete, "write/b", 0}, {EffectPut, "write/z", 4}, {EffectNotify, "", 0},
		{EffectSessionDelete, "n", 0}, {EffectSignIn, "", 0},
	}
	if got := tx.Effects(); !slices.Equal(got, want) {
		t.Errorf("effects\n%v\nwant\n%v", got, want)
	}
	must(t, tx, abi.OpAbandon, nil)
	if got := tx.Effects(); len(got) != 0 {
		t.Errorf("effects of an abandoned request: %v", got)
	}
}

// TestAdmit lets in whom a route requires, and notes no more than it asked.
func TestAdmit(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ada := w.signedIn()
	for _, tt := range []struct {
		cookie  session.Cookies
		require string
		want    bool
		facts   []string
	}{
		{noCookies, abi.RequireNobody, true, nil}, {ada, abi.RequireNobody, true, nil},
		{noCookies, abi.RequireSignedIn, false, []string{"signed-in: false"}}, {ada, abi.RequireSignedIn, true, []string{"signed-in: true"}},
		{noCookies, "teacher", false, []string{"signed-in: false"}}, {ada, abitest.Ada.Role, true, []string{`role: "` + abitest.Ada.Role + `"`}},
		{ada, "other", false, []string{`role: "` + abitest.Ada.Role + `"`}},
	} {
		scope := w.scope()
		scope.Cookies = tt.cookie
		tx := w.Begin(scope)
		account, admitted, err := tx.Admit(t.Context(), tt.require)
		if err != nil || admitted != tt.want || (account != nil) != (tt.cookie != noCookies && tt.require != "") {
			t.Errorf("%+v: account %v, admitted %v, %v", tt, account != nil, admitted, err)
		}
		if got := shown(tx.Facts()); !slices.Equal(got, tt.facts) {
			t.Errorf("%+v: facts %q", tt, got)
		}
		if tx.Personal() != (tt.facts != nil) {
			t.Errorf("%+v: personal %v", tt, tx.Personal())
		}
	}
	if err := w.Accounts.SetRole(t.Context(), abitest.Ada.ID, abi.RoleAdmin); err != nil {
		t.Fatal(err)
	}
	scope := w.scope()
	scope.Cookies = w.signedIn() // the new role has ended the session of before
	if _, admitted, err := w.Begin(scope).Admit(t.Context(), "teacher"); err != nil || !admitted {
		t.Errorf("an administrator: %v, %v", admitted, err)
	}
}
