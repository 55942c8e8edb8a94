package auth

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lectern-lms/lectern/kv"
)

func TestCheck(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	ann := b.create(NewAccount{Login: "Ann.Lee", Email: "Ann@Example.org"})
	mail := b.create(NewAccount{Login: "bob@example.org"})
	b.create(NewAccount{Login: "carl", Inactive: true})
	cases := []struct {
		name, login, password string
		want                  string
		err                   error
	}{
		{"login", "ann.lee", goodPassword, ann.ID, nil},
		{"login as typed", " ANN.Lee ", goodPassword, ann.ID, nil},
		{"full width", "ａｎｎ.ｌｅｅ", goodPassword, ann.ID, nil},
		{"e-mail", "ann@example.org", goodPassword, ann.ID, nil},
		{"e-mail as typed", "ANN@EXAMPLE.ORG", goodPassword, ann.ID, nil},
		{"e-mail as login", "Bob@example.org", goodPassword, mail.ID, nil},
		{"wrong password", "ann.lee", goodPassword + "x", "", ErrWrong},
		{"other case", "ann.lee", strings.ToUpper(goodPassword), "", ErrWrong},
		{"no password", "ann.lee", "", "", ErrWrong},
		{"cut by a zero byte", "ann.lee", goodPassword + "\x00", "", ErrWrong},
		{"huge password", "ann.lee", strings.Repeat("x", MaxPassword+1), "", ErrWrong},
		{"unknown", "nobody", goodPassword, "", ErrWrong},
		{"unknown e-mail", "nobody@example.org", goodPassword, "", ErrWrong},
		{"no login", "", goodPassword, "", ErrWrong},
		{"a path", "../id/" + ann.ID, goodPassword, "", ErrWrong},
		{"huge login", strings.Repeat("x", 1<<20), goodPassword, "", ErrWrong},
		{"not UTF-8", "ann\xff", goodPassword, "", ErrWrong},
		{"inactive", "carl", goodPassword, "", ErrInactive},
		{"inactive, wrong password", "carl", "wrong password", "", ErrWrong},
	}
	for _, c := range cases {
		acc, err := b.Check(t.Context(), c.login, c.password)
		if acc.ID != c.want || !errors.Is(err, c.err) {
			t.Errorf("%s: account %q, error %v; want %q, %v", c.name, acc.ID, err, c.want, c.err)
		}
	}
}

// TestUnknownNamesCostTheSame counts work in place of time: whoever asks can
// tell nothing from it.
func TestUnknownNamesCostTheSame(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.create(NewAccount{Login: "ann", Email: "ann@example.org"})
	b.create(NewAccount{Login: "idle", Inactive: true})
	for _, login := range []string{"ann", "ann@example.org", "idle", "nobody", "nobody@example.org", "", "no such name", "a/b"} {
		gets, hashes := b.store.gets.Load(), b.hashes.Load()
		if _, err := b.Check(t.Context(), login, "wrong password"); !errors.Is(err, ErrWrong) {
			t.Errorf("%q: %v", login, err)
		}
		if g, h := b.store.gets.Load()-gets, b.hashes.Load()-hashes; g != 2 || h != 1 {
			t.Errorf("%q costs %d reads and %d hashes, want 2 and 1", login, g, h)
		}
	}
	hashes := b.hashes.Load()
	if _, err := b.Check(t.Context(), "ann", strings.Repeat("x", 1<<20)); !errors.Is(err, ErrWrong) || b.hashes.Load() != hashes {
		t.Errorf("a huge password is hashed, or %v", err)
	}
}

func TestGetAndFind(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	want := b.create(NewAccount{Login: "ann", Email: "ann@example.org", Role: "instructor"})
	got, err := b.Get(t.Context(), want.ID)
	if err != nil || got != want {
		t.Errorf("Get: %+v, %v; want %+v", got, err, want)
	}
	for _, name := range []string{"ann", "Ann@example.org"} {
		if got, err := b.Find(t.Context(), name); err != nil || got != want {
			t.Errorf("Find %q: %+v, %v", name, got, err)
		}
	}
	for _, id := range []string{"", nobody, "ann", strings.ToLower(want.ID), want.ID + "/", "../login/ann"} {
		if acc, err := b.Get(t.Context(), id); !errors.Is(err, ErrUnknown) || acc != (Account{}) {
			t.Errorf("Get %q: %+v, %v", id, acc, err)
		}
	}
	if _, err := b.Find(t.Context(), "nobody"); !errors.Is(err, ErrUnknown) {
		t.Errorf("Find of an unknown login: %v", err)
	}
}

func TestStoreFailureIsNoWrongPassword(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	acc := b.create(NewAccount{Login: "ann"})
	b.store.err = kv.ErrUnavailable
	_, errCheck := b.Check(t.Context(), "ann", goodPassword)
	_, errGet := b.Get(t.Context(), acc.ID)
	_, errCreate := b.Create(t.Context(), NewAccount{Login: "bob", Password: goodPassword, Role: "student"})
	for name, err := range map[string]error{"Check": errCheck, "Get": errGet, "Create": errCreate} {
		if !errors.Is(err, kv.ErrUnavailable) || errors.Is(err, ErrWrong) || errors.Is(err, ErrUnknown) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestDamagedRecordIsAnError(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	ann, bob := b.create(NewAccount{Login: "ann"}), b.create(NewAccount{Login: "bob"})
	e, err := b.store.Get(t.Context(), idKey(bob.ID))
	if err != nil {
		t.Fatal(err)
	}
	greedy := strings.Replace(string(e.Value), "m=8", "m=4294967295", 1)
	for name, value := range map[string]string{
		"garbage": "garbage", "empty": "", "another account's": string(e.Value), "other version": `{"v":2}`,
		"asks for 4 TiB": strings.ReplaceAll(greedy, bob.ID, ann.ID),
	} {
		if _, err := b.store.Commit(t.Context(), nil, []kv.Write{kv.Put(idKey(ann.ID), []byte(value))}); err != nil {
			t.Fatal(err)
		}
		_, err := b.Check(t.Context(), "ann", goodPassword)
		if err == nil || errors.Is(err, ErrWrong) || !strings.Contains(err.Error(), ann.ID) || strings.Contains(err.Error(), "argon2") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestChangedParametersAreRenewedAtSignIn(t *testing.T) {
	t.Parallel()
	old := newBench(t)
	acc := old.create(NewAccount{Login: "ann"})
	dearer := Params{Memory: 16, Time: 2, Threads: 1}
	b := benchOver(t, old.store, dearer)
	if _, err := b.Check(t.Context(), "ann", "wrong password"); !errors.Is(err, ErrWrong) {
		t.Fatal(err)
	}
	if rec, _, _ := b.load(t.Context(), acc.ID); rec.hash.Params != cheap {
		t.Fatalf("a wrong password renewed the hash to %+v", rec.hash.Params)
	}
	for range 2 {
		if _, err := b.Check(t.Context(), "ann", goodPassword); err != nil {
			t.Fatal(err)
		}
	}
	rec, rev, err := b.load(t.Context(), acc.ID)
	if err != nil || rec.hash.Params != dearer {
		t.Errorf("parameters %+v, %v", rec.hash.Params, err)
	}
	if n := b.hashes.Load(); n != 4 {
		t.Errorf("%d hashes, want one for each of three checks and one to renew", n)
	}
	// A renewal that loses a race must not undo the other change.
	back := benchOver(t, old.store, cheap)
	b.store.before = func() {
		if err := b.SetActive(context.Background(), acc.ID, false); err != nil {
			t.Error(err)
		}
	}
	if _, err := back.Check(t.Context(), "ann", goodPassword); err != nil {
		t.Fatal(err)
	}
	if rec, now, _ := b.load(t.Context(), acc.ID); rec.Active || rec.hash.Params != dearer || now == rev {
		t.Errorf("after the race: active %v, parameters %+v", rec.Active, rec.hash.Params)
	}
}

func TestCrowdWaitsForASlot(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.create(NewAccount{Login: "ann"})
	b.hasher.slots = make(chan struct{}, 2)
	var mu sync.Mutex
	running, most := 0, 0
	entered, release := make(chan struct{}, 20), make(chan struct{})
	b.hasher.derive = func(password, salt []byte, p Params, size int) []byte {
		mu.Lock()
		running++
		most = max(most, running)
		mu.Unlock()
		entered <- struct{}{}
		<-release
		defer func() { mu.Lock(); running--; mu.Unlock() }()
		return argon2id(password, salt, p, size)
	}
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if _, err := b.Check(t.Context(), "ann", goodPassword); err != nil {
				t.Error(err)
			}
		})
	}
	<-entered
	<-entered // Both slots are taken, and nobody leaves.
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := b.hasher.verify(ctx, b.dummy, goodPassword); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("somebody who gave up waiting gets %v", err)
	}
	close(release)
	wg.Wait()
	if most > 2 {
		t.Errorf("%d hashes at once, the most is 2", most)
	}
}

func TestParametersOutOfBoundsPanic(t *testing.T) {
	t.Parallel()
	defer func() {
		if recover() == nil {
			t.Error("accepted parameters whose hashes cannot be read back")
		}
	}()
	New(nil, Options{Params: Params{Memory: 1 << 30, Time: 1, Threads: 1}})
}
