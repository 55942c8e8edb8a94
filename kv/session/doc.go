// Package session, see doc to follow.
package session
