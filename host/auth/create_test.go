package auth

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/oklog/ulid/v2"

	"github.com/lectern-lms/lectern/kv"
)

func TestCreateFillsTheAccount(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	id := ulid.Make().String()
	acc := b.create(NewAccount{Login: " Ünal_7 ", Email: "Unal@Example.ORG", Role: "moderator", ID: id, Inactive: true})
	if acc.ID != id || acc.Login != "ünal_7" || acc.Email != "unal@example.org" || acc.Role != "moderator" || acc.Active || acc.Created.IsZero() {
		t.Errorf("got %+v", acc)
	}
	mail := b.create(NewAccount{Login: "Eva@Example.org"})
	if !validID(mail.ID) || mail.Login != "eva@example.org" || mail.Email != mail.Login || !mail.Active {
		t.Errorf("got %+v", mail)
	}
}

func TestDemoAccountNeedsAllowWeak(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	n := NewAccount{Login: "lms-admin", Password: "lms-admin", Role: "admin"}
	if _, err := b.Create(t.Context(), n); !errors.Is(err, ErrPasswordName) {
		t.Errorf("without AllowWeak: %v", err)
	}
	n.AllowWeak = true
	acc := b.create(n)
	if got, err := b.Check(t.Context(), "lms-admin", "lms-admin"); err != nil || got != acc {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestCreateRefuses(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	taken := b.create(NewAccount{Login: "ann", Email: "ann@example.org"})
	b.create(NewAccount{Login: "eva@example.org"})
	cases := []struct {
		name string
		n    NewAccount
		want error
	}{
		{"no login", NewAccount{}, ErrInvalidLogin},
		{"blank login", NewAccount{Login: "   "}, ErrInvalidLogin},
		{"long login", NewAccount{Login: strings.Repeat("ä", maxLogin+1)}, ErrInvalidLogin},
		{"login that grows", NewAccount{Login: strings.Repeat("ﷺ", 20)}, ErrInvalidLogin},
		{"space in login", NewAccount{Login: "ann lee"}, ErrInvalidLogin},
		{"slash in login", NewAccount{Login: "a/b"}, ErrInvalidLogin},
		{"control in login", NewAccount{Login: "ann\x00"}, ErrInvalidLogin},
		{"invisible in login", NewAccount{Login: "ann\u200b"}, ErrInvalidLogin},
		{"login not UTF-8", NewAccount{Login: "\xff"}, ErrInvalidLogin},
		{"login half an address", NewAccount{Login: "ann@"}, ErrInvalidLogin},
		{"another's address as login", NewAccount{Login: "ann@example.org", Email: "eve@example.org"}, ErrInvalidLogin},
		{"the same in full width", NewAccount{Login: "ann＠example.org", Email: "eve@example.org"}, ErrInvalidLogin},
		{"no address", NewAccount{Login: "new", Email: "nonsense"}, ErrInvalidEmail},
		{"named address", NewAccount{Login: "new", Email: "Ann <a@example.org>"}, ErrInvalidEmail},
		{"two addresses", NewAccount{Login: "new", Email: "a@example.org,b@example.org"}, ErrInvalidEmail},
		{"header in address", NewAccount{Login: "new", Email: "a@example.org\r\nBcc: b@example.org"}, ErrInvalidEmail},
		{"quoted address", NewAccount{Login: "new", Email: `"a b"@example.org`}, ErrInvalidEmail},
		{"address literal", NewAccount{Login: "new", Email: "a@[127.0.0.1]"}, ErrInvalidEmail},
		{"long local part", NewAccount{Login: "new", Email: strings.Repeat("a", 65) + "@example.org"}, ErrInvalidEmail},
		{"long address", NewAccount{Login: "new", Email: "a@" + strings.Repeat("a", 250) + ".org"}, ErrInvalidEmail},
		{"no role", NewAccount{Login: "new", Role: " "}, ErrInvalidRole},
		{"odd role", NewAccount{Login: "new", Role: "Admin\n"}, ErrInvalidRole},
		{"bad id", NewAccount{Login: "new", ID: "7"}, ErrInvalidID},
		{"nobody's id", NewAccount{Login: "new", ID: nobody}, ErrInvalidID},
		{"short password", NewAccount{Login: "new", Password: "1234567"}, ErrPasswordShort},
		{"short in characters", NewAccount{Login: "new", Password: "äöüäöüä"}, ErrPasswordShort},
		{"short though weak is allowed", NewAccount{Login: "new", Password: "1234567", AllowWeak: true}, ErrPasswordShort},
		{"long password", NewAccount{Login: "new", Password: strings.Repeat("x", MaxPassword+1)}, ErrPasswordLong},
		{"common password", NewAccount{Login: "new", Password: "PassWord1"}, ErrPasswordCommon},
		{"password is login", NewAccount{Login: "new.person", Password: "New.Person"}, ErrPasswordName},
		{"password is e-mail", NewAccount{Login: "new", Email: "new@example.org", Password: "new@example.org"}, ErrPasswordName},
		{"password is half of it", NewAccount{Login: "new", Email: "new.person@example.org", Password: "new.person"}, ErrPasswordName},
		{"login taken", NewAccount{Login: "ANN"}, ErrLoginTaken},
		{"e-mail taken", NewAccount{Login: "new", Email: "ANN@example.org"}, ErrEmailTaken},
		{"e-mail is a login", NewAccount{Login: "new", Email: "eva@example.org"}, ErrEmailTaken},
		{"e-mail as login taken", NewAccount{Login: "ann@example.org"}, ErrEmailTaken},
		{"id taken", NewAccount{Login: "new", ID: taken.ID}, ErrIDTaken},
	}
	for _, c := range cases {
		c.n.Password = cmpOr(c.n.Password, goodPassword)
		c.n.Role = cmpOr(c.n.Role, "student")
		hashes := b.hashes.Load()
		acc, err := b.Create(t.Context(), c.n)
		if !errors.Is(err, c.want) || acc != (Account{}) {
			t.Errorf("%s: %+v, %v; want %v", c.name, acc, err, c.want)
		}
		if b.hashes.Load() != hashes {
			t.Errorf("%s: the password was hashed all the same", c.name)
		}
		if err != nil && strings.Contains(err.Error(), c.n.Password) {
			t.Errorf("%s: the error quotes the password: %v", c.name, err)
		}
	}
	page, err := b.store.Scan(t.Context(), kv.Range{})
	if err != nil || len(page.Entries) != 6 {
		t.Errorf("%d keys are stored, %v; want the 6 of the first two accounts", len(page.Entries), err)
	}
}

// cmpOr returns s unless it is empty.
func cmpOr(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

func TestErrorsWrapTheirKind(t *testing.T) {
	t.Parallel()
	for err, kind := range map[error]error{
		ErrLoginTaken: ErrTaken, ErrEmailTaken: ErrTaken, ErrIDTaken: ErrTaken,
		ErrPasswordShort: ErrWeak, ErrPasswordLong: ErrWeak, ErrPasswordCommon: ErrWeak, ErrPasswordName: ErrWeak,
	} {
		if !errors.Is(err, kind) {
			t.Errorf("%v is no %v", err, kind)
		}
	}
}

func TestConcurrentCreationsOfOneName(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		account func(i int) NewAccount
		want    error
	}{
		"login": {func(i int) NewAccount {
			return NewAccount{Login: "ann", Email: fmt.Sprintf("ann%d@example.org", i)}
		}, ErrLoginTaken},
		"e-mail": {func(i int) NewAccount {
			return NewAccount{Login: fmt.Sprintf("ann%d", i), Email: "ann@example.org"}
		}, ErrEmailTaken},
	}
	for name, c := range cases {
		b := newBench(t)
		var won atomic.Int64
		var wg sync.WaitGroup
		for i := range 16 {
			n := c.account(i)
			n.Password, n.Role = goodPassword, "student"
			wg.Go(func() {
				switch _, err := b.Create(t.Context(), n); {
				case err == nil:
					won.Add(1)
				case !errors.Is(err, c.want):
					t.Errorf("%s: %v", name, err)
				}
			})
		}
		wg.Wait()
		page, err := b.store.Scan(t.Context(), kv.Range{Prefix: Prefix})
		if won.Load() != 1 || err != nil || len(page.Entries) != 3 {
			t.Errorf("%s: %d creations won and %d keys are stored, want 1 and 3", name, won.Load(), len(page.Entries))
		}
	}
}

func TestPrepareJoinsAnotherCommit(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	n := NewAccount{Login: "ann", Password: goodPassword, Role: "student"}
	acc, checks, writes, err := b.Prepare(t.Context(), n)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Get(t.Context(), acc.ID); !errors.Is(err, ErrUnknown) {
		t.Errorf("stored before the commit: %v", err)
	}
	_, late, lateWrites, err := b.Prepare(t.Context(), n)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.store.Commit(t.Context(), checks, append(writes, kv.Put("profile/"+acc.ID, []byte("Ann")))); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Check(t.Context(), "ann", goodPassword); err != nil {
		t.Error(err)
	}
	if _, err := b.store.Commit(t.Context(), late, lateWrites); !errors.Is(err, kv.ErrConflict) {
		t.Errorf("the second commit gives %v", err)
	}
	if _, _, _, err := b.Prepare(t.Context(), n); !errors.Is(err, ErrLoginTaken) {
		t.Errorf("asked again, Prepare says %v", err)
	}
}

func TestChanges(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	acc := b.create(NewAccount{Login: "ann.lee"})
	ctx, next := t.Context(), "another good one"
	if err := b.SetPassword(ctx, acc.ID, next); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Check(ctx, "ann.lee", goodPassword); !errors.Is(err, ErrWrong) {
		t.Errorf("the old password: %v", err)
	}
	// Two changes at once: neither is lost.
	b.store.before = func() {
		if err := b.SetRole(context.Background(), acc.ID, "admin"); err != nil {
			t.Error(err)
		}
	}
	if err := b.SetActive(ctx, acc.ID, false); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Check(ctx, "ann.lee", next); !errors.Is(err, ErrInactive) {
		t.Errorf("inactive: %v", err)
	}
	if got, err := b.Get(ctx, acc.ID); err != nil || got.Active || got.Role != "admin" {
		t.Errorf("got %+v, %v", got, err)
	}
	for name, c := range map[string]struct{ got, want error }{
		"weak password":    {b.SetPassword(ctx, acc.ID, "ann.lee"), ErrPasswordShort},
		"password is name": {b.SetPassword(ctx, acc.ID, "Ann.Lee "), ErrPasswordName},
		"unknown account":  {b.SetPassword(ctx, nobody, next), ErrUnknown},
		"unknown, active":  {b.SetActive(ctx, nobody, true), ErrUnknown},
		"unknown, role":    {b.SetRole(ctx, nobody, "admin"), ErrUnknown},
		"bad role":         {b.SetRole(ctx, acc.ID, ""), ErrInvalidRole},
	} {
		if !errors.Is(c.got, c.want) {
			t.Errorf("%s: %v, want %v", name, c.got, c.want)
		}
	}
}

func TestNothingSecretIsPrinted(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	n := NewAccount{Login: "login-of-the-test", Email: "mail@example.org", Password: goodPassword, Role: "student"}
	acc := b.create(n)
	rec, _, err := b.load(t.Context(), acc.ID)
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	l := slog.New(slog.NewTextHandler(&log, nil))
	l.Info("x", "new", n, "account", acc)
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "new", n, "account", acc)
	text := log.String() + b.log.String() + fmt.Sprintf("%v %+v %#v %s", n, n, n, n)
	for _, secret := range []string{goodPassword, "mail@example.org", "login-of-the-test", rec.hash.encode(), "argon2id"} {
		if strings.Contains(text, secret) {
			t.Errorf("printed %q:\n%s", secret, text)
		}
	}
	if text := fmt.Sprintf("%v %+v %v", rec, rec, rec.hash); strings.Contains(text, "argon2id") {
		t.Errorf("printed as %s", text)
	}
}
