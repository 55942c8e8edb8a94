package redis

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"time"

	"github.com/redis/rueidis"

	"github.com/lectern-lms/lectern/kv"
)

// Times and sizes of connections.
const (
	// dialTimeout is how long one attempt to connect may take.
	dialTimeout = 3 * time.Second
	// silence is how long a server may say nothing before a connection with
	// questions under way is given up.
	silence = 10 * time.Second
	// bufferBytes is the size of each connection's two buffers; the client's
	// own default is half a megabyte.
	bufferBytes = 64 << 10
)

// Options say how to reach a Redis.
type Options struct {
	// URL is redis://user:password@host:port/db, rediss:// for TLS, or
	// unix:///path.
	URL string
	// Name is shown by CLIENT LIST.
	Name string
	// TLS replaces the configuration that rediss:// stands for, as for a
	// private authority; nil for the system's authorities.
	TLS *tls.Config
	// Logger takes warnings; slog.Default if nil. Quiet leaves findings about
	// the server out, for further connections to it.
	Logger *slog.Logger
	Quiet  bool
}

// Conn is a client of one Redis: a few connections that all callers share. It
// reconnects by itself. Make one with [Connect].
type Conn struct {
	client  rueidis.Client
	options Options
	where   string // for messages, without the password
}

// UserRules are the rights that Lectern's user needs, as ACL SETUSER takes them.
// Without config|get some findings are left out.
const UserRules = "~{lectern:* &{lectern:* +eval +evalsha +info +time +ping +select +ssubscribe +sunsubscribe +spublish" +
	" +client|setname +config|get +cluster|slots +exists +unlink +hget +hmget +hset +hdel +hlen" +
	" +zadd +zrem +zcard +zcount +zlexcount +zscore +zrangebyscore +zrangebylex"

// Connect reaches the server and sees that it is one that can hold buckets; it
// logs findings that should be mended. Or it says what keeps it from that: [ErrRefused], [ErrNotRedis], or another
// [kv.ErrUnavailable].
func Connect(ctx context.Context, o Options) (*Conn, error) {
	o.URL, o.Name = trimmed(o.URL), trimmed(o.Name)
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	option, err := clientOption(o)
	if err != nil {
		return nil, err
	}
	c := &Conn{options: o, where: Mask(o.URL)}
	type made struct {
		client rueidis.Client
		err    error
	}
	// NewClient knows no context.
	done := make(chan made, 1)
	go func() {
		client, err := rueidis.NewClient(option)
		done <- made{client, err}
	}()
	select {
	case m := <-done:
		if m.err != nil {
			return nil, fmt.Errorf("redis: cannot use %s: %w", c.where, explain(m.err))
		}
		c.client = m.client
		report, err := c.Inspect(ctx)
		if err != nil {
			m.client.Close()
			return nil, fmt.Errorf("redis: cannot use %s: %w", c.where, err)
		}
		c.warn(ctx, report.Findings)
	case <-ctx.Done():
		go func() {
			if m := <-done; m.err == nil {
				m.client.Close()
			}
		}()
		return nil, fmt.Errorf("redis: cannot use %s: %w", c.where, unavailable(ctx.Err()))
	}
	return c, nil
}

// warn logs the findings that should be mended.
func (c *Conn) warn(ctx context.Context, findings []Finding) {
	for _, f := range findings {
		if f.Severity != Note && !c.options.Quiet {
			c.options.Logger.WarnContext(ctx, "Redis: "+f.Text, "finding", string(f.Code), "remedy", f.Remedy, "address", c.where)
		}
	}
}

// clientOption is the client's configuration for the options.
func clientOption(o Options) (rueidis.ClientOption, error) {
	option, err := parseURL(o.URL)
	if err != nil {
		return option, err
	}
	if o.TLS != nil {
		option.TLSConfig = o.TLS
	}
	option.ClientName = o.Name
	option.ClientSetInfo = rueidis.DisableClientSetInfo
	option.Dialer.Timeout = dialTimeout
	option.ConnWriteTimeout = silence
	option.ReadBufferEachConn, option.WriteBufferEachConn = bufferBytes, bufferBytes
	option.DisableCache = true
	// The store tries again itself, where that is safe.
	option.DisableRetry = true
	return option, nil
}

// Close ends the connections. The stores on it must be closed before.
func (c *Conn) Close() { c.client.Close() }

// String is the address without user and password, for logs.
func (c *Conn) String() string { return c.where }

// Conn's stores are what it is for.
var _ kv.Store = (*Store)(nil)
