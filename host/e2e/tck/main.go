// Command tck writes the guest of the http-wasm conformance kit to a file. It
// and the test beside it are a module of their own, so that the kit's old
// dependencies stay out of Lectern's go.mod; TestConformanceKit of host/e2e
// runs both.
package main

import (
	"fmt"
	"os"

	"github.com/http-wasm/http-wasm-host-go/tck"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: go run . FILE.wasm")
		os.Exit(2)
	}
	if err := os.WriteFile(os.Args[1], tck.GuestWASM, 0o600); err != nil {
		fmt.Fprintln(os.Stderr, "tck: the guest cannot be written:", err)
		os.Exit(1)
	}
}
