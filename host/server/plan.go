package server

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/lectern-lms/lectern/guest/abi"
	"github.com/lectern-lms/lectern/host/engine"
)

// way is one route with the handler that is asked first when it matches.
type way struct {
	handler *engine.Handler
	route   abi.Route
	// owner is the handler whose manifest has the route: handler itself, or
	// the one that it stands in front of.
	owner *engine.Handler
	// form says that one of the handlers from the first to the owner, or
	// behind that one, has secrets, so that a body must be a form, in which
	// they can be found.
	form bool
}

// plan says how the handlers of a site stand to each other. A handler without
// routes is a wrapper: it stands in front of all routes that are behind it.
// One with routes and a next is only asked for its own, and passes on by
// changing method or URI.
type plan struct {
	handlers []*engine.Handler
	byName   map[string]*engine.Handler
	// wrappers has the handler in front of another by that one's name, and
	// under abi.NextSite the one in front of the whole site.
	wrappers map[string]*engine.Handler
	// site are the routes that visitors can reach as they are without the
	// handlers in front of the whole site, and public as they are with them.
	site, public []way
	// behind has the routes behind each handler that has a next.
	behind map[*engine.Handler]*http.ServeMux
	faults []string
}

// newPlan finds out who stands behind whom, and everything that makes no
// sense in it; see plan.faults.
func newPlan(handlers []*engine.Handler) *plan {
	p := &plan{
		handlers: handlers, byName: map[string]*engine.Handler{}, wrappers: map[string]*engine.Handler{},
		behind: map[*engine.Handler]*http.ServeMux{},
	}
	p.name()
	if len(p.faults) > 0 {
		return p // what follows relies on it
	}
	front := p.front()
	p.circles(front)
	if len(p.faults) > 0 {
		return p
	}
	for _, h := range handlers {
		if !h.Manifest().Internal && p.wrappers[h.Manifest().Name] == nil && !slices.Contains(front, h) {
			p.site = append(p.site, p.routesOf(h)...)
		}
	}
	p.public = p.site
	if len(front) > 0 {
		p.public = p.routesOf(front[len(front)-1])
	}
	for _, h := range handlers {
		if h.Manifest().Next != "" {
			p.behind[h] = p.mux(p.routesBehind(h))
		}
	}
	return p
}

// fault notes what is wrong with a handler's place.
func (p *plan) fault(h *engine.Handler, format string, args ...any) {
	p.faults = append(p.faults, h.Manifest().Name+": "+fmt.Sprintf(format, args...))
}

// wraps reports whether a handler stands in front of another's routes.
func wraps(h *engine.Handler) bool {
	m := h.Manifest()
	return m.Next != "" && len(m.Routes) == 0
}

// name fills byName and wrappers.
func (p *plan) name() {
	var errors, signIn *engine.Handler
	for _, h := range p.handlers {
		m := h.Manifest()
		if p.byName[m.Name] != nil {
			p.fault(h, "there are two handlers of this name")
		}
		p.byName[m.Name] = h
		if other := p.wrappers[m.Next]; wraps(h) && !m.Internal {
			if other != nil {
				p.fault(h, "%s stands in front of %q already: name %q as next, or the other way round", other.Manifest().Name, m.Next, other.Manifest().Name)
			}
			p.wrappers[m.Next] = h
		}
		if m.Errors && errors != nil {
			p.fault(h, "%s makes the error pages already", errors.Manifest().Name)
		}
		if m.SignIn != "" && signIn != nil {
			p.fault(h, "%s has the sign-in page already", signIn.Manifest().Name)
		}
		if m.Errors {
			errors = h
		}
		if m.SignIn != "" {
			signIn = h
		}
	}
	for _, h := range p.handlers {
		if next := h.Manifest().Next; next != "" && next != abi.NextSite && p.byName[next] == nil {
			p.fault(h, "its next, %q, does not exist", next)
		}
	}
}

// front lists the handlers in front of the whole site, the innermost first.
func (p *plan) front() []*engine.Handler {
	var front []*engine.Handler
	for h := p.wrappers[abi.NextSite]; h != nil && !slices.Contains(front, h); h = p.wrappers[h.Manifest().Name] {
		front = append(front, h)
	}
	return front
}

// circles finds handlers through which a request could come back to them.
func (p *plan) circles(front []*engine.Handler) {
	for _, h := range p.handlers {
		passed := []string{h.Manifest().Name}
		for next := p.byName[h.Manifest().Next]; next != nil; next = p.byName[next.Manifest().Next] {
			name := next.Manifest().Name
			passed = append(passed, name)
			if slices.Contains(passed[:len(passed)-1], name) {
				p.fault(h, "its next leads back in a circle: %s", strings.Join(passed, ", "))
				break
			}
			if slices.Contains(front, next) && !slices.Contains(front, h) {
				p.fault(h, "its next, %s, stands in front of the whole site, and so of this handler too", name)
				break
			}
		}
	}
}

// routesOf are the routes by which a handler can be asked.
func (p *plan) routesOf(h *engine.Handler) []way {
	m := h.Manifest()
	var ways []way
	if wraps(h) {
		for _, w := range p.routesBehind(h) {
			w.handler, w.form = h, w.form || len(m.Secrets) > 0
			ways = append(ways, w)
		}
		return ways
	}
	for _, r := range m.Routes {
		ways = append(ways, way{handler: h, route: r, owner: h, form: len(p.secrets(h)) > 0})
	}
	return ways
}

// routesBehind are those of a handler's next.
func (p *plan) routesBehind(h *engine.Handler) []way {
	if h.Manifest().Next == abi.NextSite {
		return p.site
	}
	return p.routesOf(p.byName[h.Manifest().Next])
}

// secrets are the form fields that are hidden from a handler: its own, and
// those of every handler to which it could pass a form on.
func (p *plan) secrets(h *engine.Handler) []string {
	all := slices.Clone(h.Manifest().Secrets)
	if h.Manifest().Next == "" {
		return all
	}
	for _, w := range p.routesBehind(h) {
		all = append(all, p.secrets(w.handler)...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// mux makes the router among the routes behind a handler; see finding.
func (p *plan) mux(ways []way) *http.ServeMux {
	mux := http.NewServeMux()
	for _, w := range ways {
		p.add(mux, w.owner.Manifest().Name, w.route.Pattern, w)
	}
	return mux
}

// add notes as a fault what the router does not take.
func (p *plan) add(mux *http.ServeMux, owner, pattern string, h http.Handler) {
	defer func() {
		if r := recover(); r != nil {
			p.faults = append(p.faults, fmt.Sprintf("%s: route %q: %v", owner, pattern, r))
		}
	}()
	mux.Handle(pattern, h)
}
