package transaction

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/lectern-lms/lectern/guest/abi"
	"github.com/lectern-lms/lectern/host/auth"
	"github.com/lectern-lms/lectern/kv"
	"github.com/lectern-lms/lectern/kv/session"
)

// maxRandom is the most bytes that one call may draw.
const maxRandom = 1024

// refusal is an error with the status that the guest gets for it.
type refusal struct {
	status abi.Status
	reason string
}

// Error is the message for the handler's author.
func (r refusal) Error() string { return r.reason }

// refuse makes a refusal.
func refuse(s abi.Status, format string, args ...any) error {
	return refusal{s, fmt.Sprintf(format, args...)}
}

// operation answers one op: it reads its message and gives the answer.
type operation func(t *Tx, ctx context.Context, in *abi.Reader) (abi.Writer, error)

// operations holds every operation but OpAnswer, which the engine answers.
var operations = map[abi.Op]operation{
	abi.OpRoute:         (*Tx).route,
	abi.OpRequestID:     (*Tx).requestID,
	abi.OpSignedIn:      (*Tx).signedIn,
	abi.OpRole:          (*Tx).role,
	abi.OpUser:          (*Tx).user,
	abi.OpSetting:       (*Tx).setting,
	abi.OpLanguage:      (*Tx).language,
	abi.OpSessionGet:    (*Tx).sessionGet,
	abi.OpSessionSet:    (*Tx).sessionSet,
	abi.OpSessionDelete: (*Tx).sessionDelete,
	abi.OpGet:           (*Tx).get,
	abi.OpScan:          (*Tx).scan,
	abi.OpPut:           (*Tx).put,
	abi.OpDelete:        (*Tx).remove,
	abi.OpNow:           (*Tx).clock,
	abi.OpRandom:        (*Tx).random,
	abi.OpSignIn:        (*Tx).signIn,
	abi.OpSignUp:        (*Tx).signUp,
	abi.OpSignOut:       (*Tx).signOut,
	abi.OpCreateAccount: (*Tx).createAccount,
	abi.OpNotify:        (*Tx).notify,
	abi.OpNotices:       (*Tx).notices,
	abi.OpAbandon:       (*Tx).abandon,
	abi.OpRemember:      (*Tx).remember,
	abi.OpSetPassword:   (*Tx).setPassword,
	abi.OpDevices:       (*Tx).devices,
	abi.OpEndDevice:     (*Tx).endDevice,
	abi.OpEndOthers:     (*Tx).endOthers,
}

// Call answers one call of module "lectern"; it implements engine.Calls.
func (t *Tx) Call(ctx context.Context, op abi.Op, message []byte) (abi.Status, []byte) {
	run := operations[op]
	if run == nil {
		return abi.StatusUnknown, fmt.Appendf(nil, "operation %d is unknown to this host", op)
	}
	answer, err := run(t, ctx, abi.NewReader(message))
	if err == nil {
		t.answered(op, message, answer)
		return abi.StatusOK, answer
	}
	status := statusOf(err)
	t.world.Logger.Warn("a host call was refused", "handler", t.scope.Manifest.Name,
		"request_id", t.scope.RequestID, "operation", int(op), "reason", err.Error())
	return status, []byte(err.Error())
}

// statusOf tells what the handler did wrong (or too much) from what the store
// could not do.
func statusOf(err error) abi.Status {
	var r refusal
	switch {
	case errors.As(err, &r):
		return r.status
	case errors.Is(err, abi.ErrMessage), errors.Is(err, kv.ErrInvalid), errors.Is(err, auth.ErrInvalidRole):
		return abi.StatusInvalid
	case errors.Is(err, kv.ErrTooLarge), errors.Is(err, session.ErrTooLarge):
		return abi.StatusTooLarge
	}
	return abi.StatusUnavailable
}

// writable refuses a change that a safe method or the manifest forbids.
func (t *Tx) writable(right string) error {
	if t.spoilt {
		return refuse(abi.StatusReadOnly, "the handler behind has failed, so nothing of this request is stored")
	}
	if t.scope.Safe {
		return refuse(abi.StatusReadOnly, "%s is a safe method's route and cannot write", t.scope.Pattern)
	}
	if right != "" && !t.scope.Manifest.Allows(right) {
		return refuse(abi.StatusDenied, "the manifest does not ask for the right %q", right)
	}
	return nil
}

// route answers OpRoute.
func (t *Tx) route(_ context.Context, in *abi.Reader) (abi.Writer, error) {
	return abi.Writer(nil).String(t.scope.Pattern).Fields(t.scope.Values), in.Done()
}

// setting answers OpSetting; a setting that does not exist is "".
func (t *Tx) setting(_ context.Context, in *abi.Reader) (abi.Writer, error) {
	name := in.String()
	return abi.Writer(nil).String(t.world.Settings[name]), in.Done()
}

// requestID answers OpRequestID.
func (t *Tx) requestID(_ context.Context, in *abi.Reader) (abi.Writer, error) {
	return abi.Writer(nil).String(t.scope.RequestID), in.Done()
}

// clock answers OpNow.
func (t *Tx) clock(_ context.Context, in *abi.Reader) (abi.Writer, error) {
	return abi.Writer(nil).Uint(uint64(t.now().UnixNano())), in.Done()
}

// random answers OpRandom.
func (t *Tx) random(_ context.Context, in *abi.Reader) (abi.Writer, error) {
	n := in.Uint()
	if err := in.Done(); err != nil {
		return nil, err
	}
	if n > maxRandom {
		return nil, refuse(abi.StatusTooLarge, "%d random bytes, the limit is %d", n, maxRandom)
	}
	b := make([]byte, n)
	if _, err := rand.Read(b); err != nil {
		return nil, err
	}
	return abi.Writer(nil).Bytes(b), nil
}

// abandon answers OpAbandon.
func (t *Tx) abandon(_ context.Context, in *abi.Reader) (abi.Writer, error) {
	if err := in.Done(); err != nil {
		return nil, err
	}
	t.Abandon()
	return nil, nil
}
