package auth

import (
	"context"
	"crypto/rand"
	"crypto/subtle"

	"golang.org/x/crypto/argon2"
)

// Params are the costs of one argon2id hash.
type Params struct {
	// Memory is in KiB, Time counts passes, Threads counts lanes.
	Memory  uint32
	Time    uint32
	Threads uint8
}

// owasp is the first choice of OWASP's Password Storage Cheat Sheet.
var owasp = Params{Memory: 19 * 1024, Time: 2, Threads: 1}

// Sizes of new salts and sums in bytes (RFC 9106 recommends them).
const (
	saltSize = 16
	sumSize  = 32
)

// hasher computes hashes, a bounded number at once.
type hasher struct {
	params Params
	// slots holds one token per hash being computed.
	slots chan struct{}
	// derive is argon2id; tests count its calls.
	derive func(password, salt []byte, p Params, size int) []byte
}

// newHasher returns a hasher with parameters for new hashes.
func newHasher(p Params, concurrency int) *hasher {
	return &hasher{params: p, slots: make(chan struct{}, concurrency), derive: argon2id}
}

// argon2id computes one sum.
func argon2id(password, salt []byte, p Params, size int) []byte {
	return argon2.IDKey(password, salt, p.Time, p.Memory, p.Threads, uint32(size))
}

// run waits for a slot, no longer than ctx lives, and computes one sum.
func (h *hasher) run(ctx context.Context, password string, salt []byte, p Params, size int) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	select {
	case h.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { <-h.slots }()
	return h.derive([]byte(typed(password)), salt, p, size), nil
}

// hash computes the hash of a new password with a fresh salt.
func (h *hasher) hash(ctx context.Context, password string) (phc, error) {
	salt := make([]byte, saltSize)
	_, _ = rand.Read(salt) // It never fails: Go ends the process instead.
	sum, err := h.run(ctx, password, salt, h.params, sumSize)
	return phc{Params: h.params, salt: salt, sum: sum}, err
}

// verify reports whether a password has the given hash, in constant time.
func (h *hasher) verify(ctx context.Context, hash phc, password string) (bool, error) {
	sum, err := h.run(ctx, password, hash.salt, hash.Params, len(hash.sum))
	return err == nil && subtle.ConstantTimeCompare(sum, hash.sum) == 1, err
}
