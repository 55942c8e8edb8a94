package transaction

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/lectern-lms/lectern/guest/abi"
	"github.com/lectern-lms/lectern/kv"
)

const (
	// maxScan is the most records that one scan gives; the SDK asks again.
	maxScan = 500
	// maxSeconds is the longest time to live, a hundred years: what is
	// longer is a mistake and would not fit a time.Duration.
	maxSeconds = 100 * 365 * 24 * 60 * 60
)

// get answers OpGet: this request's own write before the stored record.
func (t *Tx) get(ctx context.Context, in *abi.Reader) (abi.Writer, error) {
	key := in.String()
	if err := t.readable(in, key, kv.CheckKey); err != nil {
		return nil, err
	}
	if w, ok := t.writes[key]; ok {
		return abi.Writer(nil).Bool(!w.Remove).Bytes(w.Value), nil
	}
	e, err := t.world.Records.Get(ctx, key)
	if errors.Is(err, kv.ErrNotFound) {
		t.learn(Fact{Kind: FactRecord, Name: key})
		return abi.Writer(nil).Bool(false).Bytes(nil), nil
	}
	if err != nil {
		return nil, t.failed(err)
	}
	t.learn(Fact{Kind: FactRecord, Name: key, Revision: e.Revision})
	return abi.Writer(nil).Bool(true).Bytes(e.Value), nil
}

// readable ends the message and refuses a path outside the manifest, or of
// another form than check allows.
func (t *Tx) readable(in *abi.Reader, path string, check func(string) error) error {
	if err := in.Done(); err != nil {
		return err
	}
	if !t.scope.Manifest.MayRead(path) || abi.IsReserved(path) {
		return refuse(abi.StatusDenied, "the manifest does not allow to read %.80q", path)
	}
	return check(path)
}

// scan answers OpScan with a page of stored records and own writes.
func (t *Tx) scan(ctx context.Context, in *abi.Reader) (abi.Writer, error) {
	r := kv.Range{Prefix: in.String(), After: in.String(), Limit: int(min(in.Uint(), maxScan))}
	if err := t.readable(in, r.Prefix, kv.CheckPrefix); err != nil {
		return nil, err
	}
	if r.Limit == 0 {
		r.Limit = maxScan
	}
	for {
		page, err := t.world.Records.Scan(ctx, r)
		if err != nil {
			return nil, t.failed(err)
		}
		t.learn(Fact{Kind: FactPrefix, Name: r.Prefix, Revision: page.Revision})
		records, more := t.overlay(r, page)
		if len(records) > 0 || !more {
			return abi.Writer(nil).Bool(more).Records(records), nil
		}
		r.After = page.Entries[len(page.Entries)-1].Key
	}
}

// overlay puts this request's own writes over a page of the store.
func (t *Tx) overlay(r kv.Range, page kv.Page) ([]abi.Record, bool) {
	var records []abi.Record
	for _, e := range page.Entries {
		if _, changed := t.writes[e.Key]; !changed {
			records = append(records, abi.Record{Key: e.Key, Value: e.Value})
		}
	}
	for key, w := range t.writes {
		inside := strings.HasPrefix(key, r.Prefix) && key > r.After
		beyond := page.More && key > page.Entries[len(page.Entries)-1].Key
		if inside && !beyond && !w.Remove {
			records = append(records, abi.Record{Key: key, Value: w.Value})
		}
	}
	slices.SortFunc(records, func(a, b abi.Record) int { return cmp.Compare(a.Key, b.Key) })
	if len(records) > r.Limit {
		return records[:r.Limit], true
	}
	return records, page.More
}

// put answers OpPut.
func (t *Tx) put(_ context.Context, in *abi.Reader) (abi.Writer, error) {
	w := kv.Write{Key: in.String(), Value: slices.Clone(in.Bytes())}
	seconds := in.Uint()
	if seconds > maxSeconds {
		return nil, refuse(abi.StatusInvalid, "a time to live of %d seconds, the most is %d", seconds, maxSeconds)
	}
	w.TTL = time.Duration(seconds) * time.Second
	return nil, t.write(in, w)
}

// remove answers OpDelete.
func (t *Tx) remove(_ context.Context, in *abi.Reader) (abi.Writer, error) {
	return nil, t.write(in, kv.Delete(in.String()))
}

// write buffers one change after checking all that can be checked now, so
// that the handler learns of a fault where it made it.
func (t *Tx) write(in *abi.Reader, w kv.Write) error {
	if err := in.Done(); err != nil {
		return err
	}
	if err := t.writable(""); err != nil {
		return err
	}
	if !t.scope.Manifest.MayWrite(w.Key) || abi.IsReserved(w.Key) {
		return refuse(abi.StatusDenied, "the manifest does not allow to write %.80q", w.Key)
	}
	if err := kv.CheckCommit(nil, []kv.Write{w}); err != nil {
		return err
	}
	old, again := t.writes[w.Key]
	effects := t.effects + len(w.Key) + len(w.Value)
	if again {
		effects -= len(old.Key) + len(old.Value)
	}
	if effects > maxEffects || (!again && len(t.writes)+len(t.extra) >= kv.MaxWrites) {
		return refuse(abi.StatusTooLarge, "the changes of one request are over %d bytes or %d records", maxEffects, kv.MaxWrites)
	}
	if t.writes == nil {
		t.writes = map[string]kv.Write{}
	}
	t.writes[w.Key], t.effects = w, effects
	return nil
}
