package session

import (
	"net/http"
	"time"

	"github.com/lectern-lms/lectern/kv"
)

// Names of the cookies. The prefix makes browsers refuse one unless it came
// over TLS, from this very host, for the path "/".
const (
	sessionName  = "session"
	visitorName  = "visitor"
	rememberName = "remember"
	hostPrefix   = "__Host-"
)

// Cookies are the values of a request's cookies that are this package's, ""
// for those that it does not have. Visitors' sessions have a cookie of their
// own, so that a late answer to an anonymous tab cannot take the place of the
// cookie with which another tab has just signed in.
type Cookies struct {
	// Session is a signed-in person's session, Visitor an anonymous one.
	Session, Visitor string
	// Remember signs a person in who asked for it once.
	Remember string
}

// Cookies reads a request's cookies.
func (m *Manager) Cookies(r *http.Request) Cookies {
	value := func(name string) string {
		c, err := r.Cookie(name)
		if err != nil {
			return ""
		}
		return c.Value
	}
	return Cookies{Session: value(m.session.name), Visitor: value(m.visitor.name), Remember: value(m.remember.name)}
}

// CookieName is the name of a signed-in person's cookie.
func (m *Manager) CookieName() string { return m.session.name }

// cookieName is what a cookie is called under this configuration.
func (c Config) cookieName(plain string) string {
	if c.Secure {
		return hostPrefix + plain
	}
	return plain
}

// cookie makes a cookie, or one that removes the browser's if value is "". It
// has no Domain, so it stays on this host. Without a life it goes when the
// browser is closed.
func (m *Manager) cookie(name, value string, life time.Duration) *http.Cookie {
	c := &http.Cookie{
		Name: name, Value: value, Path: "/",
		Secure: m.cfg.Secure, HttpOnly: true, SameSite: m.cfg.SameSite,
	}
	if life > 0 {
		c.MaxAge = max(1, int(life/time.Second))
	}
	if value == "" {
		c.MaxAge = -1
	}
	return c
}

// sessionCookie is the cookie of a stored session; which of the two depends
// on whether it is anybody's.
func (m *Manager) sessionCookie(id sessionID, rev kv.Revision, user string) *http.Cookie {
	s := m.session
	if user == "" {
		s = m.visitor
	}
	return m.cookie(s.name, s.sign(id, rev), 0)
}

// clear removes a cookie from the browser.
func (m *Manager) clear(s signer) *http.Cookie { return m.cookie(s.name, "", 0) }
