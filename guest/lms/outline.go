package lms

// Lessons returns the lessons of a course in the order of its outline.
func Lessons(c Course) []Lesson {
	all := make([]Lesson, 0, LessonCount(c))
	for _, s := range c.Sections {
		all = append(all, s.Lessons...)
	}
	return all
}

// FindLesson returns the lesson with an id, its section and its position in
// the whole course, which counts from 1. ok is false if there is none.
func FindLesson(c Course, id string) (section Section, lesson Lesson, position int, ok bool) {
	for _, s := range c.Sections {
		for _, l := range s.Lessons {
			position++
			if l.ID == id {
				return s, l, position, true
			}
		}
	}
	return Section{}, Lesson{}, 0, false
}

// Neighbours returns the ids of the lessons before and after one, across
// sections; "" where there is none, and twice if the lesson is not in the
// course.
func Neighbours(c Course, id string) (previous, next string) {
	all := Lessons(c)
	for i, l := range all {
		if l.ID != id {
			continue
		}
		if i > 0 {
			previous = all[i-1].ID
		}
		if i+1 < len(all) {
			next = all[i+1].ID
		}
		return previous, next
	}
	return "", ""
}

// LessonCount returns how many lessons a course has, optional ones included.
func LessonCount(c Course) int {
	n := 0
	for _, s := range c.Sections {
		n += len(s.Lessons)
	}
	return n
}

// Minutes returns the estimated reading time of a course, optional lessons
// included.
func Minutes(c Course) int {
	n := 0
	for _, s := range c.Sections {
		for _, l := range s.Lessons {
			n += l.Minutes
		}
	}
	return n
}
