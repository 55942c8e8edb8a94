package auth

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
)

// Bounds of what a stored hash may ask for, so that a damaged record cannot
// take the memory or the processor. The reference system's hashes (64 MiB,
// three passes, four lanes) are within them.
const (
	maxMemory   = 128 * 1024
	maxTime     = 10
	maxThreads  = 16
	minSalt     = 8
	maxSalt     = 64
	minSum      = 16
	maxSum      = 64
	maxPHC      = 256
	lanesMemory = 8 // argon2's least memory per lane, in KiB
)

// phcEncoding is base64 as the PHC format has it; Strict gives each hash one
// spelling.
var phcEncoding = base64.RawStdEncoding.Strict()

// errPHC says that a text is no argon2id hash within the bounds. It never
// quotes the text.
var errPHC = errors.New("auth: not an argon2id hash in PHC format, or out of bounds")

// phc is a password's hash with what is needed to compute it again.
type phc struct {
	Params
	salt []byte
	sum  []byte
}

// encode writes the PHC string. It is no String method, so that printing a hash
// by mistake does not spell it out.
func (p phc) encode() string {
	return fmt.Sprintf("$argon2id$v=19$m=%d,t=%d,p=%d$%s$%s", p.Memory, p.Time, p.Threads,
		phcEncoding.EncodeToString(p.salt), phcEncoding.EncodeToString(p.sum))
}

// parsePHC reads a PHC string and refuses all but the one spelling.
func parsePHC(text string) (phc, error) {
	parts := strings.Split(text, "$")
	if len(text) > maxPHC || len(parts) != 6 {
		return phc{}, errPHC
	}
	var p phc
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &p.Memory, &p.Time, &p.Threads); err != nil {
		return phc{}, errPHC
	}
	var errSalt, errSum error
	p.salt, errSalt = phcEncoding.DecodeString(parts[4])
	p.sum, errSum = phcEncoding.DecodeString(parts[5])
	// Writing it again catches everything that Sscanf, the decoder or this
	// function did not look at.
	if errSalt != nil || errSum != nil || !p.bounded() || p.encode() != text {
		return phc{}, errPHC
	}
	return p, nil
}

// bounded reports whether a hash keeps the bounds.
func (p phc) bounded() bool {
	return p.Memory <= maxMemory && p.Time >= 1 && p.Time <= maxTime &&
		p.Threads >= 1 && p.Threads <= maxThreads && p.Memory >= lanesMemory*uint32(p.Threads) &&
		len(p.salt) >= minSalt && len(p.salt) <= maxSalt && len(p.sum) >= minSum && len(p.sum) <= maxSum
}
