package transaction

import (
	"cmp"
	"slices"
)

// EffectKind is a sort of change that a handler can want.
type EffectKind string

// The kinds of effects. What is in an Effect's Name depends on the kind.
const (
	// EffectPut writes a record; Name is its key.
	EffectPut EffectKind = "put"
	// EffectDelete removes a record; Name is its key.
	EffectDelete EffectKind = "delete"
	// EffectSessionSet changes a value of the session; Name is the value's.
	EffectSessionSet EffectKind = "session set"
	// EffectSessionDelete removes a value of the session.
	EffectSessionDelete EffectKind = "session delete"
	// EffectNotify leaves a notice for the reader's next page.
	EffectNotify EffectKind = "notify"
	// EffectNoticesShown takes the notices that waited.
	EffectNoticesShown EffectKind = "notices shown"
	// EffectSignIn makes the session an account's.
	EffectSignIn EffectKind = "sign in"
	// EffectSignUp makes an account and signs it in.
	EffectSignUp EffectKind = "sign up"
	// EffectSignOut ends the session.
	EffectSignOut EffectKind = "sign out"
	// EffectRemember has the device sign in by itself.
	EffectRemember EffectKind = "remember device"
	// EffectPassword gives the reader a new password.
	EffectPassword EffectKind = "set password"
	// EffectEndDevice signs a device of the reader out; Name is its id, "" for
	// all others than this one.
	EffectEndDevice EffectKind = "end device"
	// EffectAccount makes an account at the first start.
	EffectAccount EffectKind = "create account"
)

// Effect is one thing that a request wants changed. It tells what is changed
// and never to what, so it can be shown.
type Effect struct {
	Kind EffectKind
	// Name says which record or value; see the kinds.
	Name string
	// Size is the length in bytes of what is put, 0 for all else.
	Size int
}

// Effects is what the request wants so far: the records in the order of their
// keys, then the changes of session and accounts in the order in which they
// were asked for.
func (t *Tx) Effects() []Effect {
	all := make([]Effect, 0, len(t.writes)+len(t.changes))
	for _, w := range t.writes {
		e := Effect{Kind: EffectPut, Name: w.Key, Size: len(w.Value)}
		if w.Remove {
			e.Kind = EffectDelete
		}
		all = append(all, e)
	}
	slices.SortFunc(all, func(a, b Effect) int { return cmp.Compare(a.Name, b.Name) })
	return append(all, t.changes...)
}

// ofSession are the effects that a session takes with it when it ends.
var ofSession = []EffectKind{
	EffectSessionSet, EffectSessionDelete, EffectNotify, EffectNoticesShown, EffectSignIn, EffectSignOut, EffectRemember,
}

// change notes an effect on session or accounts, once.
func (t *Tx) change(kind EffectKind, name string) {
	switch kind {
	case EffectSessionSet, EffectSessionDelete:
		t.changes = slices.DeleteFunc(t.changes, func(e Effect) bool {
			return (e.Kind == EffectSessionSet || e.Kind == EffectSessionDelete) && e.Name == name
		})
	case EffectSignIn, EffectSignUp:
		t.changes = slices.DeleteFunc(t.changes, func(e Effect) bool {
			return e.Kind == EffectSignIn || e.Kind == EffectSignOut
		})
	case EffectSignOut: // takes every value of the session with it
		t.changes = slices.DeleteFunc(t.changes, func(e Effect) bool {
			return slices.Contains(ofSession, e.Kind)
		})
	}
	if !t.has(kind, name) {
		t.changes = append(t.changes, Effect{Kind: kind, Name: name})
	}
}

// has reports whether the effect was noted.
func (t *Tx) has(kind EffectKind, name string) bool {
	return slices.Contains(t.changes, Effect{Kind: kind, Name: name})
}
