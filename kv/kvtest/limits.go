package kvtest

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/lectern-lms/lectern/kv"
)

// testInvalidForms sees that bad keys, prefixes and times are refused by every
// method, and that nothing of their commit is written.
func testInvalidForms(t *testing.T, f *fixture) {
	long := strings.Repeat("k", kv.MaxKey+1)
	for _, test := range []struct {
		key  string
		want error
	}{
		{"", kv.ErrInvalid}, {"/a", kv.ErrInvalid}, {"a/", kv.ErrInvalid}, {"a//b", kv.ErrInvalid}, {"/", kv.ErrInvalid}, {long, kv.ErrTooLarge},
	} {
		if _, err := f.Get(f.ctx, test.key); !errors.Is(err, test.want) {
			t.Errorf("Get(%.20q): %v, want %v", test.key, err, test.want)
		}
		f.refuse(test.want, nil, kv.Put("good", nil), kv.Put(test.key, nil))
		f.refuse(test.want, nil, kv.Delete(test.key))
		f.refuse(test.want, is(kv.Absent(test.key)), kv.Put("good", nil))
	}
	for _, test := range []struct {
		prefix string
		want   error
	}{
		{"a", kv.ErrInvalid}, {"/", kv.ErrInvalid}, {"a//", kv.ErrInvalid}, {long + "/", kv.ErrTooLarge},
	} {
		if _, err := f.Scan(f.ctx, kv.Range{Prefix: test.prefix}); !errors.Is(err, test.want) {
			t.Errorf("Scan(%.20q): %v, want %v", test.prefix, err, test.want)
		}
		if _, err := f.Watch(f.ctx, test.prefix, 0); !errors.Is(err, test.want) {
			t.Errorf("Watch(%.20q): %v, want %v", test.prefix, err, test.want)
		}
		f.refuse(test.want, is(kv.PrefixUnchanged(test.prefix, 0)), kv.Put("good", nil))
	}
	f.refuse(kv.ErrInvalid, nil, kv.PutTTL("good", nil, time.Millisecond))
	f.refuse(kv.ErrInvalid, nil, kv.PutTTL("good", nil, -time.Hour))
	f.refuse(kv.ErrInvalid, nil, kv.Put("good", nil), kv.Delete("good"))
	f.absent("good")
}

// testLimits sees that what is over a limit is refused as a whole.
func testLimits(_ *testing.T, f *fixture) {
	f.refuse(kv.ErrTooLarge, nil, kv.Put("good", nil), kv.Put("big", make([]byte, kv.MaxValue+1)))
	writes := make([]kv.Write, kv.MaxWrites+1)
	for i := range writes {
		writes[i] = kv.Put(fmt.Sprint("w", i), nil)
	}
	f.refuse(kv.ErrTooLarge, nil, writes...)
	checks := make([]kv.Check, kv.MaxChecks+1)
	for i := range checks {
		checks[i] = kv.Absent(fmt.Sprint("c", i))
	}
	f.refuse(kv.ErrTooLarge, checks, kv.Put("good", nil))
	f.absent("good")
	f.absent("w0")
}

// testLargestCommit makes a commit with as many writes and checks as allowed.
func testLargestCommit(t *testing.T, f *fixture) {
	writes := make([]kv.Write, kv.MaxWrites)
	for i := range writes {
		writes[i] = kv.Put(fmt.Sprintf("w/%03d", i), []byte("v"))
	}
	checks := make([]kv.Check, kv.MaxChecks)
	for i := range checks {
		checks[i] = kv.Absent(fmt.Sprint("c/", i))
	}
	rev := f.commit(checks, writes...)
	page := f.scan(kv.Range{Prefix: "w/"})
	if len(page.Entries) != kv.MaxWrites || page.Entries[kv.MaxWrites-1].Revision != rev {
		t.Errorf("%d entries, the last at revision %d; want %d at %d", len(page.Entries), page.Entries[len(page.Entries)-1].Revision, kv.MaxWrites, rev)
	}
}

// testLargestEntry writes the longest key with the largest value, in the bytes
// that are longest when they are encoded.
func testLargestEntry(t *testing.T, f *fixture) {
	value := bytes.Repeat([]byte{0xff}, kv.MaxValue)
	for name, key := range map[string]string{
		"escaped":  strings.Repeat("\xff", kv.MaxKey),
		"segments": strings.Repeat("*/", kv.MaxKey/2-1) + "*>",
	} {
		feed := f.watch("", f.scan(kv.Range{}).Revision)
		rev := f.commit(is(kv.Absent(key)), kv.PutTTL(key, value, time.Hour))
		f.wants(key, string(value))
		if ev := f.next(feed); ev.Entry.Key != key || !bytes.Equal(ev.Entry.Value, value) {
			t.Errorf("%s: the feed delivered %s", name, describe(ev))
		}
		prefix := key[:kv.MaxKey-1] + "/"
		if strings.Contains(prefix, "//") {
			prefix = key[:kv.MaxKey-2]
		}
		page := f.scan(kv.Range{Prefix: prefix})
		f.commit([]kv.Check{kv.Unchanged(key, rev), kv.PrefixUnchanged(prefix, page.Revision)}, kv.Put(key, value), kv.Put("other", value))
		f.wants(key, string(value))
		f.commit(nil, kv.Delete(key))
		f.absent(key)
	}
}
