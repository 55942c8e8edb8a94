package session

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestValuesFollowChanges(t *testing.T) {
	t.Parallel()
	b := newBench(t, Config{})
	s := b.load(b.start("a", "1"))
	b.set(s, "b", "2")
	b.set(s, "a", "3")
	if got := s.Names(); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("names %q", got)
	}
	if v, ok := s.Get("a"); v != "3" || !ok {
		t.Errorf("a is %q, %v", v, ok)
	}
	s.Delete("a")
	if v, ok := s.Get("a"); ok {
		t.Errorf("a is %q after Delete", v)
	}
	if got := s.Names(); !slices.Equal(got, []string{"b"}) {
		t.Errorf("names %q after Delete", got)
	}
	b.set(s, "empty", "")
	if _, ok := s.Get("empty"); !ok {
		t.Error("an empty value is not there")
	}
}

func TestChangesThatCancelOutWriteNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t, Config{})
	cookie := b.start("a", "1")
	cases := map[string]func(*Session){
		"nothing":          func(*Session) {},
		"same value":       func(s *Session) { b.set(s, "a", "1") },
		"there and back":   func(s *Session) { b.set(s, "a", "2"); b.set(s, "a", "1") },
		"deleted, put":     func(s *Session) { s.Delete("a"); b.set(s, "a", "1") },
		"put, deleted":     func(s *Session) { b.set(s, "b", "2"); s.Delete("b") },
		"deleted a second": func(s *Session) { s.Delete("b") },
	}
	for name, change := range cases {
		s, before := b.load(cookie), b.commits()
		change(s)
		if c := b.save(s); c != nil || b.commits() != before {
			t.Errorf("%s: cookie %v, %d commits", name, c, b.commits()-before)
		}
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	s := &Session{}
	for name, err := range map[string]error{
		"empty name":  s.Set("", "v"),
		"long name":   s.Set(strings.Repeat("n", maxName+1), "v"),
		"large value": s.Set("n", strings.Repeat("v", maxValues)),
	} {
		if !errors.Is(err, ErrTooLarge) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for i := range maxNames {
		if err := s.Set(fmt.Sprint(i), "v"); err != nil {
			t.Fatalf("value %d: %v", i+1, err)
		}
	}
	if err := s.Set("one more", "v"); !errors.Is(err, ErrTooLarge) {
		t.Errorf("value %d: %v", maxNames+1, err)
	}
	if len(s.Names()) != maxNames {
		t.Errorf("a refused value was kept: %d names", len(s.Names()))
	}
	if err := s.Set("0", "changed"); err != nil {
		t.Errorf("changing a value of a full session: %v", err)
	}
}

func TestSignInNeedsAUser(t *testing.T) {
	t.Parallel()
	b := newBench(t, Config{})
	for _, user := range []string{"", strings.Repeat("u", maxUser+1)} {
		s := b.load("")
		s.SignIn(user, 0)
		if c, err := b.Save(t.Context(), s); !errors.Is(err, ErrTooLarge) || c != nil {
			t.Errorf("user of %d bytes: cookie %v, %v", len(user), c, err)
		}
	}
	if k := b.keys(); len(k) > 0 {
		t.Errorf("stored %q", k)
	}
}

func TestUserFollowsSignInAndOut(t *testing.T) {
	t.Parallel()
	b := newBench(t, Config{})
	s := b.load(b.signedIn("ann"))
	if s.User() != "ann" {
		t.Fatalf("user %q", s.User())
	}
	s.SignOut()
	if s.User() != "" {
		t.Errorf("user %q after SignOut", s.User())
	}
	s.SignIn("bob", 0)
	if s.User() != "bob" {
		t.Errorf("user %q after SignIn", s.User())
	}
	if u := b.load(b.save(s).Value).User(); u != "bob" {
		t.Errorf("stored user %q", u)
	}
}
