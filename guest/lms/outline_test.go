package lms_test

import (
	"testing"

	"github.com/lectern-lms/lectern/guest/lms"
)

func TestFindLesson(t *testing.T) {
	t.Parallel()
	c := course("AB", "", "c")
	tests := map[string]struct {
		section  string
		position int
		ok       bool
	}{
		"A": {"AB", 1, true},
		"B": {"AB", 2, true},
		"c": {"c", 3, true},
		"C": {"", 0, false},
		"":  {"", 0, false},
	}
	for id, want := range tests {
		s, l, position, ok := lms.FindLesson(c, id)
		if s.Title != want.section || position != want.position || ok != want.ok || (ok && l.ID != id) {
			t.Errorf("FindLesson(%q) = %q, %q, %d, %v", id, s.Title, l.ID, position, ok)
		}
	}
}

func TestNeighbours(t *testing.T) {
	t.Parallel()
	c := course("AB", "", "c")
	tests := map[string][2]string{
		"A": {"", "B"}, "B": {"A", "c"}, "c": {"B", ""}, "x": {"", ""}, "": {"", ""},
	}
	for id, want := range tests {
		if previous, next := lms.Neighbours(c, id); previous != want[0] || next != want[1] {
			t.Errorf("Neighbours(%q) = %q, %q; want %q", id, previous, next, want)
		}
	}
	if previous, next := lms.Neighbours(course("A"), "A"); previous != "" || next != "" {
		t.Errorf("a single lesson has neighbours %q and %q", previous, next)
	}
}

func TestCounts(t *testing.T) {
	t.Parallel()
	tests := []struct {
		course  lms.Course
		lessons int
		minutes int
	}{
		{course(), 0, 0},
		{course(""), 0, 0},
		{course("AB", "", "c"), 3, 6},
	}
	for _, tt := range tests {
		if got := lms.LessonCount(tt.course); got != tt.lessons || len(lms.Lessons(tt.course)) != got {
			t.Errorf("LessonCount = %d, want %d", got, tt.lessons)
		}
		if got := lms.Minutes(tt.course); got != tt.minutes {
			t.Errorf("Minutes = %d, want %d", got, tt.minutes)
		}
	}
}

// TestOutlineAgrees checks that walking by Neighbours meets the lessons in the
// order of FindLesson's positions.
func TestOutlineAgrees(t *testing.T) {
	t.Parallel()
	c := course("ABc", "", "D", "efG")
	id, previous := "A", ""
	for want := 1; id != ""; want++ {
		_, _, position, ok := lms.FindLesson(c, id)
		before, next := lms.Neighbours(c, id)
		if !ok || position != want || before != previous {
			t.Fatalf("%q: position %d, want %d; after %q, want %q", id, position, want, before, previous)
		}
		previous, id = id, next
	}
	if previous != "G" {
		t.Errorf("the walk ended at %q", previous)
	}
}
