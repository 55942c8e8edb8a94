// Package items is the pages that the benchmarks serve, natively and from a
// sandbox: a list of sixty courses to be rendered, and a page that lies ready.
package items

import "strings"

// ReadySize is the size of Ready in bytes.
const ReadySize = 4096

// Ready is a page of 4 KB that needs no rendering.
var Ready = ready()

// ready makes a page of ReadySize bytes.
func ready() []byte {
	const head, foot = "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Ready</title></head><body>", "</body></html>\n"
	text := strings.Repeat("<p>A line of a page that lies ready in memory.</p>\n", ReadySize)
	return []byte(head + text[:ReadySize-len(head)-len(foot)] + foot)
}
