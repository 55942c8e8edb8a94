package auth

import (
	_ "embed" // for the list of common passwords
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Lengths of passwords. NIST SP 800-63B asks for 8 characters at least and for
// 64 at most that must be allowed; OWASP says the same. (Its fourth revision of
// 2025 asks for 15 where a password is the only factor. That suits a bank
// better than a class of ten-year-olds; the list of common passwords and the
// limit of attempts make up for it.) The most, in bytes, bounds the work of one
// request.
const (
	MinPassword = 8
	MaxPassword = 1000
)

// The errors of passwords that are refused. Each of the others wraps ErrWeak.
var (
	// ErrWeak says that a password may not be used.
	ErrWeak = errors.New("auth: password refused")
	// ErrPasswordShort asks for at least MinPassword characters.
	ErrPasswordShort = fmt.Errorf("%w: use at least %d characters", ErrWeak, MinPassword)
	// ErrPasswordLong asks for at most MaxPassword bytes.
	ErrPasswordLong = fmt.Errorf("%w: use at most %d bytes", ErrWeak, MaxPassword)
	// ErrPasswordCommon says that everybody tries this password first.
	ErrPasswordCommon = fmt.Errorf("%w: it is one of the commonest, choose another", ErrWeak)
	// ErrPasswordName says that it is the login or the e-mail address.
	ErrPasswordName = fmt.Errorf("%w: it is the login or the e-mail address, choose another", ErrWeak)
)

// checkPassword reports why a password is refused. There are no rules about
// kinds of characters: they make passwords worse (NIST SP 800-63B, 5.1.1.2).
func checkPassword(password, login, email string, allowWeak bool) error {
	switch {
	case len(password) > MaxPassword:
		return ErrPasswordLong
	case utf8.RuneCountInString(typed(password)) < MinPassword:
		return ErrPasswordShort
	case allowWeak:
		return nil
	}
	plain := normal(password)
	local, _, _ := strings.Cut(email, "@")
	switch {
	case isCommon(plain):
		return ErrPasswordCommon
	case plain == login, plain == email, plain == local:
		return ErrPasswordName
	}
	return nil
}

// typed is a password in Unicode form NFC, in which it is measured and hashed:
// keyboards differ in whether they send "é" as one character or as two. Its
// other characters stay as they are, spaces included.
func typed(password string) string { return norm.NFC.String(password) }

// commonText holds the commonest passwords of at least MinPassword characters,
// in normal form, one a line, in ascending order. They are those in
// src/passwords.json of @zxcvbn-ts/language-common 3.0.4 from npm, which come
// from published breaches (licence: MIT, in common.LICENSE.txt), and some two
// hundred more that a learning site in English, Spanish and Portuguese meets.
//
//go:embed common.txt
var commonText string

// isCommon reports whether everybody tries this password first, by a binary
// search through the text.
func isCommon(plain string) bool {
	for text := commonText; len(text) > 0; {
		start := strings.LastIndexByte(text[:len(text)/2], '\n') + 1
		end := start + strings.IndexByte(text[start:], '\n')
		switch line := text[start:end]; {
		case line == plain:
			return true
		case line < plain:
			text = text[end+1:]
		default:
			text = text[:start]
		}
	}
	return false
}
