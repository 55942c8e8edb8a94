package auth

import (
	"errors"
	"fmt"
	"net/mail"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Limits of names. An address of more than 254 bytes fits into no mail
// envelope (RFC 5321), nor does a local part of more than 64.
const (
	maxLogin = 64
	maxEmail = 254
	maxLocal = 64
	maxRole  = 32
)

// The errors of names that cannot be used.
var (
	// ErrInvalidLogin says that a login is empty, too long, has characters
	// other than letters, digits, ".", "-" and "_", or has an "@" but is not
	// the account's e-mail address.
	ErrInvalidLogin = errors.New("auth: invalid login")
	// ErrInvalidEmail says that a text is no e-mail address.
	ErrInvalidEmail = errors.New("auth: invalid e-mail address")
	// ErrInvalidRole says that a role is no word of small ASCII letters.
	ErrInvalidRole = errors.New("auth: invalid role")
	// ErrInvalidID says that a given id is no ULID.
	ErrInvalidID = errors.New("auth: the id is no ULID")
)

// normal brings a name into the form in which names are compared: compatible
// characters made equal (a full-width "Ａ" is an "A"), lower case, no space
// around it. A second time it changes nothing.
func normal(s string) string {
	s = norm.NFKC.String(strings.TrimSpace(s))
	// Lower case can give a sequence that composes, and composing a capital.
	return strings.TrimSpace(norm.NFKC.String(strings.ToLower(norm.NFKC.String(strings.ToLower(s)))))
}

// normalLogin returns a login that is no e-mail address in normal form.
func normalLogin(login string) (string, error) {
	// A bound before the work: one character can become 18 in NFKC.
	if len(login) > 4*maxLogin || !utf8.ValidString(login) {
		return "", fmt.Errorf("%w: use at most %d characters", ErrInvalidLogin, maxLogin)
	}
	login = normal(login)
	if n := utf8.RuneCountInString(login); n < 1 || n > maxLogin {
		return "", fmt.Errorf("%w: it has %d characters, use 1 to %d", ErrInvalidLogin, n, maxLogin)
	}
	for _, r := range login {
		if !unicode.IsLetter(r) && !unicode.IsMark(r) && !unicode.IsDigit(r) && !strings.ContainsRune(".-_", r) {
			return "", fmt.Errorf("%w: use letters, digits, dots, hyphens and underscores", ErrInvalidLogin)
		}
	}
	return login, nil
}

// normalEmail returns an e-mail address in normal form. The whole address is
// taken to lower case: no mail system of note tells local parts apart by it.
func normalEmail(email string) (string, error) {
	if len(email) > maxEmail || !utf8.ValidString(email) {
		return "", fmt.Errorf("%w: use at most %d bytes", ErrInvalidEmail, maxEmail)
	}
	email = normal(email)
	if len(email) > maxEmail || strings.ContainsFunc(email, unusual) {
		return "", fmt.Errorf("%w: use the plain form name@example.org", ErrInvalidEmail)
	}
	// A name, a comment or quotes make the parsed address differ.
	parsed, err := mail.ParseAddress(email)
	if err != nil || parsed.Name != "" || parsed.Address != email || strings.LastIndex(email, "@") > maxLocal {
		return "", fmt.Errorf("%w: use the plain form name@example.org", ErrInvalidEmail)
	}
	return email, nil
}

// unusual reports characters that have no place in an address as people
// write it: spaces, invisible ones, quotes, brackets of domain literals.
func unusual(r rune) bool {
	return !unicode.IsGraphic(r) || unicode.IsSpace(r) || strings.ContainsRune(`"<>[](),;:\`, r)
}

// checkRole reports whether role has the form of one.
func checkRole(role string) error {
	if role == "" || len(role) > maxRole || strings.Trim(role, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
		return fmt.Errorf("%w: use 1 to %d small letters, digits, hyphens and underscores", ErrInvalidRole, maxRole)
	}
	return nil
}

// normalNames checks login and e-mail address of a new account together.
func normalNames(login, email string) (string, string, error) {
	if strings.TrimSpace(email) != "" {
		var err error
		if email, err = normalEmail(email); err != nil {
			return "", "", err
		}
	} else {
		email = ""
	}
	if !strings.Contains(login, "@") && !strings.Contains(normal(login), "@") {
		login, err := normalLogin(login)
		return login, email, err
	}
	address, err := normalEmail(login)
	if err != nil {
		return "", "", fmt.Errorf("%w: it has an @ but is no e-mail address", ErrInvalidLogin)
	}
	if email == "" {
		email = address
	}
	if address != email {
		return "", "", fmt.Errorf("%w: it is an e-mail address, but not that of the account", ErrInvalidLogin)
	}
	return address, email, nil
}
