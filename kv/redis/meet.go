package redis

import (
	"context"
	"crypto/rand"
	"fmt"
	"strconv"
	"strings"

	"github.com/lectern-lms/lectern/kv"
)

// meet gets to know the bucket, or the run that follows the one that the
// caller knew. One call does it for all that wait. Feeds end if something that
// this process has seen is lost.
func (s *Store) meet(ctx context.Context, known *view) error {
	select {
	case s.meeting <- struct{}{}:
		defer func() { <-s.meeting }()
	case <-ctx.Done():
		return unavailable(ctx.Err())
	}
	if s.view.Load() != known {
		return nil
	}
	first := known.epoch.id == ""
	create, reset := "", ""
	if first || s.bucket.Volatile {
		create = "create"
	}
	if s.bucket.Volatile {
		reset = "reset"
	}
	a, err := s.introduce(ctx, known, create, reset)
	if err != nil {
		return err
	}
	switch a.status {
	case "ok":
		return s.adopt(a, known)
	case "missing":
		s.upset()
		return fmt.Errorf("%w: the bucket %s is gone; restore it, or start Lectern again to begin with an empty one", ErrReplaced, s.bucket.Name)
	case "damaged":
		s.upset()
		return fmt.Errorf("%w: the bucket %s has lost a part, as by eviction or by another program; restore it", ErrDamaged, s.bucket.Name)
	case "format":
		format, _ := a.text(1)
		return fmt.Errorf("%w: the bucket %s has the format %.20q, this program knows 1; it was made by a newer Lectern", ErrDamaged, s.bucket.Name, format)
	}
	return fmt.Errorf("%w: a script answered %.20q", errMalformed, a.status)
}

// introduce runs the script that meets a bucket until the server answers. It
// changes nothing when it is run again.
func (s *Store) introduce(ctx context.Context, known *view, create, reset string) (answer, error) {
	var wait backoff
	for {
		// The script takes the epoch where others take the run.
		a, err := s.run(ctx, openScript, &view{run: known.epoch.id, epoch: known.epoch}, []string{rand.Text(), create, reset})
		retry := err != nil && passing(err)
		if err != nil {
			err = explain(err)
		} else if a.status != "replica" {
			return a, nil
		} else {
			err, retry = fmt.Errorf("%w: Redis is a replica", kv.ErrUnavailable), true
		}
		if !retry || s.life.Err() != nil || wait.sleep(ctx) != nil {
			return answer{}, err
		}
	}
}

// upset ends all feeds.
func (s *Store) upset() {
	s.era.Add(1)
	s.hub.notify()
}

// adopt takes over what the bucket says of itself.
func (s *Store) adopt(a answer, known *view) error {
	id, _ := a.text(0)
	next := &view{epoch: known.epoch}
	next.run, _ = a.text(1)
	list, _ := a.text(2)
	var err error
	if next.gaps, err = parseGaps(list); err != nil {
		return err
	}
	seen := known.epoch.seen.Load()
	switch {
	case known.epoch.id == "":
		next.epoch = &epoch{id: id}
	case id != known.epoch.id && !s.bucket.Volatile:
		s.upset()
		return fmt.Errorf("%w: the bucket %s is another one than before; bring the first back, or start Lectern again to go on with this one", ErrReplaced, s.bucket.Name)
	case id != known.epoch.id:
		next.epoch = &epoch{id: id}
		s.log.Warn("the bucket in Redis was emptied or replaced; beginning anew")
		defer s.upset()
	case next.lost(seen):
		s.log.Error("Redis has lost writes that it had acknowledged: it was restarted without its newest data, or an older copy took its place", "revision", seen)
		defer s.upset()
	}
	next.epoch.saw(a.rev)
	s.view.Store(next)
	return nil
}

// parseGaps reads the list of gaps, as 5-9,12-20.
func parseGaps(list string) ([]gap, error) {
	var gaps []gap
	if list == "" {
		return nil, nil
	}
	for part := range strings.SplitSeq(list, ",") {
		low, high, _ := strings.Cut(part, "-")
		l, err1 := strconv.ParseUint(low, 10, 64)
		h, err2 := strconv.ParseUint(high, 10, 64)
		if err1 != nil || err2 != nil || h < l {
			return nil, fmt.Errorf("%w: the bucket's gap %.60q", errMalformed, part)
		}
		gaps = append(gaps, gap{l, h})
	}
	return gaps, nil
}
