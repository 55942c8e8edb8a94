package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/lectern-lms/lectern/guest/abi"
	"github.com/lectern-lms/lectern/host/config"
	"github.com/lectern-lms/lectern/host/site"
)

// demoHandler is the embedded handler that fills an empty store.
const demoHandler = "setup"

// pairs is a flag of the form NAME=VALUE that may be given several times.
type pairs url.Values

// String is what the flag package shows as the default.
func (p pairs) String() string { return "" }

// Set takes one NAME=VALUE.
func (p pairs) Set(text string) error {
	name, value, ok := strings.Cut(text, "=")
	if !ok || name == "" {
		return errors.New("it must be NAME=VALUE")
	}
	url.Values(p).Add(name, value)
	return nil
}

// runFlags are the flags of "lectern handler run".
type runFlags struct {
	user       string
	form       pairs
	header     pairs
	demo, body bool
}

// handlerRun answers one request and prints what came of it. It fails if the
// handler does.
func handlerRun(ctx context.Context, c call) error {
	flags := runFlags{form: pairs{}, header: pairs{}}
	set := flag.NewFlagSet("lectern handler run", flag.ContinueOnError)
	set.SetOutput(io.Discard)
	set.StringVar(&flags.user, "user", "", "")
	set.Var(flags.form, "form", "")
	set.Var(flags.header, "header", "")
	set.BoolVar(&flags.demo, "demo", true, "")
	set.BoolVar(&flags.body, "body", false, "")
	if err := set.Parse(c.args); err != nil {
		return badUsage("lectern handler run: %v\n\n%s", err, handlerUsage)
	}
	if set.NArg() != 3 {
		return badUsage("lectern handler run takes a handler, a method and a path, and flags before them, but got %q", set.Args())
	}
	trial, m, err := newTrial(set.Arg(0), flags, c.errOut)
	if err != nil {
		return err
	}
	trial.Method, trial.Target = set.Arg(1), set.Arg(2)
	result, err := trial.Run(ctx)
	if err != nil {
		return err
	}
	report := c.out
	if flags.body {
		if _, err := c.out.Write(result.Body); err != nil {
			return err
		}
		report = c.errOut
	}
	err = result.Failure()
	if err == nil && result.Status >= http.StatusInternalServerError {
		err = fmt.Errorf("handler %s answered with status %d; the log says why", m.Name, result.Status)
	}
	return errors.Join(printTrial(report, trial, m, result), err)
}

// newTrial prepares a site in memory with the one handler.
func newTrial(name string, flags runFlags, errOut io.Writer) (site.Trial, *abi.Manifest, error) {
	t := site.Trial{Name: name, User: flags.user, CacheDir: cacheDir(), Logger: trialLogger(errOut)}
	var m *abi.Manifest
	var err error
	if t.Module, m, err = findModule(name); err != nil {
		return t, nil, err
	}
	if m.Internal {
		return t, nil, fmt.Errorf("the handler %s is internal: only the host at the first start, or a handler in front of it, can ask it", m.Name)
	}
	modules, err := embedded()
	if flags.demo {
		if err != nil {
			return t, nil, fmt.Errorf("%w; or use -demo=false", err)
		}
		t.Demo = modules[demoHandler]
	}
	if t.Behind, err = behind(m); err != nil {
		return t, nil, err
	}
	for _, module := range modules {
		if other, err := abi.FindManifest(module); err == nil && other.SignIn != "" {
			t.SignIn = other.SignIn
		}
	}
	if len(flags.form) > 0 {
		t.Form = url.Values(flags.form)
	}
	t.Header = http.Header{}
	for name, values := range flags.header {
		t.Header[http.CanonicalHeaderKey(name)] = values
	}
	t.Config, err = trialConfig()
	return t, m, err
}

// behind gives the handlers to which one can pass its requests on, through
// others too.
func behind(m *abi.Manifest) (map[string][]byte, error) {
	if m.Next == "" {
		return nil, nil
	}
	all, err := known()
	if err != nil {
		return nil, err
	}
	found := map[string][]byte{}
	for next, by := m.Next, m.Name; next != "" && found[next] == nil; {
		if next == abi.NextSite {
			delete(all, m.Name)
			delete(all, demoHandler)
			return all, nil
		}
		if all[next] == nil {
			return nil, fmt.Errorf("the handler %s passes on to %s, which is neither in this binary nor in LMS_HANDLERS_DIR", by, next)
		}
		other, err := abi.FindManifest(all[next])
		if err != nil {
			return nil, fmt.Errorf("handler %s: %w", next, err)
		}
		found[next] = all[next]
		next, by = other.Next, next
	}
	return found, nil
}

// trialConfig is that of a development site with a key of its own, and with
// those of the operator's settings that a handler can notice.
func trialConfig() (config.Config, error) {
	var key [32]byte
	_, _ = rand.Read(key[:]) // it never fails: crypto/rand ends the process instead
	env := []string{"LMS_ENV=development", "SECRET_KEY=" + hex.EncodeToString(key[:])}
	for _, variable := range os.Environ() {
		name, _, _ := strings.Cut(strings.TrimPrefix(variable, "NOW_"), "=")
		if name == "LMS_SITE_NAME" || name == "LMS_REQUEST_TIMEOUT" || name == "LMS_MAX_BODY" {
			env = append(env, variable)
		}
	}
	return config.Load(env)
}

// trialLogger shows what the handler logs and prints, and the host's warnings.
// A stack is left out, since it is printed with the result.
func trialLogger(w io.Writer) *slog.Logger {
	return slog.New(trialLog{Handler: slog.NewTextHandler(w, &slog.HandlerOptions{
		Level: slog.LevelDebug,
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey || a.Key == "stack" || a.Key == "request_id" {
				return slog.Attr{}
			}
			return a
		},
	})})
}

// trialLog lets through everything from the handler, which the engine marks
// with its name, and of the rest what is at least a warning.
type trialLog struct {
	slog.Handler
	guest bool
}

// Enabled implements slog.Handler.
func (l trialLog) Enabled(_ context.Context, level slog.Level) bool {
	return l.guest || level >= slog.LevelWarn
}

// WithAttrs implements slog.Handler.
func (l trialLog) WithAttrs(attrs []slog.Attr) slog.Handler {
	l.Handler = l.Handler.WithAttrs(attrs)
	for _, a := range attrs {
		l.guest = l.guest || a.Key == "handler"
	}
	return l
}
