package lms_test

import (
	"errors"
	"maps"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/lectern-lms/lectern/guest/lms"
)

// noon is the time at which the tests start.
var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// course makes one section per argument; the lessons are named by letters,
// capitals are required lessons.
func course(sections ...string) lms.Course {
	var c lms.Course
	for _, letters := range sections {
		s := lms.Section{Title: letters}
		for _, r := range letters {
			s.Lessons = append(s.Lessons, lms.Lesson{ID: string(r), Minutes: 2, Required: r >= 'A' && r <= 'Z'})
		}
		c.Sections = append(c.Sections, s)
	}
	return c
}

// progress makes a progress in which the lessons of letters are done.
func progress(letters, last string) lms.Progress {
	p := lms.Progress{Done: map[string]time.Time{}, Last: last}
	for _, r := range letters {
		p.Done[string(r)] = noon
	}
	return p
}

func TestPercent(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		course lms.Course
		done   string
		want   int
	}{
		"nothing done":               {course("ABc"), "", 0},
		"optional lessons count not": {course("ABc"), "c", 0},
		"half":                       {course("AB", "c"), "A", 50},
		"rounded down":               {course("ABC"), "AB", 66},
		"one third":                  {course("ABC"), "B", 33},
		"all required":               {course("AB", "c"), "AB", 100},
		"all":                        {course("AB", "c"), "ABc", 100},
		"no required lessons":        {course("ab", "cd"), "abc", 75},
		"removed lessons are gone":   {course("AB"), "AXYZ", 50},
		"no lessons":                 {course(), "X", 0},
		"empty section":              {course("", "A"), "A", 100},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := lms.Percent(tt.course, progress(tt.done, "")); got != tt.want {
				t.Errorf("got %d, want %d", got, tt.want)
			}
		})
	}
}

func TestNextLesson(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		course     lms.Course
		done, last string
		want       string
	}{
		"first of all":              {course("AB"), "", "", "A"},
		"opened, not done":          {course("ABC"), "A", "B", "B"},
		"after the last one":        {course("ABC"), "A", "A", "B"},
		"into the next section":     {course("AB", "C"), "AB", "B", "C"},
		"optional ones too":         {course("AbC"), "A", "A", "b"},
		"jumps over done ones":      {course("ABCD"), "ABC", "A", "D"},
		"back to what was skipped":  {course("ABC"), "AC", "C", "B"},
		"required before optional":  {course("aBC"), "C", "C", "B"},
		"then optional":             {course("aBC"), "BC", "C", "a"},
		"everything done":           {course("AB"), "AB", "B", "A"},
		"last one was removed":      {course("AB"), "A", "X", "B"},
		"done ones that were moved": {course("AB"), "XY", "", "A"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, ok := lms.NextLesson(tt.course, progress(tt.done, tt.last))
			if !ok || got.ID != tt.want {
				t.Errorf("got %q, %v; want %q", got.ID, ok, tt.want)
			}
		})
	}
	if l, ok := lms.NextLesson(course(""), lms.Progress{}); ok {
		t.Errorf("a course without lessons offers %q", l.ID)
	}
}

func TestComplete(t *testing.T) {
	t.Parallel()
	c := course("AB", "c")
	p, err := lms.Complete(c, lms.Progress{}, "A", noon)
	if err != nil || p.Last != "A" || !p.Done["A"].Equal(noon) || !p.Completed.IsZero() {
		t.Fatalf("after A: %+v, %v", p, err)
	}
	again, err := lms.Complete(c, p, "A", noon.Add(time.Hour))
	if err != nil || !again.Done["A"].Equal(noon) || len(again.Done) != 1 {
		t.Fatalf("A again: %+v, %v", again, err)
	}
	finished := noon.Add(2 * time.Hour)
	p, err = lms.Complete(c, again, "B", finished)
	if err != nil || !p.Completed.Equal(finished) {
		t.Fatalf("after B: %+v, %v", p, err)
	}
	p, err = lms.Complete(c, p, "c", finished.Add(time.Hour))
	if err != nil || !p.Completed.Equal(finished) || len(p.Done) != 3 {
		t.Fatalf("the optional lesson moved the end: %+v, %v", p, err)
	}
	grown := course("ABD", "c")
	if p, err = lms.Complete(grown, p, "A", finished.Add(2*time.Hour)); err != nil || !p.Completed.Equal(finished) {
		t.Fatalf("a new lesson took the end away: %+v, %v", p, err)
	}
}

func TestCompleteRefusesUnknownLessons(t *testing.T) {
	t.Parallel()
	before := progress("A", "A")
	for _, id := range []string{"", "Z", "a"} {
		got, err := lms.Complete(course("AB"), before, id, noon)
		if !errors.Is(err, lms.ErrUnknownLesson) || len(got.Done) != 1 || got.Last != "A" {
			t.Errorf("Complete(%q) = %+v, %v", id, got, err)
		}
	}
}

func TestCompleteAfterTheCourseShrank(t *testing.T) {
	t.Parallel()
	p := progress("A", "A")
	p, err := lms.Complete(course("A"), p, "A", noon.Add(time.Hour))
	if err != nil || !p.Completed.Equal(noon.Add(time.Hour)) {
		t.Errorf("nothing required is left, but Completed is %v (%v)", p.Completed, err)
	}
}

// TestProgressProperties walks through random courses in random order. Always:
// percent never falls, is 100 exactly when Completed is set, a repetition
// changes nothing, the argument stays as it was, and following NextLesson
// visits each lesson exactly once.
func TestProgressProperties(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(3, 4))
	for range 200 {
		var c lms.Course
		n := 1 + random.IntN(9)
		for i := range n {
			if i == 0 || random.IntN(3) == 0 {
				c.Sections = append(c.Sections, lms.Section{})
			}
			s := &c.Sections[len(c.Sections)-1]
			s.Lessons = append(s.Lessons, lms.Lesson{ID: strconv.Itoa(i), Required: random.IntN(2) == 0})
		}
		var p lms.Progress
		for step, i := range random.Perm(n) {
			before, kept := lms.Percent(c, p), maps.Clone(p.Done)
			next, err := lms.Complete(c, p, strconv.Itoa(i), noon.Add(time.Duration(step)*time.Minute))
			if err != nil || !maps.Equal(p.Done, kept) {
				t.Fatalf("Complete changed its argument or failed: %v", err)
			}
			twice, _ := lms.Complete(c, next, strconv.Itoa(i), noon.Add(time.Hour))
			if !maps.Equal(twice.Done, next.Done) || !twice.Completed.Equal(next.Completed) || twice.Last != next.Last {
				t.Fatalf("completing twice: %+v, then %+v", next, twice)
			}
			after := lms.Percent(c, next)
			if after < before || (after == 100) == next.Completed.IsZero() {
				t.Fatalf("percent %d -> %d, Completed %v", before, after, next.Completed)
			}
			p = next
		}
		walked := lms.Progress{}
		for step := range n {
			l, ok := lms.NextLesson(c, walked)
			if _, seen := walked.Done[l.ID]; !ok || seen || l.ID != strconv.Itoa(step) {
				t.Fatalf("step %d of %d leads to %q", step, n, l.ID)
			}
			walked, _ = lms.Complete(c, walked, l.ID, noon)
		}
	}
}
