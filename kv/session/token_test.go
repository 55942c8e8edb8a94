package session

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/lectern-lms/lectern/kv"
)

func TestTokenIsReadBack(t *testing.T) {
	t.Parallel()
	s := newSigner(sessionName, [][]byte{testKey})
	for _, rev := range []kv.Revision{0, 1, 1 << 40, 1<<64 - 1} {
		id := newID()
		value := s.sign(id, rev)
		got, err := s.parse(value)
		if err != nil || got.id != id || got.Revision != rev || got.oldKey || got.ID() != id.hash() {
			t.Errorf("revision %d: got %+v, %v", rev, got, err)
		}
		if len(value) > 256 || len(hostPrefix+sessionName)+len(value) > 4096 {
			t.Errorf("the value has %d characters", len(value))
		}
		if strings.Trim(value, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			t.Errorf("the value %q needs quoting in a cookie", value)
		}
	}
}

func TestTokenHasAFreshID(t *testing.T) {
	t.Parallel()
	seen := map[sessionID]bool{{}: true}
	for range 1000 {
		id := newID()
		if seen[id] {
			t.Fatal("an id came twice, or is zero")
		}
		seen[id] = true
	}
}

func TestVerifyRefusesWhatWasNotSigned(t *testing.T) {
	t.Parallel()
	s := newSigner(sessionName, [][]byte{testKey})
	good := s.sign(newID(), 7)
	raw, err := base64.RawURLEncoding.DecodeString(good)
	if err != nil {
		t.Fatal(err)
	}
	otherVersion := append([]byte{2}, raw[1:]...)
	// 98 characters carry 588 bits, 73 bytes are 584: the last character has
	// four bits that must be zero.
	last := strings.IndexByte(alphabet, good[len(good)-1])
	cases := map[string]string{
		"empty":           "",
		"truncated":       good[:len(good)-1],
		"longer":          good + "A",
		"oversized":       strings.Repeat(good, 10_000),
		"padded":          good + "==",
		"stray bits":      good[:len(good)-1] + alphabet[last+1:last+2],
		"line break":      good[:40] + "\n" + good[41:],
		"added line end":  good[:len(good)-1] + "\r",
		"other alphabet":  good[:40] + "+" + good[41:],
		"quoted":          `"` + good[1:len(good)-1] + `"`,
		"not ASCII":       good[:40] + "é" + good[42:],
		"zero bytes":      strings.Repeat("\x00", len(good)),
		"all A":           strings.Repeat("A", len(good)),
		"other version":   base64.RawURLEncoding.EncodeToString(otherVersion),
		"other key":       newSigner(sessionName, [][]byte{oldKey}).sign(newID(), 7),
		"other cookie":    newSigner(hostPrefix+sessionName, [][]byte{testKey}).sign(newID(), 7),
		"the secret's":    base64.RawURLEncoding.EncodeToString(append(raw[:bodySize:bodySize], mac(testKey, raw[:bodySize])...)),
		"other signature": s.sign(newID(), 7)[:50] + good[50:],
	}
	for name, value := range cases {
		if _, err := s.parse(value); err == nil {
			t.Errorf("%s: %.120q was accepted", name, value)
		}
	}
}

// alphabet is that of base64url, by value.
const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

func TestVerifyRefusesEveryTamperedBit(t *testing.T) {
	t.Parallel()
	s := newSigner(sessionName, [][]byte{testKey})
	raw, _ := base64.RawURLEncoding.DecodeString(s.sign(newID(), 7))
	for i := range raw {
		for bit := range 8 {
			raw[i] ^= 1 << bit
			if _, err := s.parse(base64.RawURLEncoding.EncodeToString(raw)); err == nil {
				t.Errorf("bit %d of byte %d may be changed", bit, i)
			}
			raw[i] ^= 1 << bit
		}
	}
}

func TestVerifyTakesAnOlderKey(t *testing.T) {
	t.Parallel()
	old := newSigner(sessionName, [][]byte{oldKey}).sign(newID(), 7)
	both := newSigner(sessionName, [][]byte{testKey, oldKey})
	if got, err := both.parse(old); err != nil || !got.oldKey {
		t.Errorf("with the old key as a fallback: %+v, %v", got, err)
	}
	if got, err := both.parse(both.sign(newID(), 7)); err != nil || got.oldKey {
		t.Errorf("the first key does not sign: %+v, %v", got, err)
	}
	if _, err := newSigner(sessionName, [][]byte{testKey}).parse(old); err == nil {
		t.Error("accepted after the old key was retired")
	}
}

func TestUnverifiedTokenNamesNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t, Config{})
	tok, ok := b.Verify("nonsense")
	if ok || tok.ID() != "" {
		t.Errorf("got %v, %q", ok, tok.ID())
	}
	tok, ok = b.Verify(b.start("a", "1"))
	if !ok || len(tok.ID()) != 52 || tok.Revision == 0 {
		t.Errorf("got %v, %q, revision %d", ok, tok.ID(), tok.Revision)
	}
}

// FuzzVerify holds that only values which the signer makes are accepted, each
// in one spelling.
func FuzzVerify(f *testing.F) {
	s := newSigner(sessionName, [][]byte{testKey})
	good := s.sign(sessionID{1, 2, 3}, 42)
	for _, seed := range []string{"", good, good[:97], good + "=", strings.ToLower(good), good[:97] + "\n", "session"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		tok, err := s.parse(value)
		if err != nil {
			if tok.ID() != "" {
				t.Errorf("a refused value names session %q", tok.ID())
			}
			return
		}
		if again := s.sign(tok.id, tok.Revision); again != value {
			t.Errorf("accepted %q, which is signed as %q", value, again)
		}
	})
}
