package lms_test

import (
	"maps"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/lectern-lms/lectern/guest/lms"
)

func TestValidateProfile(t *testing.T) {
	t.Parallel()
	languages := []string{"en", "es", "pt-BR"}
	name, bio := strings.Repeat("ñ", lms.MaxNameRunes), strings.Repeat("é", lms.MaxBioRunes)
	tests := map[string]struct {
		profile lms.Profile
		want    map[string]string
	}{
		"good":                {lms.Profile{Name: "Ana", Bio: "Hello.\nBye.", Language: "pt-BR"}, nil},
		"no language":         {lms.Profile{Name: "Ana"}, nil},
		"limits in runes":     {lms.Profile{Name: name, Bio: bio}, nil},
		"space is trimmed":    {lms.Profile{Name: "  " + name + "\t", Bio: bio + "\n"}, nil},
		"no name":             {lms.Profile{}, map[string]string{"name": lms.MessageRequired}},
		"blank name":          {lms.Profile{Name: " \t\u00a0\x00"}, map[string]string{"name": lms.MessageRequired}},
		"name too long":       {lms.Profile{Name: name + "x"}, map[string]string{"name": lms.MessageTooLong}},
		"bio too long":        {lms.Profile{Name: "A", Bio: bio + "x"}, map[string]string{"bio": lms.MessageTooLong}},
		"unknown language":    {lms.Profile{Name: "A", Language: "tlh"}, map[string]string{"language": lms.MessageUnknownLanguage}},
		"languages have case": {lms.Profile{Name: "A", Language: "EN"}, map[string]string{"language": lms.MessageUnknownLanguage}},
		"all at once": {lms.Profile{Bio: bio + "x", Language: "x"}, map[string]string{
			"name": lms.MessageRequired, "bio": lms.MessageTooLong, "language": lms.MessageUnknownLanguage,
		}},
	}
	for label, tt := range tests {
		t.Run(label, func(t *testing.T) {
			t.Parallel()
			if got := lms.ValidateProfile(tt.profile, languages); got == nil || !maps.Equal(got, tt.want) {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func TestClean(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, bio, wantName, wantBio string }{
		{"  Ana   María ", "one\r\ntwo\rthree\n", "Ana María", "one\ntwo\nthree"},
		{"Ana\nB", "\x00a\x1b[31mb\u0085", "Ana B", "a[31mb"},
		{"\u202eanA\u2066", "tab\tstays", "anA", "tab\tstays"},
		{"bad\xffbyte", "\xfe", "badbyte", ""},
		{"family \u200d joiner", "नमस्ते", "family \u200d joiner", "नमस्ते"},
	}
	for _, tt := range tests {
		got := lms.Clean(lms.Profile{Name: tt.name, Bio: tt.bio})
		if got.Name != tt.wantName || got.Bio != tt.wantBio {
			t.Errorf("Clean(%q, %q) = %q, %q", tt.name, tt.bio, got.Name, got.Bio)
		}
	}
	if got := lms.Clean(lms.Profile{Language: " es ", Joined: noon}); got.Language != "es" || !got.Joined.Equal(noon) {
		t.Errorf("language or joining time: %+v", got)
	}
}

// FuzzClean feeds form fields of any bytes: the result is valid UTF-8 without
// control characters, and cleaning it again changes nothing.
func FuzzClean(f *testing.F) {
	for _, seed := range []string{"Ana", " a\r\nb\x00", "\xff\u202e", "\r\x00\n", "\u2028\u00a0x"} {
		f.Add(seed, seed)
	}
	f.Fuzz(func(t *testing.T, name, bio string) {
		once := lms.Clean(lms.Profile{Name: name, Bio: bio})
		if twice := lms.Clean(once); twice != once {
			t.Errorf("%+v became %+v", once, twice)
		}
		if !utf8.ValidString(once.Name+once.Bio) || strings.ContainsAny(once.Name, "\x00\n\r\t\x1b") || strings.ContainsAny(once.Bio, "\x00\r\x1b") {
			t.Errorf("not clean: %+v", once)
		}
	})
}
