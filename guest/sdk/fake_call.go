//go:build !wasip1

package sdk

import (
	"crypto/rand"
	"errors"
	"fmt"
	"strings"

	"github.com/lectern-lms/lectern/guest/abi"
	"golang.org/x/text/language"
)

// Limits of the host that a handler can meet; guest/abi/abitest makes sure
// that the Fake has the same.
const (
	fakeMaxRandom  = 1024
	fakeMaxNotices = 8
	fakeMaxNames   = 64
	fakeMaxName    = 128
	fakeMaxSession = 8 << 10
)

// fakeRefusal is an error with the status that the handler gets for it.
type fakeRefusal struct {
	status abi.Status
	reason string
}

// Error is the message for the handler's author.
func (r fakeRefusal) Error() string { return r.reason }

// fakeRefuse makes a fakeRefusal.
func fakeRefuse(s abi.Status, format string, args ...any) error {
	return fakeRefusal{s, fmt.Sprintf(format, args...)}
}

// fakeOperations answer the calls of module "lectern". Each reads its whole
// message before it changes anything.
var fakeOperations = map[abi.Op]func(*fakeTx, *abi.Reader) (abi.Writer, error){
	abi.OpRoute:         (*fakeTx).route,
	abi.OpRequestID:     (*fakeTx).requestID,
	abi.OpSignedIn:      (*fakeTx).signedIn,
	abi.OpRole:          (*fakeTx).readRole,
	abi.OpUser:          (*fakeTx).readUser,
	abi.OpSetting:       (*fakeTx).setting,
	abi.OpLanguage:      (*fakeTx).language,
	abi.OpSessionGet:    (*fakeTx).sessionGet,
	abi.OpSessionSet:    (*fakeTx).sessionSet,
	abi.OpSessionDelete: (*fakeTx).sessionDelete,
	abi.OpGet:           (*fakeTx).get,
	abi.OpScan:          (*fakeTx).scan,
	abi.OpPut:           (*fakeTx).put,
	abi.OpDelete:        (*fakeTx).remove,
	abi.OpNow:           (*fakeTx).now,
	abi.OpRandom:        (*fakeTx).random,
	abi.OpSignIn:        (*fakeTx).signIn,
	abi.OpSignUp:        (*fakeTx).signUp,
	abi.OpSignOut:       (*fakeTx).signOut,
	abi.OpCreateAccount: (*fakeTx).createAccount,
	abi.OpNotify:        (*fakeTx).notify,
	abi.OpNotices:       (*fakeTx).notices,
	abi.OpAbandon: func(tx *fakeTx, in *abi.Reader) (abi.Writer, error) {
		if err := in.Done(); err != nil {
			return nil, err
		}
		tx.abandon()
		return nil, nil
	},
	abi.OpRemember:    (*fakeTx).remember,
	abi.OpSetPassword: (*fakeTx).setPassword,
	abi.OpDevices:     (*fakeTx).devices,
	abi.OpEndDevice:   (*fakeTx).endDevice,
	abi.OpEndOthers:   (*fakeTx).endOthers,
}

// call implements host.
func (tx *fakeTx) call(op abi.Op, message []byte) (abi.Status, []byte) {
	run := fakeOperations[op]
	if run == nil {
		return abi.StatusUnknown, fmt.Appendf(nil, "operation %d is unknown to this host", op)
	}
	answer, err := run(tx, abi.NewReader(message))
	if err == nil {
		return abi.StatusOK, answer
	}
	status := abi.StatusInvalid
	if r := (fakeRefusal{}); errors.As(err, &r) {
		status = r.status
	}
	return status, []byte(err.Error())
}

// writable refuses a change that a safe method or the manifest forbids.
func (tx *fakeTx) writable(right string) error {
	if tx.safe || tx.spoilt {
		return fakeRefuse(abi.StatusReadOnly, "%s is a safe method's route and cannot write", tx.pattern)
	}
	if m := tx.fake.Manifest; right != "" && m != nil && !m.Allows(right) {
		return fakeRefuse(abi.StatusDenied, "the manifest does not ask for the right %q", right)
	}
	return nil
}

// reachable fails if the store is down.
func (tx *fakeTx) reachable() error {
	if tx.fake.Down {
		return fakeRefuse(abi.StatusUnavailable, "the store is down")
	}
	return nil
}

// route answers OpRoute.
func (tx *fakeTx) route(in *abi.Reader) (abi.Writer, error) {
	return abi.Writer(nil).String(tx.pattern).Fields(tx.values), in.Done()
}

// requestID answers OpRequestID.
func (tx *fakeTx) requestID(in *abi.Reader) (abi.Writer, error) {
	return abi.Writer(nil).String(FakeRequestID), in.Done()
}

// setting answers OpSetting.
func (tx *fakeTx) setting(in *abi.Reader) (abi.Writer, error) {
	return abi.Writer(nil).String(tx.fake.Settings[in.String()]), in.Done()
}

// now answers OpNow.
func (tx *fakeTx) now(in *abi.Reader) (abi.Writer, error) {
	return abi.Writer(nil).Uint(uint64(tx.fake.Now.UnixNano())), in.Done()
}

// random answers OpRandom.
func (tx *fakeTx) random(in *abi.Reader) (abi.Writer, error) {
	n := in.Uint()
	if err := in.Done(); err != nil {
		return nil, err
	}
	if n > fakeMaxRandom {
		return nil, fakeRefuse(abi.StatusTooLarge, "%d random bytes, the limit is %d", n, fakeMaxRandom)
	}
	b := make([]byte, n)
	_, err := rand.Read(b)
	return abi.Writer(nil).Bytes(b), err
}

// language answers OpLanguage.
func (tx *fakeTx) language(in *abi.Reader) (abi.Writer, error) {
	tags := in.Strings()
	if err := in.Done(); err != nil {
		return nil, err
	}
	var known []language.Tag
	for _, s := range tags {
		tag, err := language.Parse(s)
		if err != nil {
			return nil, fakeRefuse(abi.StatusInvalid, "%.40q is not a language tag", s)
		}
		known = append(known, tag)
	}
	if len(known) == 0 {
		return nil, fakeRefuse(abi.StatusInvalid, "no language to choose from")
	}
	wanted, _, err := language.ParseAcceptLanguage(tx.fake.AcceptLanguage)
	if err != nil {
		wanted = nil
	}
	_, i, _ := language.NewMatcher(known).Match(wanted...)
	return abi.Writer(nil).String(tags[i]), nil
}

// sessionGet answers OpSessionGet.
func (tx *fakeTx) sessionGet(in *abi.Reader) (abi.Writer, error) {
	value, ok := tx.session[fakeValuePrefix+in.String()]
	return abi.Writer(nil).Bool(ok).String(value), in.Done()
}

// sessionSet answers OpSessionSet.
func (tx *fakeTx) sessionSet(in *abi.Reader) (abi.Writer, error) {
	name, value := in.String(), in.String()
	if err := in.Done(); err != nil {
		return nil, err
	}
	if err := tx.writable(""); err != nil {
		return nil, err
	}
	return nil, tx.set(fakeValuePrefix+name, value)
}

// set changes the session within its limits.
func (tx *fakeTx) set(name, value string) error {
	old, had := tx.session[name]
	tx.session[name] = value
	size := 0
	for n, v := range tx.session {
		size += len(n) + len(v)
	}
	if len(tx.session) <= fakeMaxNames && len(name) <= fakeMaxName && size <= fakeMaxSession {
		return nil
	}
	if tx.session[name] = old; !had {
		delete(tx.session, name)
	}
	return fakeRefuse(abi.StatusTooLarge, "the session would be over a limit")
}

// sessionDelete answers OpSessionDelete.
func (tx *fakeTx) sessionDelete(in *abi.Reader) (abi.Writer, error) {
	name := in.String()
	if err := in.Done(); err != nil {
		return nil, err
	}
	if err := tx.writable(""); err != nil {
		return nil, err
	}
	delete(tx.session, fakeValuePrefix+name)
	return nil, nil
}

// notify answers OpNotify.
func (tx *fakeTx) notify(in *abi.Reader) (abi.Writer, error) {
	text := in.String()
	if err := in.Done(); err != nil {
		return nil, err
	}
	if err := tx.writable(""); err != nil {
		return nil, err
	}
	if strings.Contains(text, "\n") {
		return nil, fakeRefuse(abi.StatusInvalid, "a notice must be one line")
	}
	list := append(fakeLines(tx.session[fakeNotices]), text)
	return nil, tx.set(fakeNotices, strings.Join(list[max(0, len(list)-fakeMaxNotices):], "\n"))
}

// notices answers OpNotices, the one change that a safe method makes.
func (tx *fakeTx) notices(in *abi.Reader) (abi.Writer, error) {
	if err := in.Done(); err != nil {
		return nil, err
	}
	list := fakeLines(tx.session[fakeNotices])
	delete(tx.session, fakeNotices)
	return abi.Writer(nil).Strings(list), nil
}
