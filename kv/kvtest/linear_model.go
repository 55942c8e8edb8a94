package kvtest

import (
	"fmt"
	"strings"

	"github.com/anishathalye/porcupine"
)

// linearKeys is how many keys a group has. Calls touch keys of one group only,
// so that each group's history is checked alone, which is far quicker.
const linearKeys = 3

// mark stands for a value: each write has a new one. Zero stands for absence.
type mark uint32

// linearState is what a group holds.
type linearState [linearKeys]mark

// linearCheck is a check of a commit, told by what the caller had read at the
// revision that it names: one key's mark or, under the prefix, all.
type linearCheck struct {
	prefix bool
	key    int
	seen   linearState
}

// holds tells whether the check holds in a state.
func (c linearCheck) holds(s linearState) bool {
	if c.prefix {
		return c.seen == s
	}
	return c.seen[c.key] == s[c.key]
}

// linearCall is one call to a store: a Get of a key, a Scan or a Commit.
type linearCall struct {
	group  int
	kind   callKind
	key    int
	checks []linearCheck
	writes map[int]mark // zero deletes
}

// callKind says which method was called.
type callKind uint8

// The kinds of call.
const (
	callGet callKind = iota
	callScan
	callCommit
)

// linearResult is what the call gave. A commit of which nobody knows whether it
// happened has unknown set; its time ends after all others, so it may take
// effect at any moment since its call, or so late that nobody sees it.
type linearResult struct {
	seen              linearState // of Get only at the key
	conflict, unknown bool
}

// step tells whether a call may give the result in a state, and what the state
// is then.
func (c linearCall) step(s linearState, r linearResult) (bool, linearState) {
	switch c.kind {
	case callGet:
		return r.seen[c.key] == s[c.key], s
	case callScan:
		return r.seen == s, s
	}
	holds, lenient := true, false
	for _, check := range c.checks {
		holds = holds && check.holds(s)
		lenient = lenient || check.prefix // may fail without a change
	}
	switch {
	case r.conflict:
		return !holds || lenient, s
	case !holds:
		return r.unknown, s
	}
	for key, m := range c.writes {
		s[key] = m
	}
	return true, s
}

// linearModel is what a store promises, for porcupine.
var linearModel = porcupine.Model{
	Partition: partition,
	Init:      func() any { return linearState{} },
	Step: func(state, input, output any) (bool, any) {
		return input.(linearCall).step(state.(linearState), output.(linearResult))
	},
	DescribeOperation: func(input, output any) string {
		return input.(linearCall).describe(output.(linearResult))
	},
}

// partition gives each group its own history.
func partition(all []porcupine.Operation) [][]porcupine.Operation {
	var parts [][]porcupine.Operation
	for _, op := range all {
		g := op.Input.(linearCall).group
		for len(parts) <= g {
			parts = append(parts, nil)
		}
		parts[g] = append(parts[g], op)
	}
	return parts
}

// describe writes a call and its result for the picture.
func (c linearCall) describe(r linearResult) string {
	switch c.kind {
	case callGet:
		return fmt.Sprintf("get %c = %d", 'a'+c.key, r.seen[c.key])
	case callScan:
		return fmt.Sprintf("scan = %d", r.seen)
	}
	var parts []string
	for _, check := range c.checks {
		if check.prefix {
			parts = append(parts, fmt.Sprintf("if all is %d", check.seen))
		} else {
			parts = append(parts, fmt.Sprintf("if %c is %d", 'a'+check.key, check.seen[check.key]))
		}
	}
	for key := range linearKeys {
		if m, ok := c.writes[key]; ok {
			parts = append(parts, fmt.Sprintf("%c := %d", 'a'+key, m))
		}
	}
	outcome := "ok"
	switch {
	case r.unknown:
		outcome = "unknown"
	case r.conflict:
		outcome = "conflict"
	}
	return strings.Join(parts, ", ") + ": " + outcome
}
