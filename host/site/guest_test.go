package site_test

import (
	"encoding/binary"
	"slices"

	"github.com/lectern-lms/lectern/guest/abi"
)

// section is one section of a WebAssembly module: its id and its content.
func section(id byte, content ...byte) []byte {
	return append(binary.AppendUvarint([]byte{id}, uint64(len(content))), content...)
}

// text is a name or a string of bytes, as the binary format writes it.
func text(s string) []byte { return append(binary.AppendUvarint(nil, uint64(len(s))), s...) }

// Instructions and types of the binary format that the guest below needs.
const (
	i32, i64                      = 0x7f, 0x7e
	unreachable, call, end        = 0x00, 0x10, 0x0b
	i32Const, i64Const            = 0x41, 0x42
	typeSection, importSection    = 1, 2
	functions, memories, exports  = 3, 5, 7
	codeSection, dataSection      = 10, 11
	customSection, functionNaming = 0, 1
)

// guest is the least handler there can be: it answers every request with a
// text of at most 63 bytes, or with a trap if that is empty. Compiling a real
// handler takes half a minute under the race detector.
func guest(manifest, page string) []byte {
	answer := []byte{unreachable}
	if page != "" {
		// write_body(1 for the response, address, length)
		answer = []byte{i32Const, 1, i32Const, 0, i32Const, byte(len(page)), call, 0, i64Const, 0}
	}
	code := slices.Concat([]byte{0}, answer, []byte{end})
	return abi.AppendManifest(slices.Concat(
		[]byte("\x00asm\x01\x00\x00\x00"),
		section(typeSection, 3, 0x60, 0, 1, i64, 0x60, 2, i32, i32, 0, 0x60, 3, i32, i32, i32, 0),
		section(importSection, slices.Concat([]byte{1}, text("http_handler"), text("write_body"), []byte{0, 2})...),
		section(functions, 2, 0, 1),
		section(memories, 1, 0, 1),
		section(exports, slices.Concat([]byte{3}, text("memory"), []byte{2, 0},
			text("handle_request"), []byte{0, 1}, text("handle_response"), []byte{0, 2})...),
		section(codeSection, slices.Concat([]byte{2, byte(len(code))}, code, []byte{2, 0, end})...),
		section(dataSection, slices.Concat([]byte{1, 0, i32Const, 0, end}, text(page))...),
		section(customSection, slices.Concat(text("name"), section(functionNaming, slices.Concat([]byte{1, 1}, text("guest.answer"))...))...),
	), []byte(manifest))
}
