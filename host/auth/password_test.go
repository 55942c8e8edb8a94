package auth

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestPasswordRules(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, password string
		want           error
	}{
		{"eight characters", "zq7#kd9v", nil},
		{"eight of many bytes", strings.Repeat("語", 8), nil},
		{"spaces", "  a b  c  ", nil},
		{"small letters alone", "gorse hinge lamp", nil},
		{"longest", strings.Repeat("xy", MaxPassword/2), nil},
		{"sixty-four of four bytes", strings.Repeat("🐢", 64), nil},
		{"seven characters", "zq7#kd9", ErrPasswordShort},
		{"eight typed, seven composed", "e\u0301zq7#kd", ErrPasswordShort},
		{"too long", strings.Repeat("x", MaxPassword+1), ErrPasswordLong},
		{"common", "password1", ErrPasswordCommon},
		{"common in capitals", "ILoveYou", ErrPasswordCommon},
		{"common in full width", "ｐａｓｓｗｏｒｄ", ErrPasswordCommon},
		{"common of the list's end", lastCommon(), ErrPasswordCommon},
		{"common of the list's start", commonText[:strings.Index(commonText, "\n")], ErrPasswordCommon},
		{"two of the list with a line break", "password\niloveyou", nil},
		{"the login", "ann.lee.long", ErrPasswordName},
		{"the address", "Ann.Lee@example.org", ErrPasswordName},
		{"the address's first part", "ANN.LEE.at.home", nil},
	}
	for _, c := range cases {
		if err := checkPassword(c.password, "ann.lee.long", "ann.lee@example.org", false); !errors.Is(err, c.want) || (c.want == nil) != (err == nil) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
}

// lastCommon is the last password of the list.
func lastCommon() string {
	lines := strings.Split(strings.TrimSuffix(commonText, "\n"), "\n")
	return lines[len(lines)-1]
}

// TestCommonListIsInForm holds that each line can be met by a password.
func TestCommonListIsInForm(t *testing.T) {
	t.Parallel()
	lines := strings.Split(strings.TrimSuffix(commonText, "\n"), "\n")
	if len(lines) < 18_000 || !slices.IsSorted(lines) {
		t.Errorf("%d lines, sorted: %v", len(lines), slices.IsSorted(lines))
	}
	for i, line := range lines {
		if line != normal(line) || utf8.RuneCountInString(line) < MinPassword || i > 0 && line == lines[i-1] {
			t.Errorf("line %d, %q, is in no normal form, too short or there twice", i+1, line)
		}
		if !isCommon(line) {
			t.Errorf("%q is not found", line)
		}
	}
}

// TestPasswordIsTheSameOnEveryKeyboard signs in with the other spelling of the
// same characters.
func TestPasswordIsTheSameOnEveryKeyboard(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.create(NewAccount{Login: "ann", Password: "caf\u00e9 del mar"})
	for password, want := range map[string]error{
		"cafe\u0301 del mar": nil, "caf\u00e9 del mar": nil, "cafe del mar": ErrWrong, "CAF\u00c9 DEL MAR": ErrWrong, " caf\u00e9 del mar": ErrWrong,
	} {
		if _, err := b.Check(t.Context(), "ann", password); !errors.Is(err, want) || (want == nil) != (err == nil) {
			t.Errorf("%q: %v, want %v", password, err, want)
		}
	}
}
