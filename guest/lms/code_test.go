package lms_test

import (
	"strings"
	"testing"

	"github.com/lectern-lms/lectern/guest/lms"
)

func TestValidNames(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ code, lesson bool }{
		"now":                                   {true, true},
		"night-sky":                             {true, true},
		"a_b":                                   {true, false},
		"0":                                     {true, true},
		strings.Repeat("a", lms.MaxCodeLen):     {true, true},
		strings.Repeat("a", lms.MaxCodeLen+1):   {false, true},
		strings.Repeat("a", lms.MaxLessonIDLen): {false, true},
		strings.Repeat("a", lms.MaxLessonIDLen+1): {false, false},
		"":           {false, false},
		"Now":        {false, false},
		"a b":        {false, false},
		"a/b":        {false, false},
		"..":         {false, false},
		"niño":       {false, false},
		"now\n":      {false, false},
		"a\x00":      {false, false},
		"a%2f":       {false, false},
		"`{":         {false, false},
		"\xff":       {false, false},
		"café\u0301": {false, false},
	}
	for s, want := range tests {
		if got := lms.ValidCode(s); got != want.code {
			t.Errorf("ValidCode(%q) = %v", s, got)
		}
		if got := lms.ValidLessonID(s); got != want.lesson {
			t.Errorf("ValidLessonID(%q) = %v", s, got)
		}
	}
}

// TestValidNamesByByte tries every byte as a whole name.
func TestValidNamesByByte(t *testing.T) {
	t.Parallel()
	for b := range 256 {
		s := string([]byte{byte(b)})
		lesson := strings.Contains("abcdefghijklmnopqrstuvwxyz0123456789-", s)
		if lms.ValidLessonID(s) != lesson || lms.ValidCode(s) != (lesson || s == "_") {
			t.Errorf("byte %q is judged wrongly", s)
		}
	}
}
