// Package lms holds the rules of a learning management system: what a course,
// an enrolment and a learner's progress are, and what may be done with them.
// It is pure: no input or output, no clock, no randomness; what it needs to
// know comes in as arguments, so every rule can be tested by calling it.
package lms

import "time"

// Level is how much a course asks of its learners; the numbers are the ones
// that NOW LMS stores in its field "nivel".
type Level uint8

// The levels of a course.
const (
	LevelIntroductory Level = iota
	LevelBeginner
	LevelIntermediate
	LevelAdvanced
)

// State is where a course stands in its life; only open courses take
// enrolments, only draft ones are hidden from everybody but their teachers.
type State string

// The states of a course.
const (
	StateDraft     State = "draft"
	StateOpen      State = "open"
	StateClosed    State = "closed"
	StateFinalized State = "finalized"
)

// Role is what a person may do on the site. An admin may do everything.
type Role string

// The roles of a person; the names are NOW LMS's.
const (
	RoleStudent    Role = "student"
	RoleInstructor Role = "instructor"
	RoleModerator  Role = "moderator"
	RoleAdmin      Role = "admin"
)

// Course is a course with its outline. The text of its lessons is stored
// apart (LessonText), so that a page which lists courses reads little.
type Course struct {
	// Code names the course in URLs: 1 to 20 of a-z, 0-9, "-" and "_".
	Code string `json:"code"`
	// Title, Summary (one or two sentences) and Description (sanitised HTML)
	// are what people read before they enrol.
	Title       string `json:"title"`
	Summary     string `json:"summary"`
	Description string `json:"description"`
	Level       Level  `json:"level"`
	// Language is the BCP 47 tag of the course's text.
	Language string   `json:"language"`
	Category string   `json:"category"`
	Tags     []string `json:"tags"`
	// Teachers are names as shown to people, not user ids.
	Teachers []string `json:"teachers"`
	State    State    `json:"state"`
	// Public says that people who are not signed in may see the course.
	Public bool `json:"public"`
	// Capacity is the most people who may be enrolled; 0 means no limit.
	Capacity int       `json:"capacity"`
	Sections []Section `json:"sections"`
	// Motif picks the drawing on the course's cover, see templates.
	Motif   string    `json:"motif"`
	Updated time.Time `json:"updated"`
}

// Section is a chapter of a course.
type Section struct {
	Title   string   `json:"title"`
	Summary string   `json:"summary"`
	Lessons []Lesson `json:"lessons"`
}

// Lesson is one entry of the outline. ID names it in URLs and is unique in
// its course: 1 to 40 of a-z, 0-9 and "-".
type Lesson struct {
	ID    string `json:"id"`
	Title string `json:"title"`
	// Kind is what the lesson is; only "text" exists so far.
	Kind string `json:"kind"`
	// Minutes is the estimated reading time.
	Minutes int `json:"minutes"`
	// Required lessons count towards the progress of a learner.
	Required bool `json:"required"`
	// Preview lessons of a public course may be read without an enrolment.
	Preview bool `json:"preview"`
}

// LessonText is the body of a lesson as sanitised HTML.
type LessonText struct {
	HTML string `json:"html"`
}

// Enrolment says that a person is in a course since a time.
type Enrolment struct {
	Course string    `json:"course"`
	At     time.Time `json:"at"`
}

// Progress is how far a person is in a course.
type Progress struct {
	// Done maps the id of each completed lesson to when it was completed.
	Done map[string]time.Time `json:"done"`
	// Last is the id of the lesson that was opened or completed last.
	Last string `json:"last"`
	// Completed is when the last required lesson was completed; zero before.
	Completed time.Time `json:"completed"`
}

// Profile is what a person says about themselves. Passwords are not here:
// they never enter a handler.
type Profile struct {
	Name string `json:"name"`
	Bio  string `json:"bio"`
	// Language is the BCP 47 tag of the interface the person chose; "" means
	// what the browser asks for.
	Language string    `json:"language"`
	Joined   time.Time `json:"joined"`
}
