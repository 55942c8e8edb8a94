package sdk

import (
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/lectern-lms/lectern/guest/abi"
)

// Request is the question that a handler answers, and its way to ask the host
// for everything else. What it asks for becomes a fact of the page: ask for
// as little as the page needs.
type Request struct {
	pattern string
	values  []abi.Field
	uri     string // "" until it is asked for
	query   url.Values
	form    url.Values
	body    []byte
	read    bool
	// passed says that the handler has let the request through; see Pass.
	passed bool
}

// newRequest asks the host which route matched.
func newRequest() *Request {
	a := must(abi.OpRoute, nil)
	r := &Request{pattern: a.String(), values: a.Fields()}
	if err := a.Done(); err != nil {
		panic(err)
	}
	return r
}

// Method is the HTTP method.
func (r *Request) Method() string { return current.method() }

// URI is the path and query as the reader's browser sent them.
func (r *Request) URI() string {
	if r.uri == "" {
		r.uri = current.uri()
	}
	return r.uri
}

// Path is the escaped path without the query.
func (r *Request) Path() string {
	path, _, _ := strings.Cut(r.URI(), "?")
	return path
}

// PathValue is the unescaped part of the path that the pattern's wildcard
// name matched, or "".
func (r *Request) PathValue(name string) string {
	for _, f := range r.values {
		if f.Name == name {
			return f.Value
		}
	}
	return ""
}

// ErrorStatus is the HTTP status that the host wants an error page for, or 0.
func (r *Request) ErrorStatus() int {
	n, _ := strconv.Atoi(r.PathValue("status"))
	return n
}

// Query is the first value of a query parameter, or "". A malformed query
// has no parameters.
func (r *Request) Query(name string) string {
	if r.query == nil {
		_, raw, _ := strings.Cut(r.URI(), "?")
		r.query, _ = url.ParseQuery(raw)
		if r.query == nil {
			r.query = url.Values{}
		}
	}
	return r.query.Get(name)
}

// Header is the first value of a request header, or "". Cookie and
// Authorization are never shown to handlers.
func (r *Request) Header(name string) string { return current.header(name) }

// Form is the first value of a field of the posted form, or "". A body that
// is not a form has no fields. Fields that the manifest calls secret are
// blanked by the host.
func (r *Request) Form(name string) string {
	if r.form == nil {
		r.form = url.Values{}
		kind, _, _ := strings.Cut(current.header("Content-Type"), ";")
		if strings.EqualFold(strings.TrimSpace(kind), "application/x-www-form-urlencoded") {
			if v, err := url.ParseQuery(string(r.Body())); err == nil {
				r.form = v
			}
		}
	}
	return r.form.Get(name)
}

// HasForm reports whether the posted form has the field at all.
func (r *Request) HasForm(name string) bool {
	r.Form(name)
	return r.form.Has(name)
}

// Body is the whole request body; the host has limited its length.
func (r *Request) Body() []byte {
	if !r.read {
		r.body, r.read = current.body(), true
	}
	return r.body
}

// ID names this request in the logs and on error pages.
func (r *Request) ID() string { return must(abi.OpRequestID, nil).String() }

// SiteName is the name that the operator gave the site.
func (r *Request) SiteName() string { return r.Setting(abi.SettingSiteName) }

// Setting is what the site's operator has set under a name, or "".
func (r *Request) Setting(name string) string {
	return must(abi.OpSetting, abi.Writer(nil).String(name)).String()
}

// Language is the one of tags that suits the reader's browser best.
func (r *Request) Language(tags []string) string {
	return must(abi.OpLanguage, abi.Writer(nil).Strings(tags)).String()
}

// Now is the time. A page that asks for it is not cached.
func (r *Request) Now() time.Time {
	return time.Unix(0, int64(must(abi.OpNow, nil).Uint())).UTC()
}

// Random draws n unpredictable bytes, at most 1,024.
func (r *Request) Random(n int) []byte {
	b := must(abi.OpRandom, abi.Writer(nil).Uint(uint64(n))).Bytes()
	return append([]byte(nil), b...)
}

// LocalPath returns path if it leads to this site and fallback otherwise, so
// that a form's return address cannot send people elsewhere.
func LocalPath(path, fallback string) string {
	if !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") || strings.ContainsAny(path, "\\\r\n\t\x00") {
		return fallback
	}
	if u, err := url.Parse(path); err != nil || u.Host != "" || u.Scheme != "" {
		return fallback
	}
	return path
}
