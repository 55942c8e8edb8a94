package main

import (
	"context"
	"net"
	"net/http"
	"os"
	"testing"

	"github.com/http-wasm/http-wasm-host-go/tck"
)

// The variables by which the test is told where the server is.
const (
	// addressVariable is its TCP address.
	addressVariable = "TCK_ADDRESS"
	// hostVariable is the host name to ask it for: the kit's guest wants all
	// paths from the root on, which the site's own pages have at its own name.
	hostVariable = "TCK_HOST"
)

// TestKit runs the kit against a server with the kit's guest in front of a
// handler that tells what it was asked.
func TestKit(t *testing.T) {
	address, host := os.Getenv(addressVariable), os.Getenv(hostVariable)
	if address == "" || host == "" {
		t.Fatalf("%s and %s are not set: this test is run by TestConformanceKit of host/e2e", addressVariable, hostVariable)
	}
	var dialer net.Dialer
	client := &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, network, address)
		},
	}}
	tck.Run(t, client, "http://"+host)
}
