package config

import "log/slog"

// Secret is text that must not be seen. Everything that prints it prints its
// mask; [Secret.Reveal] gives the text itself.
type Secret string

// Reveal returns the secret itself, for signing and comparing only.
func (s Secret) Reveal() string { return string(s) }

// String returns the mask.
func (s Secret) String() string { return Mask(string(s)) }

// GoString returns the mask, for the verb %#v.
func (s Secret) GoString() string { return s.String() }

// LogValue returns the mask, for slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText returns the mask, for JSON.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Mask shortens a secret the way NOW LMS's debug pages do, so that a person
// can tell two keys apart: "[not set]" if it is empty, "****" up to 8
// characters, otherwise the first and the last 4. It suits long keys; a
// password is never masked like this but hidden whole.
func Mask(secret string) string {
	switch r := []rune(secret); {
	case len(r) == 0:
		return "[not set]"
	case len(r) <= 8:
		return "****"
	default:
		return string(r[:4]) + "..." + string(r[len(r)-4:])
	}
}

// hide replaces a password, whatever its length.
func hide(password Secret) string {
	if password == "" {
		return Mask("")
	}
	return "****"
}
