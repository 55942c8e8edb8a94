package jetstream

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
)

// serverLog hands the embedded server's log lines to slog. Notices become
// debug lines, since each start writes some twenty. A fatal error does not end
// the process: StartServer takes it from the channel.
type serverLog struct {
	log   *slog.Logger
	fatal chan string
}

// Noticef implements the server's Logger.
func (l *serverLog) Noticef(format string, v ...any) {
	l.log.Debug("nats: " + fmt.Sprintf(format, v...))
}

// Warnf implements the server's Logger.
func (l *serverLog) Warnf(format string, v ...any) {
	msg := fmt.Sprintf(format, v...)
	level := slog.LevelWarn
	switch {
	case strings.HasPrefix(msg, unverified):
		return
	case slices.ContainsFunc(usual, func(text string) bool { return strings.HasPrefix(msg, text) }):
		level = slog.LevelDebug
	}
	l.log.Log(context.Background(), level, "nats: "+msg)
}

// unverified begins the server's warning about routes whose certificates only
// our own routeTLS.verify checks; it is stricter than what the server misses.
const unverified = "TLS certificate chain and hostname of solicited routes"

// usual begin warnings of each start and stop in a cluster: AwaitQuorum tells
// of the first two, and the third is about the time that a snapshot takes.
var usual = []string{"Waiting for routing to be established", "JetStream has not established contact", "Metalayer blocking snapshot"}

// noRoute begins the error about another node that cannot be reached.
// AwaitQuorum and the loss of a route say it better and less often.
const noRoute = "Error trying to connect to route"

// onRoute is in errors of a connection to another node, which is made again.
const onRoute = " - rid:"

// Errorf implements the server's Logger.
func (l *serverLog) Errorf(format string, v ...any) {
	msg, level := fmt.Sprintf(format, v...), slog.LevelError
	switch {
	case strings.HasPrefix(msg, noRoute):
		level = slog.LevelDebug
	case strings.Contains(msg, onRoute):
		level = slog.LevelWarn
	}
	l.log.Log(context.Background(), level, "nats: "+msg)
}

// Debugf implements the server's Logger.
func (l *serverLog) Debugf(format string, v ...any) {
	l.log.Debug("nats: " + fmt.Sprintf(format, v...))
}

// Tracef implements the server's Logger. Traces hold payloads and are dropped.
func (l *serverLog) Tracef(string, ...any) {}

// Fatalf implements the server's Logger.
func (l *serverLog) Fatalf(format string, v ...any) {
	msg := fmt.Sprintf(format, v...)
	l.log.Error("nats: " + msg)
	select {
	case l.fatal <- msg:
	default:
	}
}
