package abitest

import (
	"math"
	"strconv"
	"strings"

	"github.com/lectern-lms/lectern/guest/abi"
)

// scan is the message of OpScan.
func scan(prefix, after string, limit uint64) abi.Writer { return text(prefix, after).Uint(limit) }

// put is the message of OpPut.
func put(key, value string) abi.Writer { return text(key, value).Uint(0) }

// page is the answer of OpScan: pairs of key and value.
func page(more bool, pairs ...string) abi.Writer {
	var list []abi.Record
	for i := 0; i < len(pairs); i += 2 {
		list = append(list, abi.Record{Key: pairs[i], Value: []byte(pairs[i+1])})
	}
	return abi.Writer{}.Bool(more).Records(list)
}

// records are the cases of reading and writing records.
func records() []Case {
	return []Case{
		{"reading", safe, []Step{
			ok(abi.OpGet, text("read/a"), found("1")), ok(abi.OpGet, text("read/z"), absent), ok(abi.OpGet, text("write/a"), found("a")),
		}},
		{"reading what the manifest does not name", nil, []Step{
			no(abi.OpGet, text("other/c"), abi.StatusDenied), no(abi.OpScan, scan("other/", "", 0), abi.StatusDenied),
			no(abi.OpScan, scan("", "", 0), abi.StatusDenied), no(abi.OpGet, text(""), abi.StatusDenied), no(abi.OpGet, text("rea"), abi.StatusDenied),
		}},
		{"reading what is the host's", nil, []Step{
			no(abi.OpGet, text("account/id/"+Ada.ID), abi.StatusDenied), no(abi.OpScan, scan("account/", "", 0), abi.StatusDenied),
			no(abi.OpGet, text("system/first-start"), abi.StatusDenied), no(abi.OpScan, scan("system/", "", 0), abi.StatusDenied),
		}},
		{"writing", nil, []Step{
			ok(abi.OpPut, put("write/e", "e"), nil), ok(abi.OpGet, text("write/e"), found("e")),
			ok(abi.OpPut, put("write/a", ""), nil), ok(abi.OpGet, text("write/a"), found("")),
			ok(abi.OpDelete, text("write/b"), nil), ok(abi.OpGet, text("write/b"), absent), ok(abi.OpDelete, text("write/none"), nil),
			ok(abi.OpPut, put("write/b", "again"), nil), ok(abi.OpGet, text("write/b"), found("again")),
		}},
		{"writing what the manifest does not name", nil, []Step{
			no(abi.OpPut, put("read/a", "x"), abi.StatusDenied), no(abi.OpDelete, text("other/c"), abi.StatusDenied),
			no(abi.OpPut, put("", ""), abi.StatusDenied), ok(abi.OpGet, text("read/a"), found("1")),
		}},
		{"writing what is the host's", nil, []Step{
			no(abi.OpPut, put("account/id/"+Ada.ID, "{}"), abi.StatusDenied), no(abi.OpDelete, text("account/login/ada"), abi.StatusDenied),
			no(abi.OpPut, put("system/first-start", ""), abi.StatusDenied),
		}},
		{"writing by a safe method", safe, []Step{
			no(abi.OpPut, put("write/a", "x"), abi.StatusReadOnly), no(abi.OpDelete, text("write/a"), abi.StatusReadOnly),
			no(abi.OpPut, put("read/a", "x"), abi.StatusReadOnly), ok(abi.OpGet, text("write/a"), found("a")),
		}},
		{"keys that are none", nil, []Step{
			no(abi.OpGet, text("read/"), abi.StatusInvalid), no(abi.OpGet, text("read//a"), abi.StatusInvalid),
			no(abi.OpScan, scan("read/a", "", 0), abi.StatusInvalid), no(abi.OpScan, scan("read//", "", 0), abi.StatusInvalid),
			no(abi.OpPut, put("write/", "x"), abi.StatusInvalid), no(abi.OpDelete, text("write/a/"), abi.StatusInvalid),
			no(abi.OpGet, text("read/"+strings.Repeat("k", 1024)), abi.StatusTooLarge),
		}},
		{"scan", safe, []Step{
			ok(abi.OpScan, scan("read/", "", 0), page(false, "read/a", "1", "read/b", "2")),
			ok(abi.OpScan, scan("read/", "read/a", 0), page(false, "read/b", "2")),
			ok(abi.OpScan, scan("write/", "", 3), page(true, "write/a", "a", "write/b", "b", "write/c", "c")),
			ok(abi.OpScan, scan("write/", "write/c", 3), page(false, "write/d", "d")),
			ok(abi.OpScan, scan("write/", "write/d", 1), page(false)), ok(abi.OpScan, scan("read/none/", "", 0), page(false)),
			ok(abi.OpScan, scan("read/", "", math.MaxUint64), page(false, "read/a", "1", "read/b", "2")),
		}},
		{"scan over own writes", nil, []Step{
			ok(abi.OpPut, put("write/aa", "new"), nil), ok(abi.OpPut, put("write/c", "changed"), nil), ok(abi.OpDelete, text("write/a"), nil),
			ok(abi.OpPut, put("write/z", "last"), nil),
			ok(abi.OpScan, scan("write/", "", 0), page(false, "write/aa", "new", "write/b", "b", "write/c", "changed", "write/d", "d", "write/z", "last")),
			ok(abi.OpScan, scan("write/", "write/aa", 0), page(false, "write/b", "b", "write/c", "changed", "write/d", "d", "write/z", "last")),
			ok(abi.OpScan, scan("write/", "write/d", 1), page(false, "write/z", "last")),
		}},
		{"scan of what is all deleted", nil, []Step{
			ok(abi.OpDelete, text("write/a"), nil), ok(abi.OpDelete, text("write/b"), nil),
			ok(abi.OpDelete, text("write/c"), nil), ok(abi.OpDelete, text("write/d"), nil),
			ok(abi.OpScan, scan("write/", "", 0), page(false)),
		}},
		{"abandon", nil, []Step{
			ok(abi.OpPut, put("write/a", "x"), nil), ok(abi.OpSessionSet, text("lang", "es"), nil), ok(abi.OpNotify, text("done"), nil),
			ok(abi.OpAbandon, nil, nil),
			ok(abi.OpGet, text("write/a"), found("a")), ok(abi.OpSessionGet, text("lang"), absent), ok(abi.OpNotices, nil, abi.Writer{}.Strings(nil)),
		}},
	}
}

// bounds are the cases of writing too much.
func bounds() []Case {
	const million = 1<<20 - 4096
	big := strings.Repeat("x", million)
	full := []Step{no(abi.OpPut, put("write/big", big+"x"), abi.StatusTooLarge)}
	for i := range 8 {
		full = append(full, ok(abi.OpPut, put("write/"+strconv.Itoa(i), big), nil))
	}
	full = append(full,
		no(abi.OpPut, put("write/9", big), abi.StatusTooLarge), ok(abi.OpGet, text("write/9"), absent),
		ok(abi.OpPut, put("write/0", big), nil), ok(abi.OpDelete, text("write/1"), nil), ok(abi.OpPut, put("write/9", big), nil))
	many := []Step{}
	for i := range 500 {
		many = append(many, ok(abi.OpPut, put("write/n/"+strconv.Itoa(i), "x"), nil))
	}
	many = append(many, no(abi.OpPut, put("write/n/500", "x"), abi.StatusTooLarge), no(abi.OpDelete, text("write/a"), abi.StatusTooLarge),
		ok(abi.OpPut, put("write/n/0", "y"), nil))
	return []Case{
		{"too many bytes", nil, full},
		{"too many records", nil, many},
		{"time to live", nil, []Step{
			ok(abi.OpPut, text("write/t", "v").Uint(60), nil), ok(abi.OpGet, text("write/t"), found("v")),
			no(abi.OpPut, text("write/t", "v").Uint(math.MaxUint64), abi.StatusInvalid),
			no(abi.OpPut, text("write/t", "v").Uint(1<<55), abi.StatusInvalid),
		}},
	}
}
