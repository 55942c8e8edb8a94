package lms

import (
	"errors"
	"maps"
	"time"
)

// ErrUnknownLesson says that a course has no lesson with the given id; it may
// have been removed since the page was made.
var ErrUnknownLesson = errors.New("lms: the course has no such lesson; reload the course's page")

// Complete returns the progress of a learner who has completed a lesson at a
// time. Completing it again keeps the first time. When the last required
// lesson is done, Completed is set, once: a lesson that is added later does
// not take a finished course away. p is not changed.
//
// It does not ask whether the learner may read the lesson: ask CanRead first.
func Complete(c Course, p Progress, lesson string, now time.Time) (Progress, error) {
	if _, _, _, ok := FindLesson(c, lesson); !ok {
		return p, ErrUnknownLesson
	}
	done := make(map[string]time.Time, len(p.Done)+1)
	maps.Copy(done, p.Done)
	if _, ok := done[lesson]; !ok {
		done[lesson] = now
	}
	p.Done, p.Last = done, lesson
	if p.Completed.IsZero() && Percent(c, p) == 100 {
		p.Completed = now
	}
	return p, nil
}

// Percent returns how much of the required lessons is done, from 0 to 100,
// rounded down, so that 100 means all of them. In a course without required
// lessons all lessons count; in one without lessons it is 0. Completed lessons
// that are no longer in the course do not count.
func Percent(c Course, p Progress) int {
	all := Lessons(c)
	counts := func(Lesson) bool { return true }
	for _, l := range all {
		if l.Required {
			counts = func(l Lesson) bool { return l.Required }
			break
		}
	}
	total, done := 0, 0
	for _, l := range all {
		if !counts(l) {
			continue
		}
		total++
		if _, ok := p.Done[l.ID]; ok {
			done++
		}
	}
	if total == 0 {
		return 0
	}
	return done * 100 / total
}

// NextLesson returns the lesson for a learner to go on with: the last one
// opened if it is not done, else the next one that is not done, else what was
// skipped before, required lessons first. Who has done everything gets the
// first lesson. ok is false only if the course has no lessons.
func NextLesson(c Course, p Progress) (lesson Lesson, ok bool) {
	all := Lessons(c)
	if len(all) == 0 {
		return Lesson{}, false
	}
	start := 0
	for i, l := range all {
		if l.ID == p.Last {
			start = i
		}
	}
	open := func(l Lesson) bool {
		_, done := p.Done[l.ID]
		return !done
	}
	if l, ok := first(all[start:], open); ok {
		return l, true
	}
	if l, ok := first(all, func(l Lesson) bool { return l.Required && open(l) }); ok {
		return l, true
	}
	if l, ok := first(all, open); ok {
		return l, true
	}
	return all[0], true
}

// first returns the first lesson of a list that passes a test.
func first(list []Lesson, test func(Lesson) bool) (Lesson, bool) {
	for _, l := range list {
		if test(l) {
			return l, true
		}
	}
	return Lesson{}, false
}
