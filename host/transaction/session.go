package transaction

import (
	"context"
	"slices"
	"strings"

	"github.com/lectern-lms/lectern/guest/abi"
	"github.com/lectern-lms/lectern/kv/session"
)

// The session's values are the handlers' under the prefix "v." and the
// host's own under other names, so that neither can disturb the other.
const (
	valuePrefix = "v."
	noticesName = "notices"
	// maxNotices bounds the notices that wait for a reader's next page.
	maxNotices = 8
)

// signedIn answers OpSignedIn.
func (t *Tx) signedIn(ctx context.Context, in *abi.Reader) (abi.Writer, error) {
	a, err := t.Account(ctx)
	if err != nil {
		return nil, err
	}
	return abi.Writer(nil).Bool(a != nil), in.Done()
}

// role answers OpRole.
func (t *Tx) role(ctx context.Context, in *abi.Reader) (abi.Writer, error) {
	a, err := t.Account(ctx)
	if err != nil {
		return nil, err
	}
	if a == nil {
		return abi.Writer(nil).String(""), in.Done()
	}
	return abi.Writer(nil).String(a.Role), in.Done()
}

// user answers OpUser.
func (t *Tx) user(ctx context.Context, in *abi.Reader) (abi.Writer, error) {
	a, err := t.Account(ctx)
	if err != nil {
		return nil, err
	}
	if a == nil {
		return abi.Writer(nil).String("").String("").String(""), in.Done()
	}
	return abi.Writer(nil).String(a.ID).String(a.Login).String(a.Email), in.Done()
}

// sessionGet answers OpSessionGet.
func (t *Tx) sessionGet(ctx context.Context, in *abi.Reader) (abi.Writer, error) {
	name := in.String()
	s, err := t.load(ctx)
	if err != nil {
		return nil, err
	}
	value, ok := s.Get(valuePrefix + name)
	return abi.Writer(nil).Bool(ok).String(value), in.Done()
}

// changeable ends a message that wants to change the session, and gives the
// session if method and manifest allow that.
func (t *Tx) changeable(ctx context.Context, in *abi.Reader, right string) (*session.Session, error) {
	if err := in.Done(); err != nil {
		return nil, err
	}
	if err := t.writable(right); err != nil {
		return nil, err
	}
	return t.load(ctx)
}

// sessionSet answers OpSessionSet.
func (t *Tx) sessionSet(ctx context.Context, in *abi.Reader) (abi.Writer, error) {
	name, value := in.String(), in.String()
	s, err := t.changeable(ctx, in, "")
	if err != nil {
		return nil, err
	}
	if err := s.Set(valuePrefix+name, value); err != nil {
		return nil, err
	}
	t.change(EffectSessionSet, name)
	return nil, nil
}

// sessionDelete answers OpSessionDelete.
func (t *Tx) sessionDelete(ctx context.Context, in *abi.Reader) (abi.Writer, error) {
	name := in.String()
	s, err := t.changeable(ctx, in, "")
	if err != nil {
		return nil, err
	}
	s.Delete(valuePrefix + name)
	t.change(EffectSessionDelete, name)
	return nil, nil
}

// notify adds a notice to those that wait in the session, the oldest leaving
// first when there are too many.
func (t *Tx) notify(ctx context.Context, in *abi.Reader) (abi.Writer, error) {
	text := in.String()
	if err := in.Done(); err != nil {
		return nil, err
	}
	if err := t.writable(""); err != nil {
		return nil, err
	}
	if strings.Contains(text, "\n") {
		return nil, refuse(abi.StatusInvalid, "a notice must be one line")
	}
	s, err := t.load(ctx)
	if err != nil {
		return nil, err
	}
	if err := addNotice(s, text); err != nil {
		return nil, err
	}
	t.change(EffectNotify, "")
	return nil, nil
}

// addNotice puts a notice behind those that wait.
func addNotice(s *session.Session, text string) error {
	return s.Update(noticesName, func(waiting string, _ bool) (string, bool) {
		list := append(split(waiting), text)
		return strings.Join(list[max(0, len(list)-maxNotices):], "\n"), true
	})
}

// takeNotices removes those that are shown. What another request leaves
// meanwhile stays for the next page.
func takeNotices(s *session.Session, shown []string) error {
	return s.Update(noticesName, func(waiting string, _ bool) (string, bool) {
		list := split(waiting)
		for _, text := range shown {
			if i := slices.Index(list, text); i >= 0 {
				list = slices.Delete(list, i, i+1)
			}
		}
		return strings.Join(list, "\n"), len(list) > 0
	})
}

// notices takes what waits. It is the one change that a safe method makes:
// that a reader has seen a notice is no effect of the handler's.
func (t *Tx) notices(ctx context.Context, in *abi.Reader) (abi.Writer, error) {
	if err := in.Done(); err != nil {
		return nil, err
	}
	s, err := t.load(ctx)
	if err != nil {
		return nil, err
	}
	waiting, ok := s.Get(noticesName)
	if ok {
		if err := takeNotices(s, split(waiting)); err != nil {
			return nil, err
		}
		t.change(EffectNoticesShown, "")
	}
	return abi.Writer(nil).Strings(split(waiting)), nil
}

// split gives the notices that are kept as lines.
func split(lines string) []string {
	if lines == "" {
		return nil
	}
	return strings.Split(lines, "\n")
}
