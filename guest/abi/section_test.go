package abi

import (
	"errors"
	"testing"
)

const someManifest = `{"abi":1,"name":"hello","version":"1","routes":[{"pattern":"GET /hello"}]}`

func TestManifestInModule(t *testing.T) {
	t.Parallel()
	// A module with an empty type section before the manifest.
	module := AppendManifest([]byte(moduleHeader+"\x01\x01\x00"), []byte(someManifest))
	m, err := FindManifest(module)
	if err != nil || m.Name != "hello" {
		t.Fatalf("found %+v, %v", m, err)
	}
	if _, err := FindManifest([]byte(moduleHeader)); !errors.Is(err, ErrNoManifest) {
		t.Errorf("a module without a manifest gave %v", err)
	}
	for cut := range len(module) - 1 {
		if m, err := FindManifest(module[:cut]); err == nil {
			t.Errorf("cut to %d bytes it still has the manifest %+v", cut, m)
		}
	}
}

func FuzzFindManifest(f *testing.F) {
	f.Add(AppendManifest([]byte(moduleHeader), []byte(someManifest)))
	f.Add([]byte(moduleHeader + "\x00\xff\xff\xff\xff\x0f"))
	f.Fuzz(func(t *testing.T, module []byte) {
		if m, err := FindManifest(module); (m == nil) == (err == nil) {
			t.Fatalf("gave %v and %v", m, err)
		}
	})
}
