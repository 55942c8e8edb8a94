package redis

import (
	"context"
	"crypto/tls"
	"net"
)

// dialUnix connects to a socket in the file system.
func dialUnix(ctx context.Context, path string, d *net.Dialer, _ *tls.Config) (net.Conn, error) {
	return d.DialContext(ctx, "unix", path)
}
