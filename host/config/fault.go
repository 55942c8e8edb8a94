package config

import (
	"fmt"
	"strings"
)

// Fault is one thing that is wrong with the configuration.
type Fault struct {
	// Name is the variable to change.
	Name string
	// Message says what is wrong and what to do. It holds no secret.
	Message string
}

// Error names the variable and the fault on one line.
func (f Fault) Error() string { return f.Name + ": " + f.Message }

// Faults is everything that is wrong with the configuration, in the order of
// the table that [Help] shows.
type Faults []Fault

// Error lists the faults, one a line.
func (f Faults) Error() string {
	if len(f) == 1 {
		return "the configuration has a fault:\n  " + f[0].Error()
	}
	var b strings.Builder
	fmt.Fprintf(&b, "the configuration has %d faults:", len(f))
	for _, fault := range f {
		b.WriteString("\n  ")
		b.WriteString(fault.Error())
	}
	return b.String()
}

// add notes a fault of the variable name.
func (f *Faults) add(name, format string, args ...any) {
	*f = append(*f, Fault{Name: name, Message: fmt.Sprintf(format, args...)})
}

// has reports whether the variable already has a fault, so that one mistake
// is not reported twice.
func (f Faults) has(name string) bool {
	for _, fault := range f {
		if fault.Name == name {
			return true
		}
	}
	return false
}
