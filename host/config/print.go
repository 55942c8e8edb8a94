package config

import (
	"fmt"
	"io"
	"net/netip"
	"reflect"
	"strings"
	"text/tabwriter"
)

// Print writes the effective value of every variable with its source, for
// "lectern config". Secrets are masked.
func (c Config) Print(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(table, "VARIABLE\tVALUE\tSOURCE")
	fields := reflect.ValueOf(c)
	for _, v := range variables {
		fmt.Fprintf(table, "%s\t%s\t%s\n", v.name, text(v, fields.FieldByName(v.field).Interface()), c.sources[v.name])
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("print the configuration: %w", err)
	}
	for _, warning := range c.Warnings {
		if _, err := fmt.Fprintln(w, "warning:", warning); err != nil {
			return fmt.Errorf("print the configuration: %w", err)
		}
	}
	return nil
}

// text is a value as [Config.Print] shows it, on one line.
func text(v variable, value any) string {
	switch value := value.(type) {
	case Secret:
		if v.field == "AdminPassword" {
			return hide(value)
		}
		return value.String()
	case []Secret:
		return joined(value)
	case []netip.Prefix:
		return joined(value)
	case []HostPort:
		return joined(value)
	case HostPort:
		return text(v, value.String())
	case string:
		switch {
		case value == "" && v.field == "Bind":
			return "*"
		case value == "":
			return Mask("")
		}
		return value
	default:
		return fmt.Sprint(value)
	}
}

// joined writes the items with commas between them, or the mask of nothing.
func joined[T fmt.Stringer](items []T) string {
	if len(items) == 0 {
		return Mask("")
	}
	out := make([]string, len(items))
	for i, item := range items {
		out[i] = item.String()
	}
	return strings.Join(out, ",")
}
