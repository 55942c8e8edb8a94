// Package templates renders Lectern's pages: templ components, the messages
// of the interface in English, Spanish and Brazilian Portuguese, and the
// addresses of the static files. It is linked into the handlers, so it holds
// no stylesheet or script itself; those are in templates/static.
package templates

import (
	"time"

	"github.com/lectern-lms/lectern/guest/lms"
)

// Page is what every page needs for its frame: the head, the header with the
// menu, the notices and the footer.
type Page struct {
	// Title is the page's own title, in the reader's language.
	Title string
	// Description is for search engines; may be empty.
	Description string
	// Path is the path and query of this page; the language form returns to it.
	Path string
	// Lang is the tag of one of Languages.
	Lang string
	// Site is the name of the site.
	Site   string
	Viewer Viewer
	// Notices are shown once at the top of the page.
	Notices []Notice
}

// Viewer is who reads the page. The zero value is a visitor.
type Viewer struct {
	SignedIn bool
	Name     string
	Role     lms.Role
}

// Notice is a message about what just happened. Message is a key of the
// message catalogue; Args fill its placeholders.
type Notice struct {
	// Kind is "success", "info" or "error".
	Kind    string
	Message string
	Args    []string
}

// Card is one course in a list. Progress is shown if Enrolled.
type Card struct {
	Course   lms.Course
	Enrolled bool
	Percent  int
	// Resume is the path of the lesson to go on with.
	Resume string
}

// HomeView is the front page.
type HomeView struct {
	Featured []Card
	// Courses and Lessons are how many the site offers to this reader.
	Courses, Lessons int
}

// ExploreView is the catalogue: a search with its result.
type ExploreView struct {
	Query    string
	Level    string // "" or "0" to "3"
	Category string
	Tag      string
	// Categories and Tags are what can be chosen.
	Categories, Tags []string
	Cards            []Card
	// Total counts the matches on all pages; Page starts at 1.
	Total, Page, Pages int
}

// CourseView is a course before and after enrolment.
type CourseView struct {
	Course   lms.Course
	Enrolled bool
	// Done holds the ids of completed lessons.
	Done    map[string]bool
	Percent int
	Resume  string
	// SeatsLeft is -1 if the course has no limit.
	SeatsLeft int
	// Completed is zero until the course is completed.
	Completed time.Time
}

// LessonView is one lesson inside its course, with the outline beside it.
type LessonView struct {
	CourseView
	Section  lms.Section
	Lesson   lms.Lesson
	HTML     string
	IsDone   bool
	Previous string // paths; "" if there is none
	Next     string
	// Position counts from 1; Of is the number of lessons.
	Position, Of int
}

// PanelView is a person's own page: their courses.
type PanelView struct {
	Current   []Card
	Completed []Card
}

// ProfileView is a person's profile and the form that changes it.
type ProfileView struct {
	Login   string
	Email   string
	Profile lms.Profile
	Courses int
	Form    Form
}

// SignInView is the sign-in form. Next is the local path to go to afterwards.
type SignInView struct {
	Next string
	// RememberDays is for how long a device can stay signed in, in days; 0
	// does not offer it.
	RememberDays int
	Form         Form
}

// PasswordView is the form to change a password.
type PasswordView struct {
	// Login is for password managers, which must know whose password it is.
	Login string
	Form  Form
}

// DevicesView is where a person is signed in.
type DevicesView struct {
	Devices []Device
	// Now is the time by which days are counted.
	Now time.Time
}

// Device is one entry of DevicesView.
type Device struct {
	ID string
	// Browser, System and Place are names as people know them, or "".
	Browser, System, Place string
	Created, Seen          time.Time
	// Remembered devices stay signed in; Current is the reader's own.
	Remembered, Current bool
}

// SignUpView is the registration form.
type SignUpView struct {
	Next string
	Form Form
}

// Form carries what a person typed back into a form together with what was
// wrong. Errors maps a field to a message key; "" is about the whole form.
type Form struct {
	Values map[string]string
	Errors map[string]string
	// Wait is for how many seconds a person must wait who has tried too
	// often; 0 for all others.
	Wait int
}

// ErrorView is a page about a failure that a handler knows of.
type ErrorView struct {
	Status    int
	RequestID string
}
