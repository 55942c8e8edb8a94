package auth

import (
	"context"
	"errors"
	"testing"

	"github.com/lectern-lms/lectern/kv"
)

// fencing is a store that other processes have caches of.
type fencing struct {
	*counting
	fenced kv.Revision
	err    error
}

// Fence notes the revision.
func (f *fencing) Fence(_ context.Context, r kv.Revision) error {
	f.fenced = max(f.fenced, r)
	return f.err
}

// TestGenerationCountsWhatEndsSessions raises it with each change that takes a
// right away, and tells of the change when all processes know of it.
func TestGenerationCountsWhatEndsSessions(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	acc := b.create(NewAccount{Login: "ann"})
	store := &fencing{counting: b.store}
	b.Auth.store = store
	ctx := t.Context()
	want := acc.Generation
	for i, step := range []struct {
		change func() error
		ends   uint64
	}{
		{func() error { return b.SetPassword(ctx, acc.ID, "another good one") }, 1},
		{func() error { return b.SetRole(ctx, acc.ID, "instructor") }, 1},
		{func() error { return b.SetRole(ctx, acc.ID, "instructor") }, 0},
		{func() error { return b.SetActive(ctx, acc.ID, false) }, 1},
		{func() error { return b.SetActive(ctx, acc.ID, false) }, 0},
		{func() error { return b.SetActive(ctx, acc.ID, true) }, 0},
		{func() error { return b.EndSessions(ctx, acc.ID) }, 1},
	} {
		before := store.fenced
		if err := step.change(); err != nil {
			t.Fatal(err)
		}
		want += step.ends
		if got, err := b.Get(ctx, acc.ID); err != nil || got.Generation != want {
			t.Errorf("step %d: generation %d, %v; want %d", i+1, got.Generation, err, want)
		}
		if store.fenced <= before {
			t.Errorf("step %d was not fenced", i+1)
		}
	}
	store.err = errors.New("a node does not answer")
	if err := b.SetActive(ctx, acc.ID, false); !errors.Is(err, store.err) {
		t.Errorf("told as done though a process may not know: %v", err)
	}
}

// TestPreparePassword asks for the present password, and changes nothing by
// itself.
func TestPreparePassword(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	acc := b.create(NewAccount{Login: "ann"})
	ctx := t.Context()
	for name, c := range map[string]struct {
		id, present, next string
		want              error
	}{
		"wrong":   {acc.ID, "not the password", "another good one", ErrWrong},
		"huge":    {acc.ID, string(make([]byte, MaxPassword+1)), "another good one", ErrWrong},
		"weak":    {acc.ID, goodPassword, "password1", ErrPasswordCommon},
		"unknown": {nobody, goodPassword, "another good one", ErrUnknown},
	} {
		if _, _, writes, err := b.PreparePassword(ctx, c.id, Attempt{Password: c.present}, c.next); !errors.Is(err, c.want) || writes != nil {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	got, checks, writes, err := b.PreparePassword(ctx, acc.ID, Attempt{Password: goodPassword}, "another good one")
	if err != nil || got.Generation != acc.Generation+1 {
		t.Fatalf("%+v, %v", got, err)
	}
	if _, err := b.Check(ctx, "ann", goodPassword); err != nil {
		t.Errorf("before the commit: %v", err)
	}
	if _, err := b.store.Commit(ctx, checks, writes); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Check(ctx, "ann", "another good one"); err != nil {
		t.Errorf("after the commit: %v", err)
	}
	if _, err := b.store.Commit(ctx, checks, writes); !errors.Is(err, kv.ErrConflict) {
		t.Errorf("the same commit again: %v", err)
	}
}
