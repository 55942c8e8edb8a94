package jetstream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/lectern-lms/lectern/kv"
)

// walkTimeout bounds the reading of a large prefix without a deadline of its
// own: 50,000 keys take about a second.
const walkTimeout = time.Minute

// walkAll reads a prefix that is too large for one answer, in the order of the
// sequences, until an answer reaches the end. What changed meanwhile comes
// again at its new sequence, so at that moment the newest record of each key
// is known: the result is one snapshot although it was read in pieces.
func (s *Store) walkAll(ctx context.Context, prefix string) (snapshot, error) {
	newest := map[string]record{}
	snap := snapshot{}
	for next := uint64(1); ; {
		base, err := s.streamSeq(ctx)
		if err != nil {
			return snap, err
		}
		records, done, err := s.walkPage(ctx, s.filter(prefix), next)
		if err != nil {
			return snap, err
		}
		for _, r := range records {
			newest[r.entry.Key] = r
			snap.last = uint64(r.entry.Revision)
			next = snap.last + 1
		}
		if done {
			snap.revision = max(base, snap.last)
			break
		}
	}
	snap.records = make([]record, 0, len(newest))
	for _, r := range newest {
		snap.records = append(snap.records, r)
	}
	return snap, nil
}

// walkPage returns the next records under a filter, from a sequence on, and
// whether they reach the end of the stream as it was when the page was asked
// for. On a replicated stream the leader says where that is, since the replica
// that answers may be behind; it is asked first, since writes go on.
func (s *Store) walkPage(ctx context.Context, filter string, next uint64) (records []record, done bool, err error) {
	err = s.read(ctx, func(ctx context.Context) error {
		records, done, err = s.walkPageOnce(ctx, filter, next)
		return err
	})
	return records, done, err
}

// walkPageOnce is one try of walkPage.
func (s *Store) walkPageOnce(ctx context.Context, filter string, next uint64) ([]record, bool, error) {
	newest, err := s.newestOnLeader(ctx, filter)
	if err != nil {
		return nil, false, err
	}
	msgs, end, err := s.batchGet(ctx, server.JSApiMsgGetRequest{
		Seq: next, NextFor: filter, Batch: s.walk, MaxBytes: answerBytes,
	})
	if err != nil && !errors.Is(err, kv.ErrNotFound) {
		return nil, false, err
	}
	records := make([]record, 0, len(msgs))
	for _, m := range msgs {
		r, err := s.decodeMsg(m)
		if err != nil {
			return nil, false, err
		}
		records = append(records, r)
		next = uint64(r.entry.Revision) + 1
	}
	if n := len(records); n > 0 {
		if err := s.awaitLeader(ctx, uint64(records[n-1].entry.Revision), newest); err != nil {
			return nil, false, err
		}
	}
	if end.pending > 0 {
		return records, false, nil
	}
	if newest >= next && len(records) == 0 {
		return nil, false, fmt.Errorf("%w: a replica is behind the leader", kv.ErrUnavailable)
	}
	return records, newest < next, nil
}

// streamInfo is the part of the server's answer that is used here.
type streamInfo struct {
	Error *struct {
		Code        uint16 `json:"err_code"`
		Description string `json:"description"`
	} `json:"error"`
	Cluster struct {
		Leader string `json:"leader"` // its node's name; "" without a cluster
	} `json:"cluster"`
	State struct {
		Bytes uint64 `json:"bytes"`
		Last  uint64 `json:"last_seq"`
	} `json:"state"`
}

// info asks the leader for the state of the stream.
func (s *Store) info(ctx context.Context) (info streamInfo, err error) {
	err = s.read(ctx, func(ctx context.Context) error {
		m, err := s.nc.RequestWithContext(ctx, "$JS.API.STREAM.INFO."+s.stream, nil)
		if err != nil {
			return unavailable(err)
		}
		if err := json.Unmarshal(m.Data, &info); err != nil {
			return fmt.Errorf("%w: the state of the stream: %w", errMalformed, err)
		}
		if info.Error != nil {
			return apiError(info.Error.Code, info.Error.Description)
		}
		return nil
	})
	return info, err
}

// streamSeq is the newest sequence of the stream on its leader. It never falls.
func (s *Store) streamSeq(ctx context.Context) (uint64, error) {
	info, err := s.info(ctx)
	return info.State.Last, err
}
