package session

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/lectern-lms/lectern/kv"
	"github.com/lectern-lms/lectern/kv/memory"
)

func TestConfigFaultsAreAllReported(t *testing.T) {
	t.Parallel()
	store := memory.New()
	defer store.Close()
	_, err := NewManager(store, Config{
		Keys: [][]byte{testKey, nil}, SameSite: http.SameSiteNoneMode, Idle: time.Second, Absolute: -1,
	})
	for _, want := range []string{"key 2 is empty", "idle time is 1s", "absolute time is -1ns", "SameSite=None"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in %v", want, err)
		}
	}
	if _, err := NewManager(store, Config{}); err == nil {
		t.Error("accepted without a key")
	}
	if _, err := NewManager(nil, Config{Keys: [][]byte{testKey}}); err == nil {
		t.Error("accepted without a store")
	}
}

func TestCookieAttributes(t *testing.T) {
	t.Parallel()
	cases := []struct {
		cfg  Config
		want string
	}{
		{Config{}, "session=VALUE; Path=/; HttpOnly; SameSite=Lax"},
		{Config{Secure: true}, "__Host-session=VALUE; Path=/; HttpOnly; Secure; SameSite=Lax"},
		{Config{Secure: true, SameSite: http.SameSiteNoneMode}, "__Host-session=VALUE; Path=/; HttpOnly; Secure; SameSite=None"},
		{Config{SameSite: http.SameSiteStrictMode}, "session=VALUE; Path=/; HttpOnly; SameSite=Strict"},
	}
	for _, c := range cases {
		b := newBench(t, c.cfg)
		s := b.load("")
		s.SignIn("ann", 0)
		cookie := b.save(s)
		if got := strings.Replace(cookie.String(), cookie.Value, "VALUE", 1); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
		if cookie.Name != b.CookieName() {
			t.Errorf("the cookie is %q, CookieName says %q", cookie.Name, b.CookieName())
		}
		s.SignOut()
		want := strings.Replace(strings.Replace(c.want, "VALUE", "", 1), "Path=/", "Path=/; Max-Age=0", 1)
		if got := b.save(s).String(); got != want {
			t.Errorf("cleared by %q, want %q", got, want)
		}
	}
}

func TestAnonymousVisitorsAreNotStored(t *testing.T) {
	t.Parallel()
	b := newBench(t, Config{})
	s := b.load("")
	s.Delete("a")
	if _, ok := s.Get("a"); ok || s.Exists() || s.ID() != "" || s.User() != "" {
		t.Errorf("a fresh session is %+v", s)
	}
	if c := b.save(s); c != nil || len(b.keys()) > 0 {
		t.Errorf("cookie %v, stored %q", c, b.keys())
	}
	b.set(s, "lang", "es")
	if c := b.save(s); c == nil || !s.Exists() || len(b.keys()) != 1 {
		t.Errorf("after Set: cookie %v, stored %q", c, b.keys())
	}
}

func TestForeignIDsAreNeverAdopted(t *testing.T) {
	t.Parallel()
	b := newBench(t, Config{})
	other := newBench(t, Config{Keys: [][]byte{oldKey}})
	cases := map[string]string{
		"unknown id, genuine signature": b.session.sign(newID(), 1),
		"another site's":                other.start("lang", "es"),
		"forged":                        strings.Repeat("A", tokenLength),
		"malformed":                     "PHPSESSID",
	}
	for name, cookie := range cases {
		s := b.load(cookie)
		if s.Exists() {
			t.Errorf("%s: exists", name)
		}
		b.set(s, "lang", "en")
		got := b.save(s)
		if got == nil || got.Value == cookie {
			t.Errorf("%s: cookie %v", name, got)
		}
		tok, _ := b.Verify(cookie)
		if tok.ID() != "" && tok.ID() == s.ID() {
			t.Errorf("%s: the visitor's id was adopted", name)
		}
	}
	if n := strings.Count(b.log.String(), "refused"); n != len(cases) {
		t.Errorf("%d refusals logged, want %d:\n%s", n, len(cases), b.log)
	}
}

func TestForgedCookiesCostNoStoreAccess(t *testing.T) {
	t.Parallel()
	b := newBench(t, Config{})
	b.store.getErr = errors.New("must not be asked")
	for _, cookie := range []string{"", "x", strings.Repeat("A", tokenLength), strings.Repeat("A", 1<<20)} {
		b.load(cookie)
	}
	if b.store.gets != 0 {
		t.Errorf("asked %d times", b.store.gets)
	}
}

func TestUnreadableRecordIsNoSessionAndStays(t *testing.T) {
	t.Parallel()
	b := newBench(t, Config{})
	good := sample().encode()
	for name, value := range map[string][]byte{"newer version": append([]byte{9}, good[1:]...), "garbage": []byte("{}"), "empty": {}} {
		id := newID()
		key := recordKey(id.hash())
		if _, err := b.store.Commit(t.Context(), nil, []kv.Write{kv.Put(key, value)}); err != nil {
			t.Fatal(err)
		}
		cookie := b.session.sign(id, 1)
		b.wantDead(cookie)
		s := b.load(cookie)
		b.set(s, "lang", "es")
		b.save(s)
		if e, err := b.store.Get(t.Context(), key); err != nil || string(e.Value) != string(value) {
			t.Errorf("%s: the record became %q, %v", name, e.Value, err)
		}
	}
	if !strings.Contains(b.log.String(), "level=WARN") {
		t.Errorf("no warning in the log:\n%s", b.log)
	}
}

func TestStoreFailureIsNeverAnonymous(t *testing.T) {
	t.Parallel()
	b := newBench(t, Config{})
	cookie := b.signedIn("ann")
	for _, cause := range []error{kv.ErrUnavailable, kv.ErrClosed, errors.New("surprise")} {
		b.store.getErr = cause
		if s, err := b.Load(t.Context(), b.jar(cookie)); s != nil || !errors.Is(err, kv.ErrUnavailable) || !errors.Is(err, cause) {
			t.Errorf("%v: session %v, error %v", cause, s, err)
		}
	}
	b.store.getErr = nil
	changed, out := b.load(cookie), b.load(cookie)
	b.set(changed, "a", "1")
	out.SignOut()
	in := b.load("")
	in.SignIn("bob", 0)
	b.store.commitErr = kv.ErrUnavailable
	for name, s := range map[string]*Session{"change": changed, "sign-out": out, "sign-in": in} {
		if c, err := b.Save(t.Context(), s); c != nil || !errors.Is(err, kv.ErrUnavailable) {
			t.Errorf("%s: cookie %v, error %v", name, c, err)
		}
	}
	b.store.commitErr = nil
	if c := b.save(out); c == nil || c.MaxAge >= 0 {
		t.Errorf("a second sign-out gives cookie %v", c)
	}
	b.wantDead(cookie)
}

func TestStoreThatWentBackIsNoticed(t *testing.T) {
	t.Parallel()
	b := newBench(t, Config{})
	s := b.load(b.signedIn("ann"))
	ahead := b.session.sign(s.id, s.rev+1000)
	s = b.load(ahead)
	if s.User() != "ann" {
		t.Errorf("user %q", s.User())
	}
	c := b.save(s)
	if c == nil || !strings.Contains(b.log.String(), "restored") {
		t.Fatalf("cookie %v, log:\n%s", c, b.log)
	}
	if tok, ok := b.Verify(c.Value); !ok || tok.Revision != s.rev {
		t.Errorf("the new cookie says revision %d, the record is %d", tok.Revision, s.rev)
	}
}

func TestNothingSecretIsStoredOrLogged(t *testing.T) {
	t.Parallel()
	b := newBench(t, Config{})
	s := b.load(b.start("lang", "es"))
	first := s.id
	s.SignIn("user-of-the-test", 0)
	cookie := b.save(s).Value
	b.set(s, "note", "value-of-the-test")
	b.save(s)
	secrets := []string{cookie, string(first[:]), string(s.id[:]), tokenEncoding.EncodeToString(s.id[:])}
	public := s.ID()
	page, err := b.store.Scan(t.Context(), kv.Range{})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range page.Entries {
		for _, secret := range secrets {
			if strings.Contains(e.Key+string(e.Value), secret) {
				t.Errorf("%q holds the id or the cookie", e.Key)
			}
		}
	}
	s.SignOut()
	b.save(s)
	b.load(cookie)
	for _, secret := range append(secrets, public, "user-of-the-test", "value-of-the-test", string(testKey)) {
		if strings.Contains(b.log.String(), secret) {
			t.Errorf("the log holds %q:\n%s", secret, b.log)
		}
	}
	for _, event := range []string{"created", "signed in", "signed out", "refused"} {
		if !strings.Contains(b.log.String(), event) {
			t.Errorf("the log does not say %q:\n%s", event, b.log)
		}
	}
}
