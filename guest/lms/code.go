package lms

import "strings"

// The most bytes of the names that stand in addresses, see Course.Code and
// Lesson.ID.
const (
	MaxCodeLen     = 20
	MaxLessonIDLen = 40
)

// ValidCode tells whether a text may be the code of a course: 1 to MaxCodeLen
// of a-z, 0-9, "-" and "_".
func ValidCode(s string) bool {
	return validName(s, MaxCodeLen, "-_")
}

// ValidLessonID tells whether a text may be the id of a lesson: 1 to
// MaxLessonIDLen of a-z, 0-9 and "-".
func ValidLessonID(s string) bool {
	return validName(s, MaxLessonIDLen, "-")
}

// validName tells whether s is 1 to limit bytes of a-z, 0-9 and marks.
func validName(s string, limit int, marks string) bool {
	if s == "" || len(s) > limit {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if c >= 'a' && c <= 'z' || c >= '0' && c <= '9' {
			continue
		}
		if strings.IndexByte(marks, c) < 0 {
			return false
		}
	}
	return true
}
