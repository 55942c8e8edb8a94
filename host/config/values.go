package config

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/netip"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// Environment is what a site is for.
type Environment string

// The environments of LMS_ENV.
const (
	Development Environment = "development"
	Production  Environment = "production"
)

// LogFormat is how log lines are written.
type LogFormat string

// The formats of LMS_LOG_FORMAT. LogAuto means text on a terminal and JSON
// elsewhere; the logger decides, since only it knows where it writes.
const (
	LogAuto LogFormat = "auto"
	LogText LogFormat = "text"
	LogJSON LogFormat = "json"
)

// SameSite is the SameSite attribute of a cookie, in http's own numbers.
type SameSite http.SameSite

// String is the attribute as it is written in a Set-Cookie header.
func (s SameSite) String() string {
	switch http.SameSite(s) {
	case http.SameSiteStrictMode:
		return "Strict"
	case http.SameSiteNoneMode:
		return "None"
	default:
		return "Lax"
	}
}

// Bytes is a size in bytes.
type Bytes int64

// The units that a size may be written in.
const (
	kibibyte Bytes = 1 << 10
	mebibyte Bytes = 1 << 20
)

// String writes the size in the largest unit that divides it.
func (b Bytes) String() string {
	switch {
	case b != 0 && b%mebibyte == 0:
		return strconv.FormatInt(int64(b/mebibyte), 10) + "MiB"
	case b != 0 && b%kibibyte == 0:
		return strconv.FormatInt(int64(b/kibibyte), 10) + "KiB"
	default:
		return strconv.FormatInt(int64(b), 10)
	}
}

// Count is a number that Lectern chooses by itself if it is Auto.
type Count int

// Auto stands for a number that depends on the machine.
const Auto Count = 0

// String is the count as its variable takes it.
func (c Count) String() string {
	if c == Auto {
		return "auto"
	}
	return strconv.Itoa(int(c))
}

// SyncPolicy is when the store flushes to the disk: before each answer if
// Always, otherwise at this interval.
type SyncPolicy struct {
	Always   bool
	Interval time.Duration
}

// String is the policy as LMS_SYNC takes it.
func (p SyncPolicy) String() string {
	if p.Always {
		return "always"
	}
	return p.Interval.String()
}

// parsers gives the env package a parser for each type of a field that its
// own do not read as documented. The errors are never shown: the tag "want"
// says it better.
var parsers = map[reflect.Type]func(string) (any, error){
	reflect.TypeFor[bool]():           parseFlag,
	reflect.TypeFor[Bytes]():          parseBytes,
	reflect.TypeFor[Count]():          parseCount,
	reflect.TypeFor[SyncPolicy]():     parseSync,
	reflect.TypeFor[SameSite]():       parseSameSite,
	reflect.TypeFor[RedisURL]():       parseRedisURL,
	reflect.TypeFor[[]netip.Prefix](): parsePrefixes,
	reflect.TypeFor[[]Secret]():       parseSecrets,
	reflect.TypeFor[HostPort]():       parseHostPort,
	reflect.TypeFor[[]HostPort]():     parseHostPorts,
	reflect.TypeFor[Environment]():    oneOf(Development, Production),
	reflect.TypeFor[LogFormat]():      oneOf(LogAuto, LogText, LogJSON),
}

// errForm says that a value does not have the form of its variable.
var errForm = errors.New("config: not of the form wanted")

// oneOf makes a parser that accepts the given words in any case.
func oneOf[T ~string](words ...T) func(string) (any, error) {
	return func(v string) (any, error) {
		for _, w := range words {
			if strings.EqualFold(v, string(w)) {
				return w, nil
			}
		}
		return nil, errForm
	}
}

// parseFlag reads a switch with the words that NOW LMS accepts and their
// opposites; unlike there, any other word is a fault and not "off".
func parseFlag(v string) (any, error) {
	switch strings.ToLower(v) {
	case "1", "true", "yes", "on":
		return true, nil
	case "0", "false", "no", "off":
		return false, nil
	}
	return nil, errForm
}

// parseBytes reads a whole number of bytes, KiB or MiB.
func parseBytes(v string) (any, error) {
	unit, digits := Bytes(1), v
	for suffix, u := range map[string]Bytes{"KiB": kibibyte, "MiB": mebibyte} {
		if n := len(v) - len(suffix); n > 0 && strings.EqualFold(v[n:], suffix) {
			unit, digits = u, strings.TrimSpace(v[:n])
		}
	}
	n, err := strconv.ParseUint(digits, 10, 63)
	if err != nil || n > uint64(math.MaxInt64/int64(unit)) {
		return nil, errForm
	}
	return Bytes(n) * unit, nil
}

// parseCount reads a positive whole number or the word "auto". NOW LMS takes
// its default for what makes no sense, without a word, and a site then runs
// with other numbers than its operator thinks; here it is a fault.
func parseCount(v string) (any, error) {
	if strings.EqualFold(v, Auto.String()) {
		return Auto, nil
	}
	n, err := strconv.ParseInt(v, 10, 32)
	if err != nil || n < 1 {
		return nil, errForm
	}
	return Count(n), nil
}

// parseSync reads a duration or the word "always".
func parseSync(v string) (any, error) {
	if strings.EqualFold(v, "always") {
		return SyncPolicy{Always: true}, nil
	}
	d, err := time.ParseDuration(v)
	if err != nil {
		return nil, errForm
	}
	return SyncPolicy{Interval: d}, nil
}

// parseSameSite reads the name of a SameSite mode in any case.
func parseSameSite(v string) (any, error) {
	for _, mode := range []http.SameSite{http.SameSiteLaxMode, http.SameSiteStrictMode, http.SameSiteNoneMode} {
		if s := SameSite(mode); strings.EqualFold(v, s.String()) {
			return s, nil
		}
	}
	return nil, errForm
}

// parsePrefixes reads addresses and CIDR ranges; an address is a range of
// one. Host bits of a range are cleared, so that 10.1.2.3/8 is 10.0.0.0/8.
func parsePrefixes(v string) (any, error) {
	var out []netip.Prefix
	for item := range strings.SplitSeq(v, ",") {
		item = strings.TrimSpace(item)
		if item == "" {
			continue
		}
		if addr, err := netip.ParseAddr(item); err == nil && addr.Zone() == "" {
			addr = addr.Unmap()
			out = append(out, netip.PrefixFrom(addr, addr.BitLen()))
			continue
		}
		p, err := netip.ParsePrefix(item)
		if err != nil {
			return nil, fmt.Errorf("%w: %q", errForm, item)
		}
		out = append(out, p.Masked())
	}
	return out, nil
}

// parseSecrets reads secrets with commas between them.
func parseSecrets(v string) (any, error) {
	var out []Secret
	for item := range strings.SplitSeq(v, ",") {
		if item = strings.TrimSpace(item); item != "" {
			out = append(out, Secret(item))
		}
	}
	return out, nil
}
