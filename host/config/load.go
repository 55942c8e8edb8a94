package config

import (
	"errors"
	"reflect"
	"strings"

	"github.com/caarlos0/env/v10"
)

// Load reads and checks the configuration in environ, which has the form of
// os.Environ. The error, if any, is of type [Faults] and holds every fault;
// the Config is then filled as far as it could be, fit to be printed and not
// to be served with. Load reads no file and changes nothing.
func Load(environ []string) (Config, error) {
	var faults Faults
	all := env.ToMap(environ)
	cfg := Config{sources: make(map[string]Source, len(variables))}

	values := resolve(all, cfg.sources, &faults)
	parse(&cfg, values, &faults)
	fillIn(&cfg)
	validate(&cfg, &faults)
	strangers(all, &cfg, &faults)

	if len(faults) > 0 {
		return cfg, faults.sorted()
	}
	return cfg, nil
}

// resolve picks the value of each variable from the names that it may have
// and notes where it came from. Space around a value is dropped, since files
// of variables often leave some; a secret is taken as it is.
func resolve(all map[string]string, sources map[string]Source, faults *Faults) map[string]string {
	values := make(map[string]string, len(variables))
	for _, v := range variables {
		sources[v.name] = SourceDefault
		for _, name := range []string{v.name, v.otherName(), v.alias} {
			value := all[name]
			if !v.secret() {
				value = strings.TrimSpace(value)
			}
			if name == "" || value == "" {
				continue
			}
			if chosen, found := values[v.name]; found {
				if name == v.otherName() && chosen != value {
					faults.add(v.name, "%s is set as well, to something else; unset one of the two", name)
				}
				continue
			}
			values[v.name] = value
			sources[v.name] = SourceEnv
			if name != v.name {
				sources[v.name] = SourceEnv + Source(" "+name)
			}
		}
	}
	return values
}

// parse fills cfg by the env package and turns its errors, which speak of Go
// fields and types, into faults that speak of variables.
func parse(cfg *Config, values map[string]string, faults *Faults) {
	funcs := make(map[reflect.Type]env.ParserFunc, len(parsers))
	for t, p := range parsers {
		funcs[t] = p
	}
	err := env.ParseWithOptions(cfg, env.Options{Environment: values, FuncMap: funcs})
	var all env.AggregateError
	if err != nil && !errors.As(err, &all) {
		all.Errors = []error{err}
	}
	for _, e := range all.Errors {
		var bad env.ParseError
		if !errors.As(e, &bad) || byField(bad.Name) == nil {
			faults.add("configuration", "%v", e) // a fault of Config's tags
			continue
		}
		v := byField(bad.Name)
		cfg.misfit(faults, *v, values[v.name])
	}
}

// misfit notes that the value of v has not the form that v wants.
func (c *Config) misfit(faults *Faults, v variable, value string) {
	from := ""
	if _, name, other := strings.Cut(string(c.sources[v.name]), " "); other {
		from = " (from " + name + ")"
	}
	if v.secret() {
		faults.add(v.name, "the value%s is not of the right form; set it to %s", from, v.want)
		return
	}
	faults.add(v.name, "%.60q%s does not fit; set it to %s", value, from, v.want)
}

// fillIn sets what was not given and depends on something else.
func fillIn(cfg *Config) {
	unset := func(name string) bool { return cfg.sources[name] == SourceDefault }
	if unset("SESSION_COOKIE_SECURE") {
		cfg.CookieSecure = cfg.Production()
	}
	switch {
	case unset("LMS_BIND") && !cfg.Production():
		cfg.Bind = "127.0.0.1"
	case cfg.Bind == "*":
		cfg.Bind = ""
	default:
		cfg.Bind = strings.TrimSuffix(strings.TrimPrefix(cfg.Bind, "["), "]")
	}
	if unset("LMS_SESSION_IDLE") && cfg.SessionAbsolute >= minSession {
		cfg.SessionIdle = min(cfg.SessionIdle, cfg.SessionAbsolute)
	}
	if cfg.Clustered() && unset("LMS_NODE_NAME") {
		cfg.NodeName = hostName()
	}
	if cfg.SecretKey == "" && !cfg.Production() && !cfg.Clustered() {
		cfg.sources["SECRET_KEY"] = SourceGenerated
	}
}

// sorted returns the faults in the order of the table; the ones of other
// names come last, in the order in which they were found.
func (f Faults) sorted() Faults {
	out := make(Faults, 0, len(f))
	for _, v := range variables {
		for _, fault := range f {
			if fault.Name == v.name {
				out = append(out, fault)
			}
		}
	}
	for _, fault := range f {
		if !known(fault.Name) {
			out = append(out, fault)
		}
	}
	return out
}
