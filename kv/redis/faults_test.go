package redis_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/lectern-lms/lectern/kv"
	"github.com/lectern-lms/lectern/kv/redis"
	"github.com/lectern-lms/lectern/kv/redis/redistest"
)

// pretend listens and treats each connection as do says.
func pretend(t *testing.T, do func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() }) // the test is over
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				do(c)
			}()
		}
	}()
	return l.Addr().String()
}

// answering reads commands and gives each the answer for its name, or an error
// as an old server does.
func answering(answers map[string]string) func(net.Conn) {
	return func(c net.Conn) {
		r := bufio.NewReader(c)
		for {
			words, err := readCommand(r)
			if err != nil {
				return
			}
			name := strings.ToUpper(words[0])
			answer, ok := answers[name]
			if !ok {
				answer = "-ERR unknown command '" + name + "'\r\n"
			}
			if _, err := io.WriteString(c, answer); err != nil {
				return
			}
		}
	}
}

// readCommand reads one command in Redis's protocol.
func readCommand(r *bufio.Reader) ([]string, error) {
	var n int
	if _, err := fmt.Fscanf(r, "*%d\r\n", &n); err != nil {
		return nil, err
	}
	words := make([]string, n)
	for i := range words {
		var size int
		if _, err := fmt.Fscanf(r, "$%d\r\n", &size); err != nil {
			return nil, err
		}
		word := make([]byte, size+2)
		if _, err := io.ReadFull(r, word); err != nil {
			return nil, err
		}
		words[i] = string(word[:size])
	}
	return words, nil
}

// bulk is a text as Redis answers it.
func bulk(s string) string { return fmt.Sprintf("$%d\r\n%s\r\n", len(s), s) }

// TestCannotConnect sees that whatever is wrong with a server has a clear
// error, of the right kind, in time, without the password.
func TestCannotConnect(t *testing.T) {
	t.Parallel()
	guarded := redistest.Start(t, "--requirepass", "right")
	open := redistest.Start(t)
	hello := "*2\r\n$5\r\nproto\r\n:2\r\n"
	for name, tt := range map[string]struct {
		url  string
		kind error
		says string
	}{
		"no password":           {"redis://" + guarded.Addr(), redis.ErrRefused, "password"},
		"wrong password":        {"redis://:hunter2@" + guarded.Addr(), redis.ErrRefused, "wrong"},
		"unknown user":          {"redis://nobody:hunter2@" + guarded.Addr(), redis.ErrRefused, "wrong"},
		"no such database":      {"redis://" + open.Addr() + "/999", kv.ErrInvalid, "database number"},
		"TLS to plain":          {"rediss://:hunter2@" + open.Addr(), kv.ErrUnavailable, ""},
		"nobody listens":        {"redis://:hunter2@127.0.0.1:1", kv.ErrUnavailable, "refused"},
		"no such host":          {"redis://:hunter2@no-such-host.invalid", kv.ErrUnavailable, "no-such-host"},
		"no such socket":        {"unix:///no/such/redis.sock", kv.ErrUnavailable, "no such file"},
		"not a URL":             {"localhost", kv.ErrInvalid, "redis://"},
		"an echo":               {"redis://:hunter2@" + pretend(t, func(c net.Conn) { _, _ = io.Copy(c, c) }), redis.ErrNotRedis, ""},
		"a web server":          {"redis://" + pretend(t, func(c net.Conn) { fmt.Fprint(c, "HTTP/1.1 400 Bad Request\r\n\r\n") }), redis.ErrNotRedis, ""},
		"one that hangs up":     {"redis://" + pretend(t, func(net.Conn) {}), kv.ErrUnavailable, ""},
		"one that says no word": {"redis://" + pretend(t, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) }), kv.ErrUnavailable, "deadline"},
		"an ancient Redis":      {"redis://" + pretend(t, answering(map[string]string{"PING": "+PONG\r\n"})), redis.ErrNotRedis, "7.0"},
		"Redis 6": {"redis://" + pretend(t, answering(map[string]string{"HELLO": hello, "INFO": bulk("# Server\r\nredis_version:6.2.14\r\n"),
			"CLUSTER": "-ERR This instance has cluster support disabled\r\n", "CLIENT": "+OK\r\n"})), redis.ErrNotRedis, "6.2.14"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			defer cancel()
			begin := time.Now()
			c, err := redis.Connect(ctx, redis.Options{URL: tt.url})
			if err == nil {
				c.Close()
				t.Fatal("it connected")
			}
			if !errors.Is(err, tt.kind) || !strings.Contains(err.Error(), tt.says) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("%v; want it to be %v, to say %q, and no password", err, tt.kind, tt.says)
			}
			if took := time.Since(begin); took > 3*time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
}
