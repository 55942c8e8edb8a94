package jetstream

import (
	"fmt"
	"strings"

	"github.com/lectern-lms/lectern/kv"
)

// hexDigits are those that an escape uses; lower case is not decoded, so each
// key has one encoding only.
const hexDigits = "0123456789ABCDEF"

// plain tells which bytes of a key stand for themselves in a subject.
func plain(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_'
}

// encodeKey turns a key into the tail of a subject: segments become tokens,
// other bytes than letters, digits, "-" and "_" become "=XX". A key of
// kv.MaxKey bytes has at most 3,072, under NATS's control line of 4,096.
func encodeKey(key string) string {
	n := len(key)
	for i := range len(key) {
		if c := key[i]; c != '/' && !plain(c) {
			n += 2
		}
	}
	var b strings.Builder
	b.Grow(n)
	for i := range len(key) {
		switch c := key[i]; {
		case c == '/':
			b.WriteByte('.')
		case plain(c):
			b.WriteByte(c)
		default:
			b.WriteByte('=')
			b.WriteByte(hexDigits[c>>4])
			b.WriteByte(hexDigits[c&15])
		}
	}
	return b.String()
}

// decodeKey is the inverse of encodeKey. It refuses what encodeKey cannot
// have made.
func decodeKey(enc string) (string, error) {
	var b strings.Builder
	b.Grow(len(enc))
	for i := 0; i < len(enc); i++ {
		switch c := enc[i]; {
		case c == '.':
			b.WriteByte('/')
		case plain(c):
			b.WriteByte(c)
		case c == '=' && i+2 < len(enc):
			hi := strings.IndexByte(hexDigits, enc[i+1])
			lo := strings.IndexByte(hexDigits, enc[i+2])
			v := byte(hi<<4 | lo)
			if hi < 0 || lo < 0 || plain(v) || v == '/' {
				return "", fmt.Errorf("%w: the subject %.80q holds a wrong escape", errMalformed, enc)
			}
			b.WriteByte(v)
			i += 2
		default:
			return "", fmt.Errorf("%w: the subject %.80q is not an encoded key", errMalformed, enc)
		}
	}
	key := b.String()
	if err := kv.CheckKey(key); err != nil {
		return "", fmt.Errorf("%w: the subject %.80q: %w", errMalformed, enc, err)
	}
	return key, nil
}
