package lms

import (
	"slices"
	"strconv"
	"strings"
)

// MaxQueryRunes is how much of Query.Text is looked at. It bounds the work of
// one search; nobody types longer searches on purpose.
const MaxQueryRunes = 200

// Query says which courses are wanted. Empty fields ask for nothing.
type Query struct {
	// Text holds words that must all occur, in any order, in a course's title,
	// tags, summary or teachers. Case and accents do not matter, and a word
	// may be the part of a longer one.
	Text string
	// Level is "" or the number of a Level, as it comes in an address.
	// Anything else matches no course.
	Level string
	// Category and Tag must be equal to the course's, save case and accents.
	Category string
	Tag      string
}

// The weights of a word by the best field that it occurs in. A word that
// starts a word of the field counts one more than one found inside a word, so
// the steps are 2.
const (
	weightTeachers = 2
	weightSummary  = 4
	weightTags     = 6
	weightTitle    = 8
)

// Search returns the courses that match, best first; courses that match
// equally well keep their order. It does not ask who may see them: filter
// with CanSee first. The result shares nothing with courses but their fields.
func Search(courses []Course, q Query) []Course {
	type hit struct {
		course Course
		score  int
	}
	wanted := queryWords(q.Text)
	var hits []hit
	for _, c := range courses {
		if !q.admits(c) {
			continue
		}
		if score, ok := rank(c, wanted); ok {
			hits = append(hits, hit{c, score})
		}
	}
	slices.SortStableFunc(hits, func(a, b hit) int { return b.score - a.score })
	found := make([]Course, len(hits))
	for i, h := range hits {
		found[i] = h.course
	}
	return found
}

// admits tells whether a course passes the filters, the text apart.
func (q Query) admits(c Course) bool {
	if q.Level != "" && q.Level != strconv.Itoa(int(c.Level)) {
		return false
	}
	if q.Category != "" && Fold(q.Category) != Fold(c.Category) {
		return false
	}
	if q.Tag == "" {
		return true
	}
	tag := Fold(q.Tag)
	return slices.ContainsFunc(c.Tags, func(t string) bool { return Fold(t) == tag })
}

// queryWords returns the different words of a search text, folded.
func queryWords(text string) []string {
	n := 0
	for i := range text {
		if n == MaxQueryRunes {
			text = text[:i]
			break
		}
		n++
	}
	found := words(Fold(text))
	slices.Sort(found)
	return slices.Compact(found)
}

// rank tells whether every wanted word occurs in the course, and the sum of
// their weights.
func rank(c Course, wanted []string) (score int, ok bool) {
	if len(wanted) == 0 {
		return 0, true
	}
	fields := [...]struct {
		text   string
		weight int
	}{
		{fieldText(c.Title), weightTitle},
		{fieldText(c.Tags...), weightTags},
		{fieldText(c.Summary), weightSummary},
		{fieldText(c.Teachers...), weightTeachers},
	}
	for _, word := range wanted {
		best := 0
		for _, f := range fields {
			switch {
			case strings.Contains(f.text, " "+word):
				best = max(best, f.weight+1)
			case strings.Contains(f.text, word):
				best = max(best, f.weight)
			}
		}
		if best == 0 {
			return 0, false
		}
		score += best
	}
	return score, true
}

// fieldText joins texts into one that is searched: folded words, each with one
// space before it.
func fieldText(texts ...string) string {
	var b strings.Builder
	for _, text := range texts {
		for _, w := range words(Fold(text)) {
			b.WriteByte(' ')
			b.WriteString(w)
		}
	}
	return b.String()
}

// Categories returns the categories of the courses in alphabetical order, each
// once: spellings that differ in case or accents alone count as one, and the
// first is kept.
func Categories(courses []Course) []string {
	var all []string
	for _, c := range courses {
		all = append(all, c.Category)
	}
	return distinct(all)
}

// Tags returns the tags of the courses as Categories does.
func Tags(courses []Course) []string {
	var all []string
	for _, c := range courses {
		all = append(all, c.Tags...)
	}
	return distinct(all)
}

// distinct sorts names by their folded form and drops empty and repeated ones.
func distinct(names []string) []string {
	slices.SortStableFunc(names, func(a, b string) int { return strings.Compare(Fold(a), Fold(b)) })
	names = slices.CompactFunc(names, func(a, b string) bool { return Fold(a) == Fold(b) })
	return slices.DeleteFunc(names, func(s string) bool { return s == "" })
}
