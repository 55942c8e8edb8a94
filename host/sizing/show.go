package sizing

import (
	"fmt"
	"io"
	"log/slog"
	"strings"
	"text/tabwriter"
)

// Print writes the numbers with their reasons, one a line, for
// `lectern config`.
func Print(w io.Writer, lines []Line) error {
	table := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(table, "NUMBER\tVALUE\tREASON")
	for _, l := range lines {
		fmt.Fprintf(table, "%s\t%s\t%s\n", l.Name, l.Value, l.Reason)
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("print the sizes: %w", err)
	}
	return nil
}

// Attrs are the numbers with their reasons for one line of the log.
func (p Plan) Attrs() []slog.Attr {
	attrs := make([]slog.Attr, len(p.Lines))
	for i, l := range p.Lines {
		attrs[i] = slog.String(strings.ReplaceAll(l.Name, " ", "_"), l.Value+": "+l.Reason)
	}
	return attrs
}

// Compare says what NOW LMS would do with this machine, for operators who come
// from it.
func Compare(m Machine, w Wishes) Line {
	workers, threads := Reference(m.CPUs, m.MemoryAvailable>>20, w)
	return Line{
		Name: "reference", Value: fmt.Sprintf("%d x %d", workers, threads),
		Reason: "workers x threads that NOW LMS 2.0.4 would take here; it sees no control groups and leaves no headroom",
	}
}
