package abi

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// moduleHeader is how every WebAssembly module of version 1 begins.
const moduleHeader = "\x00asm\x01\x00\x00\x00"

// ErrNoManifest says that a module carries no manifest.
var ErrNoManifest = errors.New("the module has no custom section " + ManifestSection + ": build it with `task guests`")

// AppendManifest adds a manifest's JSON to a module as a custom section, in
// the binary format of WebAssembly: id 0, size, then name and content. A
// module may have only one; see FindManifest.
func AppendManifest(module, manifest []byte) []byte {
	body := binary.AppendUvarint(nil, uint64(len(ManifestSection)))
	body = append(append(body, ManifestSection...), manifest...)
	module = append(module, 0)
	module = binary.AppendUvarint(module, uint64(len(body)))
	return append(module, body...)
}

// FindManifest reads the manifest that a module carries, without looking at
// anything else in it.
func FindManifest(module []byte) (*Manifest, error) {
	if len(module) < len(moduleHeader) || string(module[:len(moduleHeader)]) != moduleHeader {
		return nil, errors.New("this is not a WebAssembly module of version 1")
	}
	for rest := module[len(moduleHeader):]; len(rest) > 0; {
		id := rest[0]
		body, after, err := cutSized(rest[1:])
		if err != nil {
			return nil, err
		}
		rest = after
		if id != 0 {
			continue
		}
		name, content, err := cutSized(body)
		if err != nil {
			return nil, err
		}
		if string(name) == ManifestSection {
			return ParseManifest(content)
		}
	}
	return nil, ErrNoManifest
}

// cutSized takes a length and that many bytes off the front.
func cutSized(b []byte) (body, rest []byte, err error) {
	n, size := binary.Uvarint(b)
	if size <= 0 || n > uint64(len(b)-size) {
		return nil, nil, fmt.Errorf("the module is cut off: %w", ErrMessage)
	}
	return b[size : size+int(n)], b[size+int(n):], nil
}
