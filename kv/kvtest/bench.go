package kvtest

import (
	"context"
	"fmt"
	"testing"

	"github.com/lectern-lms/lectern/kv"
)

// Bench runs the benchmarks that all adapters share: Get, CommitOne (one write
// with a check on its key), CommitBatch (four writes and a check) and Scan10
// (ten keys among a thousand).
func Bench(b *testing.B, open func(b *testing.B) kv.Store) {
	b.Helper()
	for name, run := range map[string]func(*testing.B, kv.Store) error{
		"Get": benchGet, "CommitOne": benchCommitOne, "CommitBatch": benchCommitBatch, "Scan10": benchScan10,
	} {
		b.Run(name, func(b *testing.B) {
			s := open(b)
			b.ReportAllocs()
			if err := run(b, s); err != nil {
				b.Fatal(err)
			}
		})
	}
}

// benchValue is as large as a session or a small record.
var benchValue = make([]byte, 512)

// benchGet reads one key.
func benchGet(b *testing.B, s kv.Store) error {
	ctx := context.Background()
	if _, err := s.Commit(ctx, nil, []kv.Write{kv.Put("a/key", benchValue)}); err != nil {
		return err
	}
	for b.Loop() {
		if _, err := s.Get(ctx, "a/key"); err != nil {
			return err
		}
	}
	return nil
}

// benchCommitOne rewrites one key with a check on its revision.
func benchCommitOne(b *testing.B, s kv.Store) error {
	ctx, rev := context.Background(), kv.Revision(0)
	for b.Loop() {
		var err error
		if rev, err = s.Commit(ctx, is(kv.Unchanged("a/key", rev)), []kv.Write{kv.Put("a/key", benchValue)}); err != nil {
			return err
		}
	}
	return nil
}

// benchCommitBatch rewrites four keys with a check on another.
func benchCommitBatch(b *testing.B, s kv.Store) error {
	ctx := context.Background()
	for b.Loop() {
		_, err := s.Commit(ctx, is(kv.Absent("none")), []kv.Write{
			kv.Put("a", benchValue), kv.Put("b", benchValue), kv.Put("c", benchValue), kv.Put("d", benchValue),
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// benchScan10 reads ten keys under a prefix.
func benchScan10(b *testing.B, s kv.Store) error {
	ctx := context.Background()
	for from := 0; from < 1000; from += kv.MaxWrites {
		var writes []kv.Write
		for i := from; i < from+kv.MaxWrites; i++ {
			writes = append(writes, kv.Put(fmt.Sprintf("p/%d/%d", i/10, i%10), benchValue))
		}
		if _, err := s.Commit(ctx, nil, writes); err != nil {
			return err
		}
	}
	for b.Loop() {
		page, err := s.Scan(ctx, kv.Range{Prefix: "p/42/"})
		if err != nil {
			return err
		}
		if len(page.Entries) != 10 {
			return fmt.Errorf("%d entries, want 10", len(page.Entries))
		}
	}
	return nil
}
