package session

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"
)

// Lifetimes and intervals. The defaults of 24 hours are the reference
// system's; both are far shorter than the 30 days that NIST 800-63B allows at
// its first assurance level.
const (
	// defaultIdle is how long a session lives without a request.
	defaultIdle = 24 * time.Hour
	// defaultAbsolute is how long a session lives at all.
	defaultAbsolute = 24 * time.Hour
	// minIdle is the shortest idle time: under twice minTouch a session could
	// end while its owner is busy.
	minIdle = 2 * time.Minute
	// minTouch is the least time between two writes that only refresh the
	// idle time.
	minTouch = time.Minute
	// touchParts is the part of the idle time (a tenth) between two refreshes.
	touchParts = 10
	// grace is how long the store keeps a record after its logical expiry. A
	// replicated store may destroy a refresh that it acknowledged in the last
	// moments of a time to live, so the last moments are never used.
	grace = 2 * time.Minute
	// defaultLimit is how many sessions, and how many remembered devices, one
	// user may have: more than a person uses, few enough to list on one page.
	defaultLimit = 20
	// maxLimit keeps the list of a user's sessions short enough to read at
	// each sign-in.
	maxLimit = 200
	// skew is how far the clocks of two nodes may be apart without a word in
	// the log.
	skew = 10 * time.Second
)

// Config says how sessions are signed, sent and ended. The zero value of
// every field but Keys is usable.
type Config struct {
	// Keys are the secrets. The first signs, all verify, so a new key is put
	// first and the old one is removed after the absolute time-out. The length
	// is for the caller to judge; 32 random bytes are right.
	Keys [][]byte
	// Secure sends the cookie over TLS only and names it __Host-session,
	// which stops other hosts of the domain from planting one.
	Secure bool
	// SameSite says on which requests from other sites the cookie is sent;
	// Lax unless set.
	SameSite http.SameSite
	// Idle ends a session that saw no request for so long; 24 hours unless
	// set, at least two minutes. As it is refreshed at most every tenth of it,
	// a session may end up to a tenth early, never late.
	Idle time.Duration
	// Absolute ends a session so long after its start or last sign-in,
	// however busy it is; 24 hours unless set.
	Absolute time.Duration
	// Remember is how long a remembered device may sign in by itself, counted
	// from the sign-in with a password. Zero offers no such thing and refuses
	// the tokens that were given out before.
	Remember time.Duration
	// Limit is how many sessions a user may have at once, and how many
	// remembered devices; 20 unless set. At a sign-in beyond it those end that
	// have been unused for longest.
	Limit int
	// Logger gets the life of sessions, with a salted hash in place of the
	// id; slog's default unless set.
	Logger *slog.Logger
}

// withDefaults returns the configuration with every field set, or all of its
// faults at once.
func (c Config) withDefaults() (Config, error) {
	if c.SameSite == 0 || c.SameSite == http.SameSiteDefaultMode {
		c.SameSite = http.SameSiteLaxMode
	}
	if c.Idle == 0 {
		c.Idle = defaultIdle
	}
	if c.Absolute == 0 {
		c.Absolute = defaultAbsolute
	}
	if c.Limit == 0 {
		c.Limit = defaultLimit
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	return c, c.faults()
}

// faults reports all that is wrong with a configuration, or nil.
func (c Config) faults() error {
	var faults []error
	if len(c.Keys) == 0 {
		faults = append(faults, errors.New("session: no key to sign cookies with: give at least one"))
	}
	for i, k := range c.Keys {
		if len(k) == 0 {
			faults = append(faults, fmt.Errorf("session: key %d is empty: remove it or give it a value", i+1))
		}
	}
	if c.Idle < minIdle {
		faults = append(faults, fmt.Errorf("session: the idle time is %v, the least is %v", c.Idle, minIdle))
	}
	if c.Absolute < minIdle {
		faults = append(faults, fmt.Errorf("session: the absolute time is %v, the least is %v", c.Absolute, minIdle))
	}
	if c.Remember != 0 && c.Remember < minIdle {
		faults = append(faults, fmt.Errorf("session: devices are remembered for %v, the least is %v, or 0 to remember none", c.Remember, minIdle))
	}
	if c.Limit < 1 || c.Limit > maxLimit {
		faults = append(faults, fmt.Errorf("session: the limit of sessions is %d, 1 to %d are allowed", c.Limit, maxLimit))
	}
	if c.SameSite == http.SameSiteNoneMode && !c.Secure {
		faults = append(faults, errors.New("session: browsers refuse SameSite=None without Secure: set Secure or choose Lax"))
	}
	return errors.Join(faults...)
}
