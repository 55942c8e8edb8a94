// Package transaction is one request's view of the world: what its handler
// reads of the reader's identity, session and records, and what it wants to
// change. Changes are buffered and seen by the handler's own later reads.
// Nothing is written before Commit, and Commit writes all of it or nothing,
// and only if the records that the handler read are still what they were.
//
// The manifest is enforced here: a handler that asks for more than it names
// there is denied, and the log says what it asked for.
package transaction

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"github.com/lectern-lms/lectern/guest/abi"
	"github.com/lectern-lms/lectern/host/auth"
	"github.com/lectern-lms/lectern/host/useragent"
	"github.com/lectern-lms/lectern/kv"
	"github.com/lectern-lms/lectern/kv/session"
)

// World is what all transactions work on.
type World struct {
	Records  kv.Store
	Sessions *session.Manager
	Accounts *auth.Auth
	// Settings are what handlers may know of the operator's configuration.
	Settings map[string]string
	Logger   *slog.Logger
}

// Scope is what a transaction must know of its request beforehand.
type Scope struct {
	Manifest *abi.Manifest
	// Pattern and Values are the route that matched.
	Pattern   string
	Values    []abi.Field
	RequestID string
	// Safe says that the method is GET or HEAD: nothing can be written.
	Safe bool
	// Cookies are those of the session.
	Cookies session.Cookies
	// Device is the cookie of a known device, "" if there is none.
	Device string
	// Address is where the request comes from, behind trusted proxies, and
	// Agent its User-Agent header.
	Address netip.Addr
	Agent   string
	// AcceptLanguage is the header of that name.
	AcceptLanguage string
	// Form holds the posted fields with the secret ones, for sign-in only.
	Form url.Values
	// Secrets are the names of the secret ones: no handler learns their values.
	Secrets []string
	// Setup says that the host itself makes this request to fill an empty store.
	Setup bool
}

// maxEffects bounds the bytes that one request may want to write.
const maxEffects = 8 << 20

// Tx is one run of a handler, or its part of a run in which another handler
// stands in front; see Behind. It is used by one goroutine.
type Tx struct {
	*run
	scope Scope
}

// run is what all handlers of one run have in common: what they have learnt
// and what they want, to be committed together.
type run struct {
	world World
	// session and account are loaded when they are first asked for.
	session *session.Session
	account *auth.Account
	loaded  bool
	// facts is what was learnt, and known tells what is in it; see Facts.
	facts []Fact
	known map[factKey]struct{}
	// changes are the effects on session and accounts; see Effects.
	changes []Effect
	// writes are the record changes by key; checks and extra come with them
	// from accounts that are made in this request.
	writes map[string]kv.Write
	checks []kv.Check
	extra  []kv.Write
	// ends are what is to end once the rest is committed.
	ends ends
	// device is the cookie that makes the browser known to who signs in.
	device *http.Cookie
	// effects is the length of all keys and values in writes, in bytes.
	effects int
	fault   error
	// spoilt says that a handler failed behind another: nothing is stored.
	spoilt bool
}

// Begin starts a transaction; it does no I/O.
func (w World) Begin(s Scope) *Tx {
	first := &struct {
		Tx
		run run
	}{run: run{world: w}}
	first.Tx = Tx{run: &first.run, scope: s}
	return &first.Tx
}

// Behind is this transaction for the handler to which a handler in front has
// passed the request on: of the same reader, with the same facts and effects,
// but with the rights of the other manifest. The method may have been changed
// in between: safe says that it is now GET or HEAD. What began as a safe
// request stays one, since nobody has checked where it came from.
func (t *Tx) Behind(m *abi.Manifest, pattern string, values []abi.Field, safe bool) *Tx {
	inner := &Tx{run: t.run, scope: t.scope}
	inner.scope.Manifest, inner.scope.Pattern, inner.scope.Values = m, pattern, values
	inner.scope.Safe = t.scope.Safe || safe
	return inner
}

// Spoil drops every effect so far and refuses all later ones, since a handler
// behind another has failed: whatever the one in front makes of it, no half
// of the request is stored.
func (t *Tx) Spoil() {
	t.Abandon()
	t.spoilt = true
}

// Spoilt reports whether Spoil was called.
func (t *Tx) Spoilt() bool { return t.spoilt }

// Err is the first failure of the store or the session that a call met; it
// explains why the handler failed.
func (t *Tx) Err() error { return t.fault }

// Account is who is signed in, or nil. That the host asks is no fact.
func (t *Tx) Account(ctx context.Context) (*auth.Account, error) {
	s, err := t.load(ctx)
	if err != nil {
		return nil, err
	}
	if t.loaded || s.User() == "" {
		return t.account, nil
	}
	a, err := t.world.Accounts.Get(ctx, s.User())
	switch {
	case errors.Is(err, auth.ErrUnknown):
		t.world.Logger.Warn("a session names an account that does not exist", "request_id", t.scope.RequestID)
	case err != nil:
		return nil, t.failed(err)
	case a.Active && a.Generation == s.Generation():
		t.account = &a
	}
	if t.account == nil {
		s.Drop() // It ended with the account, or with what it was allowed.
	}
	t.loaded = true
	return t.account, nil
}

// load gives the reader's session, read from the store once.
func (t *Tx) load(ctx context.Context) (*session.Session, error) {
	if t.session == nil {
		s, err := t.world.Sessions.Load(ctx, t.scope.Cookies)
		if err != nil {
			return nil, t.failed(err)
		}
		s.From(t.client)
		t.session = s
	}
	return t.session, nil
}

// client says what the request comes from, in words for its owner.
func (t *Tx) client() session.Client {
	browser, system := useragent.Describe(t.scope.Agent)
	return session.Client{Browser: browser, System: system, Place: useragent.Place(t.scope.Address)}
}

// failed notes a failure of the store. What the handler asked wrongly is no
// failure: it gets an answer and may go on.
func (t *Tx) failed(err error) error {
	if t.fault == nil && statusOf(err) == abi.StatusUnavailable {
		t.fault = err
	}
	return err
}

// Abandon drops every effect so far.
func (t *Tx) Abandon() {
	clear(t.writes)
	t.checks, t.extra, t.changes, t.session = nil, nil, nil, nil
	t.ends, t.device = ends{}, nil
	t.account, t.loaded, t.effects = nil, false, 0
}

// Commit writes the request's effects and returns the cookies to set.
// The error wraps kv.ErrConflict if a record that the handler read was
// changed meanwhile: begin again. Records come first, in one commit; the
// session follows, since it lives in a store of its own.
func (t *Tx) Commit(ctx context.Context) ([]*http.Cookie, error) {
	if t.spoilt {
		return nil, nil
	}
	if len(t.writes)+len(t.extra) > 0 {
		checks, writes := t.commit()
		rev, err := t.world.Records.Commit(ctx, checks, writes)
		if err != nil {
			return nil, fmt.Errorf("the records were not written: %w", err)
		}
		t.ends.account = rev
	}
	if t.session == nil {
		return nil, nil
	}
	cookies, err := t.world.Sessions.Save(ctx, t.session)
	if errors.Is(err, session.ErrEnded) {
		return nil, nil
	}
	if err != nil {
		return nil, t.unsaved(ctx, err)
	}
	if err := t.finish(ctx); err != nil {
		return nil, err
	}
	if t.device != nil {
		cookies = append(cookies, t.device)
	}
	return cookies, nil
}

// commit is the transaction as the store takes it: every record that was read
// and every prefix that was listed is checked.
func (t *Tx) commit() ([]kv.Check, []kv.Write) {
	checks := append([]kv.Check(nil), t.checks...)
	for _, f := range t.facts {
		switch f.Kind {
		case FactRecord:
			checks = append(checks, kv.Unchanged(f.Name, f.Revision))
		case FactPrefix:
			checks = append(checks, kv.PrefixUnchanged(f.Name, f.Revision))
		}
	}
	writes := append([]kv.Write(nil), t.extra...)
	for _, w := range t.writes {
		writes = append(writes, w)
	}
	return checks, writes
}

// now is the host's clock.
func (t *Tx) now() time.Time { return time.Now() }
