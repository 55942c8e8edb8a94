package jetstream

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go"
)

// Times of a connection.
const (
	// connectTimeout bounds the first connection.
	connectTimeout = 5 * time.Second
	// reconnectWait and reconnectJitter are between attempts to reconnect.
	reconnectWait   = 100 * time.Millisecond
	reconnectJitter = 200 * time.Millisecond
	// pingInterval finds a connection that died without a word in twice its time.
	pingInterval = 5 * time.Second
)

// Dial connects a worker process to the listener of its node's [Server]; url
// and token are those of the Server. A wrong token is an error at once; a
// connection that is lost later is made again for ever.
func Dial(url, token, name string) (*nats.Conn, error) {
	return connect(url, token, name, slog.Default())
}

// connect makes a connection with what all of them have in common. Nothing is
// buffered while the connection is down: a write that was given up must not
// happen later.
func connect(url, token, name string, log *slog.Logger, more ...nats.Option) (*nats.Conn, error) {
	log = log.With("connection", name)
	opts := append([]nats.Option{
		nats.Name(name),
		nats.Token(token),
		nats.Timeout(connectTimeout),
		nats.MaxReconnects(-1),
		nats.ReconnectWait(reconnectWait),
		nats.ReconnectJitter(reconnectJitter, reconnectJitter),
		nats.ReconnectBufSize(-1),
		nats.PingInterval(pingInterval),
		nats.MaxPingsOutstanding(2),
		nats.NoCallbacksAfterClientClose(),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			log.Warn("store connection lost, connecting again", "error", err)
		}),
		nats.ReconnectHandler(func(*nats.Conn) { log.Info("store connection is back") }),
		nats.ClosedHandler(func(nc *nats.Conn) {
			log.Error("store connection closed for good", "error", nc.LastError())
		}),
		nats.ErrorHandler(func(_ *nats.Conn, sub *nats.Subscription, err error) {
			log.Warn("store connection error", "error", err)
		}),
	}, more...)
	nc, err := nats.Connect(url, opts...)
	if err != nil {
		return nil, fmt.Errorf("jetstream: connect %s: %w", name, err)
	}
	return nc, nil
}
