package config

import (
	"reflect"
	"strings"
)

// The two prefixes that a name of ours may have. The second is the one of
// NOW LMS.
const (
	prefix      = "LMS_"
	otherPrefix = "NOW_LMS_"
)

// variable is one row of the table: a field of [Config] with its tags.
type variable struct {
	name  string
	alias string // one more name, looked at last; may be ""
	group string
	help  string
	want  string
	shown string // the default as a person should read it
	field string // the Go name of the field in Config
	typ   reflect.Type
}

// variables are the rows in the order of Config's fields.
var variables = readVariables()

// readVariables takes the rows from the tags of Config.
func readVariables() []variable {
	var out []variable
	for f := range reflect.TypeFor[Config]().Fields() {
		name := f.Tag.Get("env")
		if name == "" {
			continue
		}
		v := variable{
			name: name, alias: f.Tag.Get("alias"), group: f.Tag.Get("group"), help: f.Tag.Get("help"),
			want: f.Tag.Get("want"), shown: f.Tag.Get("shown"), field: f.Name, typ: f.Type,
		}
		if v.shown == "" {
			v.shown = f.Tag.Get("envDefault")
		}
		out = append(out, v)
	}
	return out
}

// secret reports whether the variable's value must not be shown.
func (v variable) secret() bool {
	return v.typ == reflect.TypeFor[Secret]() || v.typ == reflect.TypeFor[[]Secret]() || v.typ == reflect.TypeFor[RedisURL]()
}

// otherName is the name with NOW LMS's prefix, or "" if the variable has none.
func (v variable) otherName() string {
	if rest, ok := strings.CutPrefix(v.name, prefix); ok {
		return otherPrefix + rest
	}
	return ""
}

// byField looks a row up by the Go name of its field, which is all that the env
// package's errors say; nil if there is none.
func byField(field string) *variable {
	for i := range variables {
		if variables[i].field == field {
			return &variables[i]
		}
	}
	return nil
}
