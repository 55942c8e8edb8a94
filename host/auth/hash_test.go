package auth

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

// published is a hash of "password" from the tests of the argon2 reference
// implementation, on which the reference system's library is built.
const published = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"

func TestPublishedHashVerifies(t *testing.T) {
	t.Parallel()
	hash, err := parsePHC(published)
	if err != nil {
		t.Fatal(err)
	}
	h := newHasher(owasp, 1)
	for password, want := range map[string]bool{"password": true, "Password": false} {
		if ok, err := h.verify(t.Context(), hash, password); ok != want || err != nil {
			t.Errorf("%q: %v, %v", password, ok, err)
		}
	}
}

func TestProductionParameters(t *testing.T) {
	t.Parallel()
	h := newHasher(owasp, 1)
	hash, err := h.hash(t.Context(), goodPassword)
	if err != nil {
		t.Fatal(err)
	}
	text := hash.encode()
	if !strings.HasPrefix(text, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Errorf("got %q", text)
	}
	read, err := parsePHC(text)
	if err != nil {
		t.Fatal(err)
	}
	for password, want := range map[string]bool{goodPassword: true, "wrong": false, "": false} {
		if ok, err := h.verify(t.Context(), read, password); ok != want || err != nil {
			t.Errorf("%q: %v, %v", password, ok, err)
		}
	}
	again, err := h.hash(t.Context(), goodPassword)
	if err != nil || bytes.Equal(again.salt, hash.salt) || bytes.Equal(again.sum, hash.sum) {
		t.Errorf("two hashes of one password share salt or sum, %v", err)
	}
}

func TestPHCRefuses(t *testing.T) {
	t.Parallel()
	const salt, sum = "AAAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	good := "$argon2id$v=19$m=8,t=1,p=1$" + salt + "$" + sum
	if _, err := parsePHC(good); err != nil {
		t.Fatal(err)
	}
	cases := map[string]string{
		"empty":           "",
		"other function":  strings.Replace(good, "argon2id", "argon2i", 1),
		"other version":   strings.Replace(good, "v=19", "v=16", 1),
		"no version":      strings.Replace(good, "$v=19", "", 1),
		"gigabytes":       strings.Replace(good, "m=8", "m=1048576", 1),
		"over 32 bits":    strings.Replace(good, "m=8", "m=4294967304", 1),
		"too little":      strings.Replace(good, "m=8", "m=7", 1),
		"lanes hungry":    strings.Replace(good, "p=1", "p=2", 1),
		"no pass":         strings.Replace(good, "t=1", "t=0", 1),
		"many passes":     strings.Replace(good, "t=1", "t=11", 1),
		"no lane":         strings.Replace(good, "p=1", "p=0", 1),
		"many lanes":      strings.Replace(strings.Replace(good, "p=1", "p=17", 1), "m=8", "m=1024", 1),
		"leading zero":    strings.Replace(good, "m=8", "m=08", 1),
		"sign":            strings.Replace(good, "m=8", "m=+8", 1),
		"hexadecimal":     strings.Replace(good, "m=8", "m=0x8", 1),
		"other order":     strings.Replace(good, "m=8,t=1", "t=1,m=8", 1),
		"surplus":         strings.Replace(good, "p=1", "p=1,x=1", 1),
		"space":           strings.Replace(good, "m=8", "m= 8", 1),
		"short salt":      strings.Replace(good, salt, "AAAA", 1),
		"no salt":         strings.Replace(good, salt, "", 1),
		"short sum":       strings.TrimSuffix(good, sum) + "AAAA",
		"no sum":          strings.TrimSuffix(good, sum),
		"stray bits":      good[:len(good)-1] + "B",
		"padding":         good + "=",
		"line break":      good + "\n",
		"URL alphabet":    strings.Replace(good, "AAAA", "AA-_", 1),
		"another part":    good + "$" + sum,
		"oversized":       good + strings.Repeat("A", 1<<20),
		"text in front":   "x" + good,
		"bcrypt":          "$2b$12$abcdefghijklmnopqrstuuABCDEFGHIJKLMNOPQRSTUVWXYZ012345",
		"several dollars": "$$$$$",
	}
	for name, text := range cases {
		if p, err := parsePHC(text); err == nil {
			t.Errorf("%s: read as %+v", name, p.Params)
		} else if text != "" && strings.Contains(err.Error(), text) {
			t.Errorf("%s: the error quotes the hash", name)
		}
	}
}

// FuzzParsePHC holds that each hash has one spelling and keeps the bounds.
func FuzzParsePHC(f *testing.F) {
	good := phc{Params: owasp, salt: make([]byte, saltSize), sum: make([]byte, sumSize)}.encode()
	for _, seed := range []string{"", good, good[:40], good + "=", published, strings.Replace(good, "19456", "4294967295", 1)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := parsePHC(text)
		if err != nil {
			return
		}
		if p.encode() != text {
			t.Errorf("%q is written as %q", text, p.encode())
		}
		if p.Memory > maxMemory || p.Time > maxTime || p.Threads > maxThreads || len(p.sum) > maxSum || len(p.salt) > maxSalt {
			t.Errorf("%q is out of bounds", text)
		}
	})
}

// FuzzDecodeStored holds that no bytes break the decoder, and that what it
// accepts can be written and read again.
func FuzzDecodeStored(f *testing.F) {
	hash := phc{Params: cheap, salt: make([]byte, saltSize), sum: make([]byte, sumSize)}
	good := stored{Account: Account{ID: nobody, Login: "ann", Email: "ann@example.org", Role: "student"}, hash: hash}.encode()
	f.Add(good)
	f.Add(good[:len(good)-1])
	f.Add(append(good, good...))
	f.Add([]byte(`{"v":1}`))
	f.Add([]byte(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := decodeStored(b)
		if err != nil {
			return
		}
		again, err := decodeStored(s.encode())
		if err != nil || !json.Valid(b) || again.Login != s.Login || again.hash.encode() != s.hash.encode() {
			t.Errorf("%q is read as %+v and then as %+v, %v", b, s, again, err)
		}
	})
}

// FuzzNormal holds that a normal form stays as it is, so that a name stored
// in it is found again, and that it makes a legal key.
func FuzzNormal(f *testing.F) {
	for _, seed := range []string{"Ann", "İstanbul", "ﬁ@example.org", "Å\u030a", "ϓ\u0301", " Ａ\u200b", "ẞß", "K\u212a", "\u1E9E", "ὈΔΥΣΣΕΎΣ", "a/b@example.org"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if login, err := normalLogin(s); err == nil {
			again, err := normalLogin(login)
			if err != nil || again != login || !utf8.ValidString(login) || strings.ContainsAny(login, "@/ ") {
				t.Errorf("login %q: %q, then %q, %v", s, login, again, err)
			}
		}
		if email, err := normalEmail(s); err == nil {
			again, err := normalEmail(email)
			if err != nil || again != email || len(email) > maxEmail {
				t.Errorf("e-mail %q: %q, then %q, %v", s, email, again, err)
			}
			if strings.Contains(strings.TrimPrefix(emailKey(email), Prefix+"email/"), "/") {
				t.Errorf("e-mail %q makes the key %q", s, emailKey(email))
			}
		}
	})
}
