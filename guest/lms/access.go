package lms

import "errors"

// Viewer is who asks to see something. The zero value is a visitor who is not
// signed in.
type Viewer struct {
	SignedIn bool
	Role     Role
	// Teaches says that the person is a teacher of the course in question. It
	// comes from records that name people by id: Course.Teachers are names for
	// show, and anybody can take a name.
	Teaches bool
}

// manages tells whether the viewer may see all of a course in any state.
func (v Viewer) manages() bool {
	return v.SignedIn && (v.Role == RoleAdmin || v.Teaches)
}

// Why a person cannot enrol.
var (
	// ErrHidden: the course is a draft, or in a state nobody knows. Answer as
	// if there were no such course.
	ErrHidden = errors.New("lms: the course is hidden; its teachers must open it first")
	// ErrClosed: the course takes nobody any more.
	ErrClosed = errors.New("lms: the course takes no enrolments; choose an open one")
	// ErrFull: every place is taken.
	ErrFull = errors.New("lms: the course is full; try again when a place is free")
	// ErrAlreadyEnrolled: nothing is left to do.
	ErrAlreadyEnrolled = errors.New("lms: already enrolled in the course; go on learning")
)

// shown tells whether a state lets other people than the teachers know of a
// course. States that this version does not know hide it.
func (s State) shown() bool {
	return s == StateOpen || s == StateClosed || s == StateFinalized
}

// CanSee tells whether the viewer may know that a course exists and read its
// page. Admins and its teachers always may; others unless it is a draft, and
// visitors only if it is public.
func CanSee(c Course, v Viewer) bool {
	if v.manages() {
		return true
	}
	return c.State.shown() && (c.Public || v.SignedIn)
}

// CanRead tells whether the viewer may read a lesson of a course. Admins and
// the course's teachers always may; enrolled people as long as they can see
// the course, also after it has closed; everybody may read the preview lessons
// of a course that is public and open.
func CanRead(c Course, l Lesson, enrolled bool, v Viewer) bool {
	switch {
	case v.manages():
		return true
	case !CanSee(c, v):
		return false
	case enrolled && v.SignedIn:
		return true
	default:
		return l.Preview && c.Public && c.State == StateOpen
	}
}

// CanEnrol tells whether one more person may be enrolled in a course of which
// taken places are taken; enrolled says that this person is already in. It
// returns nil, ErrHidden, ErrAlreadyEnrolled, ErrClosed or ErrFull; if several
// hold, the first of that order. Decide and write in one transaction, else two
// people may take the last place.
func CanEnrol(c Course, enrolled bool, taken int) error {
	switch {
	case !c.State.shown():
		return ErrHidden
	case enrolled:
		return ErrAlreadyEnrolled
	case c.State != StateOpen:
		return ErrClosed
	case c.Capacity != 0 && taken >= c.Capacity:
		return ErrFull
	default:
		return nil
	}
}
