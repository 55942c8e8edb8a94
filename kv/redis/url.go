package redis

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"path"
	"strconv"
	"strings"

	"github.com/redis/rueidis"

	"github.com/lectern-lms/lectern/kv"
)

// trimmed drops the spaces that a copied setting carries.
func trimmed(s string) string { return strings.TrimSpace(s) }

// ParseURL reports what is wrong with a URL of a Redis. No error shows the
// password.
func ParseURL(text string) error {
	_, err := parseURL(text)
	return err
}

// parseURL reads redis://, rediss:// and unix:// addresses.
func parseURL(text string) (rueidis.ClientOption, error) {
	fail := func(why string) (rueidis.ClientOption, error) {
		return rueidis.ClientOption{}, fmt.Errorf("%w: the URL of Redis %s; it is like redis://user:password@host:6379/0, rediss:// for TLS, or unix:///run/redis.sock", kv.ErrInvalid, why)
	}
	u, err := url.Parse(text)
	if err != nil {
		// The error of url.Parse holds the text, and so the password.
		return fail("cannot be read: " + reason(err))
	}
	if u.Opaque != "" || u.RawQuery != "" || u.Fragment != "" {
		return fail("has parts after its path or lacks the two slashes (a password with special characters must be percent-encoded)")
	}
	var option rueidis.ClientOption
	if u.User != nil {
		option.Username = u.User.Username()
		option.Password, _ = u.User.Password()
	}
	switch u.Scheme {
	case "unix":
		if u.Host != "" || !path.IsAbs(u.Path) {
			return fail("names no absolute path of a socket")
		}
		option.InitAddress = []string{u.Path}
		option.DialCtxFn = dialUnix
		return option, nil
	case "rediss":
		option.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12, ServerName: u.Hostname()}
	case "redis":
	default:
		return fail(fmt.Sprintf("has the scheme %.20q", u.Scheme))
	}
	if u.Hostname() == "" {
		return fail("names no host")
	}
	port := u.Port()
	if port == "" {
		port = "6379"
	}
	if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
		return fail(fmt.Sprintf("has the port %.20q", port))
	}
	option.InitAddress = []string{net.JoinHostPort(u.Hostname(), port)}
	if db := strings.TrimPrefix(u.Path, "/"); db != "" {
		if option.SelectDB, err = strconv.Atoi(db); err != nil || option.SelectDB < 0 {
			return fail(fmt.Sprintf("has the database %.20q, which is no number", db))
		}
	}
	return option, nil
}

// reason is the innermost message of an error of url.Parse, which does not
// repeat the URL. Errors about the port quote it, and with it a password that
// has an @ or a slash in it.
func reason(err error) string {
	var outer *url.Error
	if errors.As(err, &outer) {
		err = outer.Err
	}
	if strings.Contains(err.Error(), "port") {
		return "its port is no number (a password with special characters must be percent-encoded)"
	}
	var escape url.EscapeError
	if errors.As(err, &escape) {
		return "a percent sign is not followed by two hexadecimal digits"
	}
	var host url.InvalidHostError
	if errors.As(err, &host) {
		return "its host has a character that no host has"
	}
	return "it is no URL"
}

// Mask shows a URL of Redis without its password, for messages and logs. What
// cannot be read is not shown at all.
func Mask(text string) string {
	u, err := url.Parse(trimmed(text))
	if err != nil || u.Opaque != "" || u.RawQuery != "" || u.Fragment != "" {
		return "(not a URL)"
	}
	if _, ok := u.User.Password(); ok {
		u.User = url.UserPassword(u.User.Username(), "*****")
		return strings.Replace(u.String(), "%2A%2A%2A%2A%2A", "*****", 1)
	}
	return u.String()
}
