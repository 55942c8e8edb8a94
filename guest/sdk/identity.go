package sdk

import "github.com/lectern-lms/lectern/guest/abi"

// User is who is signed in.
type User struct {
	// ID never changes; records about a person carry it in their keys.
	ID    string
	Login string
	Email string
}

// SignedIn reports whether somebody is signed in. Ask this, not User, where
// it is all that the page depends on.
func (r *Request) SignedIn() bool { return must(abi.OpSignedIn, nil).Bool() }

// Role is the role of who is signed in, or "".
func (r *Request) Role() string { return must(abi.OpRole, nil).String() }

// User is who is signed in; its ID is "" if nobody is.
func (r *Request) User() User {
	a := must(abi.OpUser, nil)
	return User{ID: a.String(), Login: a.String(), Email: a.String()}
}

// SignUp creates an account from the form fields of these names and signs it
// in, together with everything else that this request writes. It returns the
// new user's id. Needs the right "sign-up".
func (r *Request) SignUp(loginField, emailField, passwordField, role string) (abi.Outcome, string, error) {
	m := abi.Writer(nil).String(loginField).String(emailField).String(passwordField).String(role)
	return outcomeAndID(ask(abi.OpSignUp, m))
}

// CreateAccount makes an account from literal values. Needs the right
// "setup", which the host grants only while it fills an empty store.
func (r *Request) CreateAccount(login, email, password, role string) (abi.Outcome, string, error) {
	m := abi.Writer(nil).String(login).String(email).String(password).String(role)
	return outcomeAndID(ask(abi.OpCreateAccount, m))
}

// SignOut ends the session everywhere.
func (r *Request) SignOut() error {
	_, err := ask(abi.OpSignOut, nil)
	return err
}

// outcomeAndID reads the answer of the calls that make accounts.
func outcomeAndID(a *abi.Reader, err error) (abi.Outcome, string, error) {
	if err != nil {
		return 0, "", err
	}
	return abi.Outcome(a.Uint()), a.String(), nil
}

// SessionValue is a value of the reader's session, or "".
func (r *Request) SessionValue(name string) string {
	a := must(abi.OpSessionGet, abi.Writer(nil).String(name))
	a.Bool()
	return a.String()
}

// SetSessionValue changes the reader's session, which begins with the first
// value. It is the one thing that a GET may not do either.
func (r *Request) SetSessionValue(name, value string) error {
	_, err := ask(abi.OpSessionSet, abi.Writer(nil).String(name).String(value))
	return err
}

// DeleteSessionValue removes a value from the reader's session.
func (r *Request) DeleteSessionValue(name string) error {
	_, err := ask(abi.OpSessionDelete, abi.Writer(nil).String(name))
	return err
}

// Notify leaves a short text for the next page that this reader sees.
func (r *Request) Notify(text string) error {
	_, err := ask(abi.OpNotify, abi.Writer(nil).String(text))
	return err
}

// Notices takes the texts that Notify left; each is given once.
func (r *Request) Notices() []string { return must(abi.OpNotices, nil).Strings() }
