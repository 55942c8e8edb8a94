package lms_test

import (
	"errors"
	"testing"

	"github.com/lectern-lms/lectern/guest/lms"
)

// The people of the access tests.
var (
	visitor = lms.Viewer{}
	student = lms.Viewer{SignedIn: true, Role: lms.RoleStudent}
	teacher = lms.Viewer{SignedIn: true, Role: lms.RoleInstructor, Teaches: true}
	other   = lms.Viewer{SignedIn: true, Role: lms.RoleInstructor}
	moder   = lms.Viewer{SignedIn: true, Role: lms.RoleModerator}
	admin   = lms.Viewer{SignedIn: true, Role: lms.RoleAdmin}
	// forged claims rights without having signed in.
	forged = lms.Viewer{Role: lms.RoleAdmin, Teaches: true}
)

func TestCanSee(t *testing.T) {
	t.Parallel()
	const yes, no = true, false
	tests := []struct {
		state  lms.State
		public bool
		// want is for visitor, student, teacher, other, moder, admin, forged.
		want [7]bool
	}{
		{lms.StateDraft, true, [7]bool{no, no, yes, no, no, yes, no}},
		{lms.StateDraft, false, [7]bool{no, no, yes, no, no, yes, no}},
		{lms.StateOpen, true, [7]bool{yes, yes, yes, yes, yes, yes, yes}},
		{lms.StateOpen, false, [7]bool{no, yes, yes, yes, yes, yes, no}},
		{lms.StateClosed, true, [7]bool{yes, yes, yes, yes, yes, yes, yes}},
		{lms.StateClosed, false, [7]bool{no, yes, yes, yes, yes, yes, no}},
		{lms.StateFinalized, true, [7]bool{yes, yes, yes, yes, yes, yes, yes}},
		{lms.StateFinalized, false, [7]bool{no, yes, yes, yes, yes, yes, no}},
		{"", true, [7]bool{no, no, yes, no, no, yes, no}},
		{"archived", true, [7]bool{no, no, yes, no, no, yes, no}},
	}
	for _, tt := range tests {
		course := lms.Course{State: tt.state, Public: tt.public}
		for i, v := range []lms.Viewer{visitor, student, teacher, other, moder, admin, forged} {
			if got := lms.CanSee(course, v); got != tt.want[i] {
				t.Errorf("CanSee(state %q, public %v, %+v) = %v", tt.state, tt.public, v, got)
			}
		}
	}
}

func TestCanRead(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		state                     lms.State
		public, preview, enrolled bool
		viewer                    lms.Viewer
		want                      bool
	}{
		"visitor, preview":                 {lms.StateOpen, true, true, false, visitor, true},
		"visitor, lesson":                  {lms.StateOpen, true, false, false, visitor, false},
		"visitor, preview, closed":         {lms.StateClosed, true, true, false, visitor, false},
		"visitor, preview, not public":     {lms.StateOpen, false, true, false, visitor, false},
		"visitor, preview, draft":          {lms.StateDraft, true, true, false, visitor, false},
		"visitor cannot be enrolled":       {lms.StateOpen, true, false, true, visitor, false},
		"student, preview":                 {lms.StateOpen, true, true, false, student, true},
		"student, preview, not public":     {lms.StateOpen, false, true, false, student, false},
		"student, not enrolled":            {lms.StateOpen, true, false, false, student, false},
		"student, enrolled":                {lms.StateOpen, true, false, true, student, true},
		"student, enrolled, not public":    {lms.StateOpen, false, false, true, student, true},
		"student, enrolled, closed":        {lms.StateClosed, true, false, true, student, true},
		"student, enrolled, finalized":     {lms.StateFinalized, true, false, true, student, true},
		"student, enrolled, back to draft": {lms.StateDraft, true, false, true, student, false},
		"teacher, draft":                   {lms.StateDraft, false, false, false, teacher, true},
		"another instructor":               {lms.StateOpen, true, false, false, other, false},
		"moderator":                        {lms.StateOpen, true, false, false, moder, false},
		"admin, draft":                     {lms.StateDraft, false, false, false, admin, true},
		"forged rights":                    {lms.StateDraft, false, false, true, forged, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := lms.CanRead(lms.Course{State: tt.state, Public: tt.public}, lms.Lesson{Preview: tt.preview}, tt.enrolled, tt.viewer)
			if got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

// TestReadingImpliesSeeing tries every combination: nobody may read a lesson
// of a course that they may not see.
func TestReadingImpliesSeeing(t *testing.T) {
	t.Parallel()
	for _, state := range []lms.State{lms.StateDraft, lms.StateOpen, lms.StateClosed, lms.StateFinalized, "x"} {
		for _, viewer := range []lms.Viewer{visitor, student, teacher, other, moder, admin, forged} {
			for bits := range 8 {
				course := lms.Course{State: state, Public: bits&1 != 0}
				lesson := lms.Lesson{Preview: bits&2 != 0}
				if lms.CanRead(course, lesson, bits&4 != 0, viewer) && !lms.CanSee(course, viewer) {
					t.Errorf("%+v may read in %+v without seeing it", viewer, course)
				}
			}
		}
	}
}

func TestCanEnrol(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		state    lms.State
		capacity int
		enrolled bool
		taken    int
		want     error
	}{
		"open":                      {lms.StateOpen, 0, false, 0, nil},
		"no limit":                  {lms.StateOpen, 0, false, 100000, nil},
		"last place":                {lms.StateOpen, 50, false, 49, nil},
		"full":                      {lms.StateOpen, 50, false, 50, lms.ErrFull},
		"over full":                 {lms.StateOpen, 50, false, 51, lms.ErrFull},
		"broken capacity":           {lms.StateOpen, -1, false, 0, lms.ErrFull},
		"already in":                {lms.StateOpen, 50, true, 10, lms.ErrAlreadyEnrolled},
		"already in and full":       {lms.StateOpen, 50, true, 50, lms.ErrAlreadyEnrolled},
		"already in and closed":     {lms.StateClosed, 0, true, 1, lms.ErrAlreadyEnrolled},
		"closed":                    {lms.StateClosed, 0, false, 0, lms.ErrClosed},
		"closed and full":           {lms.StateClosed, 1, false, 1, lms.ErrClosed},
		"finalized":                 {lms.StateFinalized, 0, false, 0, lms.ErrClosed},
		"draft":                     {lms.StateDraft, 0, false, 0, lms.ErrHidden},
		"draft tells nothing else":  {lms.StateDraft, 1, true, 1, lms.ErrHidden},
		"a state of the far future": {"paused", 0, false, 0, lms.ErrHidden},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			course := lms.Course{State: tt.state, Capacity: tt.capacity}
			if err := lms.CanEnrol(course, tt.enrolled, tt.taken); !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}
