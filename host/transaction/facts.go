package transaction

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/lectern-lms/lectern/guest/abi"
	"github.com/lectern-lms/lectern/host/auth"
	"github.com/lectern-lms/lectern/kv"
)

// FactKind is a question that a handler can ask.
type FactKind string

// The kinds of facts. What is in a Fact's Name depends on the kind.
const (
	// FactSignedIn is whether anybody is signed in.
	FactSignedIn FactKind = "signed-in"
	// FactRole is the reader's role.
	FactRole FactKind = "role"
	// FactUser is who the reader is.
	FactUser FactKind = "user"
	// FactSession is a value of the session; Name is the value's.
	FactSession FactKind = "session"
	// FactNotices is what waited to be shown to the reader.
	FactNotices FactKind = "notices"
	// FactLanguage is a negotiated language; Name holds the tags on offer,
	// separated by spaces.
	FactLanguage FactKind = "language"
	// FactSetting is a setting of the site; Name is the setting's.
	FactSetting FactKind = "setting"
	// FactRecord is a stored record; Name is its key.
	FactRecord FactKind = "record"
	// FactPrefix is the set of records under a prefix, which is the Name.
	FactPrefix FactKind = "prefix"
	// FactTime is the time.
	FactTime FactKind = "time"
	// FactRandom is a draw of random bytes.
	FactRandom FactKind = "random"
	// FactRequestID is the id of this one request.
	FactRequestID FactKind = "request-id"
	// FactAccount is how an operation on accounts ended.
	FactAccount FactKind = "account"
	// FactAuthorization is the reader's header of that name; see
	// Tx.Authorization.
	FactAuthorization FactKind = "authorization"
	// FactDevices is where the reader is signed in.
	FactDevices FactKind = "devices"
)

// questions are the operations whose answers are facts. Records and prefixes
// are not among them: they are noted where their revision is known.
var questions = map[abi.Op]FactKind{
	abi.OpSignedIn: FactSignedIn, abi.OpRole: FactRole, abi.OpUser: FactUser, abi.OpSessionGet: FactSession,
	abi.OpNotices: FactNotices, abi.OpLanguage: FactLanguage, abi.OpSetting: FactSetting, abi.OpNow: FactTime,
	abi.OpRandom: FactRandom, abi.OpRequestID: FactRequestID,
	abi.OpSignIn: FactAccount, abi.OpSignUp: FactAccount, abi.OpCreateAccount: FactAccount,
	abi.OpSetPassword: FactAccount, abi.OpRemember: FactAccount, abi.OpDevices: FactDevices, abi.OpEndDevice: FactDevices,
}

// Fleeting says that the same question is never answered the same way again,
// so that no later request can rely on the fact.
func (k FactKind) Fleeting() bool {
	return k == FactTime || k == FactRandom || k == FactRequestID || k == FactAccount || k == FactAuthorization || k == FactDevices
}

// Shared says that the fact is the same for all readers of one language.
func (k FactKind) Shared() bool {
	return k == FactRecord || k == FactPrefix || k == FactSetting || k == FactLanguage
}

// Fact is one thing that a request learnt, by asking for it or because its
// route requires it. A sandbox starts pristine, so what it answers follows
// from its module, its HTTP request and its facts alone. A fact still holds if
// the same question gets the same answer: for records and prefixes the same
// Revision, for all others the same Answer.
type Fact struct {
	Kind FactKind
	// Name says which value, record or prefix; see the kinds.
	Name string
	// Revision is that of a record, 0 if there was none, or that of the store
	// when a prefix was first listed.
	Revision kv.Revision
	// Answer is the answer as guest/abi encodes it; "" for records, prefixes
	// and what is fleeting. It may be personal: never show or log it.
	Answer string
}

// String shows a fact to people, without what is personal in it.
func (f Fact) String() string {
	r := abi.NewReader([]byte(f.Answer))
	switch f.Kind {
	case FactSignedIn:
		return fmt.Sprintf("%s: %t", f.Kind, r.Bool())
	case FactRole, FactSetting, FactLanguage:
		return strings.TrimSuffix(fmt.Sprintf("%s %s", f.Kind, f.Name), " ") + fmt.Sprintf(": %q", r.String())
	case FactUser:
		return string(f.Kind) + presence(r.String() != "")
	case FactSession:
		return string(f.Kind) + " " + f.Name + presence(r.Bool())
	case FactNotices:
		return fmt.Sprintf("%s: %d", f.Kind, len(r.Strings()))
	case FactRecord:
		if f.Revision == 0 {
			return string(f.Kind) + " " + f.Name + presence(false)
		}
		return fmt.Sprintf("%s %s: revision %d", f.Kind, f.Name, f.Revision)
	case FactPrefix:
		return fmt.Sprintf("%s %s: revision %d", f.Kind, f.Name, f.Revision)
	}
	return string(f.Kind)
}

// presence tells that a value is there and not what it is.
func presence(there bool) string {
	if there {
		return ": present"
	}
	return ": absent"
}

// LogValue keeps what is personal out of the log.
func (f Fact) LogValue() slog.Value { return slog.StringValue(f.String()) }

// factKey is what there is one fact of in a request.
type factKey struct {
	kind FactKind
	name string
}

// Facts is what the request has learnt so far, in the order in which it first
// asked. The first answer stays if a record changed between two reads, so that
// the commit finds it out of date.
func (t *Tx) Facts() []Fact { return slices.Clone(t.facts) }

// learn notes a fact unless it is known.
func (t *Tx) learn(f Fact) {
	key := factKey{f.Kind, f.Name}
	if _, ok := t.known[key]; ok {
		return
	}
	if t.known == nil {
		t.known = map[factKey]struct{}{}
	}
	t.known[key] = struct{}{}
	t.facts = append(t.facts, f)
}

// answered notes what an operation's answer told. What this request has
// changed itself is no fact: it follows from the others.
func (t *Tx) answered(op abi.Op, message, answer []byte) {
	kind, ok := questions[op]
	if !ok {
		return
	}
	f := Fact{Kind: kind}
	switch kind {
	case FactSession, FactSetting:
		f.Name = abi.NewReader(message).String()
	case FactLanguage:
		f.Name = strings.Join(abi.NewReader(message).Strings(), " ")
	}
	if t.changedItself(f) {
		return
	}
	if !kind.Fleeting() {
		f.Answer = string(answer)
	}
	t.learn(f)
}

// changedItself reports whether the answer is this request's own doing.
func (t *Tx) changedItself(f Fact) bool {
	switch f.Kind {
	case FactSession:
		return t.has(EffectSessionSet, f.Name) || t.has(EffectSessionDelete, f.Name)
	case FactSignedIn, FactRole, FactUser:
		return t.has(EffectSignIn, "") || t.has(EffectSignUp, "") || t.has(EffectSignOut, "")
	}
	return false
}

// Authorization tells whether the handler may be shown the request's header
// Authorization, and notes that it was. No later request relies on the fact:
// whoever sends such a header is told anew each time.
func (t *Tx) Authorization() bool {
	if !t.scope.Manifest.Allows(abi.RightAuthorization) {
		return false
	}
	t.learn(Fact{Kind: FactAuthorization})
	return true
}

// Personal reports whether the answer is for this reader alone or good for
// once only: nobody may share or keep it.
func (t *Tx) Personal() bool {
	return len(t.changes) > 0 || slices.ContainsFunc(t.facts, func(f Fact) bool { return !f.Kind.Shared() })
}

// Admit tells whether the reader may use a route that requires this, and who
// they are, nil if nobody. That they were let in is a fact of the page.
func (t *Tx) Admit(ctx context.Context, require string) (account *auth.Account, admitted bool, err error) {
	if require == abi.RequireNobody {
		return nil, true, nil
	}
	account, err = t.Account(ctx)
	if err != nil {
		return nil, false, err
	}
	if account == nil || require == abi.RequireSignedIn {
		t.learn(Fact{Kind: FactSignedIn, Answer: string(abi.Writer(nil).Bool(account != nil))})
		return account, account != nil, nil
	}
	t.learn(Fact{Kind: FactRole, Answer: string(abi.Writer(nil).String(account.Role))})
	return account, account.Role == require || account.Role == abi.RoleAdmin, nil
}
