package auth

import (
	"bytes"
	"context"
	"log/slog"
	"sync/atomic"
	"testing"

	"github.com/lectern-lms/lectern/kv"
	"github.com/lectern-lms/lectern/kv/memory"
)

// cheap are the least parameters that argon2 has, for tests only.
var cheap = Params{Memory: 8, Time: 1, Threads: 1}

// goodPassword keeps every rule.
const goodPassword = "correct horse battery"

// counting is a store that counts reads and can be told to fail.
type counting struct {
	kv.Store
	gets atomic.Int64
	err  error
	// before runs once, ahead of the next commit.
	before func()
}

// Get counts, then fails or reads.
func (c *counting) Get(ctx context.Context, key string) (kv.Entry, error) {
	c.gets.Add(1)
	if c.err != nil {
		return kv.Entry{}, c.err
	}
	return c.Store.Get(ctx, key)
}

// Commit runs the hook, then writes.
func (c *counting) Commit(ctx context.Context, checks []kv.Check, writes []kv.Write) (kv.Revision, error) {
	if f := c.before; f != nil {
		c.before = nil
		f()
	}
	return c.Store.Commit(ctx, checks, writes)
}

// bench is an Auth with its store, its log and a count of hashes.
type bench struct {
	*Auth
	t      testing.TB
	store  *counting
	log    *bytes.Buffer
	hashes atomic.Int64
}

// newBench returns an Auth with cheap hashes over an empty memory store.
func newBench(t testing.TB) *bench {
	t.Helper()
	mem := memory.New()
	t.Cleanup(func() { mem.Close() })
	return benchOver(t, &counting{Store: mem}, cheap)
}

// benchOver returns an Auth over a given store.
func benchOver(t testing.TB, store *counting, p Params) *bench {
	t.Helper()
	b := &bench{t: t, store: store, log: new(bytes.Buffer)}
	b.Auth = New(store, Options{Params: p, Logger: slog.New(slog.NewTextHandler(b.log, nil))})
	b.hasher.derive = func(password, salt []byte, p Params, size int) []byte {
		b.hashes.Add(1)
		return argon2id(password, salt, p, size)
	}
	return b
}

// create makes an account that must be possible.
func (b *bench) create(n NewAccount) Account {
	b.t.Helper()
	if n.Password == "" {
		n.Password = goodPassword
	}
	if n.Role == "" {
		n.Role = "student"
	}
	acc, err := b.Create(b.t.Context(), n)
	if err != nil {
		b.t.Fatalf("Create %q: %v", n.Login, err)
	}
	return acc
}
