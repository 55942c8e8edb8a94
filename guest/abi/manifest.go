package abi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// ManifestSection is the name of the custom section of a handler's .wasm file
// that holds its manifest as JSON.
const ManifestSection = "lectern.manifest"

// The rights that a manifest can ask for beyond its records.
const (
	// RightSignIn allows OpSignIn and OpSignOut, and what else a person does
	// with their own sign-in: OpRemember, OpSetPassword and the list of devices.
	RightSignIn = "sign-in"
	// RightSignUp allows OpSignUp.
	RightSignUp = "sign-up"
	// RightSetup allows OpCreateAccount; the host grants it only to the
	// request that fills an empty store at the first start.
	RightSetup = "setup"
	// RightAuthorization shows the request's header Authorization, which is
	// hidden from all others. What the handler answers is then for this reader
	// alone.
	RightAuthorization = "authorization"
)

// rights are all rights that there are.
var rights = []string{RightSignIn, RightSignUp, RightSetup, RightAuthorization}

// What a route can require of the reader before the handler is asked at all.
const (
	// RequireNobody lets everybody in; it is the default.
	RequireNobody = ""
	// RequireSignedIn lets in whoever is signed in; others are sent to the
	// sign-in page.
	RequireSignedIn = "signed-in"
)

// RoleAdmin is the role that passes every requirement of a route.
const RoleAdmin = "admin"

// Manifest says what a handler is and what it may do. The host enforces it:
// what is not asked for here is denied.
type Manifest struct {
	// ABI is the Version that the handler was built for.
	ABI int `json:"abi"`
	// Name is 1 to 40 of a-z, 0-9 and "-"; it is the handler's folder.
	Name    string `json:"name"`
	Version string `json:"version"`
	// Summary tells people what the handler is for, in one sentence.
	Summary string  `json:"summary"`
	Routes  []Route `json:"routes"`
	// Errors says that the handler makes the site's error pages.
	Errors bool `json:"errors,omitempty"`
	// SignIn is the path of the page where people sign in.
	SignIn string `json:"signIn,omitempty"`
	// Read and Write are the record prefixes that the handler may touch;
	// write implies read. Each ends with "/".
	Read  []string `json:"read,omitempty"`
	Write []string `json:"write,omitempty"`
	// Rights are the special rights.
	Rights []string `json:"rights,omitempty"`
	// Secrets are the form fields that only the host sees: the guest's copy
	// of the body has their values blanked.
	Secrets []string `json:"secrets,omitempty"`
	// Config is handed to guests that ask for it through http-wasm.
	Config string `json:"config,omitempty"`
	// Next makes the handler middleware: what it passes on (next=1 in
	// http-wasm) goes to the handler of this name, or with NextSite to whoever
	// has the route. A handler with Next and without Routes stands in front of
	// all routes that are behind it.
	Next string `json:"next,omitempty"`
	// Internal says that no visitor can reach the handler, unless through
	// middleware whose Next it is.
	Internal bool `json:"internal,omitempty"`
	// Limits bound each request more narrowly than the host does.
	Limits Limits `json:"limits,omitzero"`
}

// NextSite as a manifest's Next is the whole site.
const NextSite = "*"

// Route is one pattern of net/http's ServeMux with a method, such as
// "GET /course/{code}/view" or "GET api.example.org/course/{code}", and who
// may use it. A route of GET answers HEAD too, and the handler is shown GET; it
// sees HEAD where it has a route of its own for that.
type Route struct {
	Pattern string `json:"pattern"`
	// Require is RequireNobody, RequireSignedIn or the name of a role.
	Require string `json:"require,omitempty"`
}

// ErrorPattern is the pattern that OpRoute reports when the host asks a
// handler for an error page; its value "status" is the HTTP status.
const ErrorPattern = "ERROR /{status}"

// Allows reports whether the manifest asks for the right.
func (m *Manifest) Allows(right string) bool {
	for _, r := range m.Rights {
		if r == right {
			return true
		}
	}
	return false
}

// MayRead reports whether path, a key or a prefix, lies in what the manifest
// asks to read or write.
func (m *Manifest) MayRead(path string) bool { return under(m.Read, path) || under(m.Write, path) }

// MayWrite reports whether key lies in what the manifest asks to write.
func (m *Manifest) MayWrite(key string) bool { return under(m.Write, key) }

// reserved are the record prefixes that only the host itself may touch.
var reserved = []string{"account/", "system/"}

// IsReserved reports whether path, a key or a prefix, lies in what the host
// keeps for itself; no manifest may ask for it.
func IsReserved(path string) bool { return under(reserved, path) }

// under reports whether path begins with one of the prefixes.
func under(prefixes []string, path string) bool {
	for _, p := range prefixes {
		if strings.HasPrefix(path, p) {
			return true
		}
	}
	return false
}

// ParseManifest decodes and validates the JSON of a manifest. The error names
// every fault.
func ParseManifest(data []byte) (*Manifest, error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	var m Manifest
	if err := dec.Decode(&m); err != nil {
		return nil, fmt.Errorf("manifest: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("manifest: there is something after its closing brace: remove it")
	}
	if err := m.validate(); err != nil {
		return nil, err
	}
	return &m, nil
}

// validate gathers every fault of a decoded manifest.
func (m *Manifest) validate() error {
	var faults []error
	fault := func(format string, args ...any) {
		faults = append(faults, fmt.Errorf("manifest: "+format, args...))
	}
	if m.ABI != Version {
		fault("abi is %d; this host speaks version %d: build the handler with a matching SDK", m.ABI, Version)
	}
	if !validName(m.Name) {
		fault("name %q must be 1 to 40 of a-z, 0-9 and -", m.Name)
	}
	for _, r := range m.Routes {
		if !validPattern(r.Pattern) {
			fault("route %q must be a method, a space and a path, which may follow a host name", r.Pattern)
		}
	}
	if len(m.Routes) == 0 && !m.Errors && m.Next == "" {
		fault("no route: the handler could never be reached")
	}
	m.validateNext(fault)
	if m.SignIn != "" && (!strings.HasPrefix(m.SignIn, "/") || strings.HasPrefix(m.SignIn, "//")) {
		fault("signIn %q must be a path of this site", m.SignIn)
	}
	for _, p := range append(append([]string{}, m.Read...), m.Write...) {
		if !strings.HasSuffix(p, "/") || strings.HasPrefix(p, "/") || strings.Contains(p, "//") {
			fault("record prefix %q must be a path that ends with a slash", p)
		}
		if IsReserved(p) {
			fault("record prefix %q is kept by the host for itself: choose another", p)
		}
	}
	for _, r := range m.Rights {
		if !slices.Contains(rights, r) {
			fault("unknown right %q", r)
		}
	}
	return errors.Join(append(faults, m.Limits.validate())...)
}

// validateNext reports the faults of Next that show without the other handlers.
func (m *Manifest) validateNext(fault func(format string, args ...any)) {
	switch {
	case m.Next == "":
	case m.Next == NextSite && len(m.Routes) > 0:
		fault("next %q puts the handler in front of all others, so it can have no routes of its own: leave them out, or name one handler", m.Next)
	case m.Next == NextSite && m.Internal:
		fault("next %q puts the handler in front of all others, so it cannot be internal", m.Next)
	case m.Next == m.Name:
		fault("next %q is the handler itself", m.Next)
	case m.Next != NextSite && !validName(m.Next):
		fault("next %q must be the name of a handler, or %q for the whole site", m.Next, NextSite)
	}
}

// validPattern reports whether s is a method and a path, with or without a
// host. The wildcards in it are checked by the router.
func validPattern(s string) bool {
	method, rest, _ := strings.Cut(s, " ")
	host, _, ok := strings.Cut(rest, "/")
	for _, c := range host {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '.' {
			return false
		}
	}
	return method != "" && ok
}

// validName reports whether s can be a handler's name.
func validName(s string) bool {
	if s == "" || len(s) > 40 {
		return false
	}
	for _, c := range s {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return true
}
