// Package e2e tests the built binary from outside: by HTTP, signals, files and
// a real browser. It uses nothing of the host's own packages, so that it holds
// whatever they become.
//
// The tests need the compiled handlers (`task guests`) and a Unix system;
// those of the pages also need Chromium or Chrome. They build the binary once,
// let it set up one data directory, and give each site a copy of that.
//
// The folder tck is a module of its own, with the conformance kit of http-wasm
// at its pinned version: TestPublishedGuests runs it. Go takes it from the
// module proxy.
//
// To look at the pages:
//
//	go test ./host/e2e -run TestScreenshots -screenshots /tmp/pages
package e2e
