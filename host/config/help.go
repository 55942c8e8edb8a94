package config

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// helpWidth is the widest line of the help table, in characters.
const helpWidth = 100

// Help returns the table of every variable with its default and its meaning,
// in groups, for "lectern --help".
func Help() string {
	nameWidth, shownWidth := 0, 0
	for _, v := range variables {
		nameWidth = max(nameWidth, len(v.name))
		shownWidth = max(shownWidth, len(v.shown))
	}
	indent := 2 + nameWidth + 2 + shownWidth + 2
	var b strings.Builder
	b.WriteString("Environment (name, default, meaning); LMS_X may also be written NOW_LMS_X:\n")
	group := ""
	for _, v := range variables {
		if v.group != group {
			group = v.group
			fmt.Fprintf(&b, "\n%s\n", group)
		}
		lines := wrap(v.help, helpWidth-indent)
		fmt.Fprintf(&b, "  %-*s  %-*s  %s\n", nameWidth, v.name, shownWidth, v.shown, lines[0])
		for _, line := range lines[1:] {
			fmt.Fprintf(&b, "%*s%s\n", indent, "", line)
		}
	}
	return b.String()
}

// wrap breaks text at spaces into lines of at most width characters; a longer
// word stands alone. It returns at least one line.
func wrap(text string, width int) []string {
	lines := []string{""}
	for word := range strings.FieldsSeq(text) {
		last := &lines[len(lines)-1]
		switch {
		case *last == "":
			*last = word
		case utf8.RuneCountInString(*last)+1+utf8.RuneCountInString(word) <= width:
			*last += " " + word
		default:
			lines = append(lines, word)
		}
	}
	return lines
}
