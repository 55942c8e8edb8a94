package site

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"slices"

	"github.com/lectern-lms/lectern/host/config"
	"github.com/lectern-lms/lectern/kv"
)

// signerKey is where the servers that share a store note by which SECRET_KEY
// they sign cookies.
const signerKey = "system/signer"

// fingerprint tells one SECRET_KEY from another and gives nothing of it away.
func fingerprint(key config.Secret) string {
	mac := hmac.New(sha256.New, []byte(key.Reveal()))
	mac.Write([]byte("lectern: which key signs the cookies"))
	return hex.EncodeToString(mac.Sum(nil)[:16])
}

// checkSameKey says so if another server signs the cookies of the same sessions
// by a key that this one does not have: people would be signed in on one server
// and strangers on the other. It stops nothing, since the key may have been
// changed on purpose, which signs everybody out.
func checkSameKey(ctx context.Context, sessions kv.Store, cfg config.Config, log *slog.Logger) error {
	own := fingerprint(cfg.SecretKey)
	for {
		e, err := sessions.Get(ctx, signerKey)
		if err != nil && !errors.Is(err, kv.ErrNotFound) {
			return fmt.Errorf("the servers' key cannot be compared: %w", err)
		}
		known := string(e.Value)
		if known == own {
			return nil
		}
		_, err = sessions.Commit(ctx, []kv.Check{kv.Unchanged(signerKey, e.Revision)}, []kv.Write{kv.Put(signerKey, []byte(own))})
		if errors.Is(err, kv.ErrConflict) {
			continue // another server starts at the same time
		}
		if err != nil {
			return fmt.Errorf("the servers' key cannot be noted: %w", err)
		}
		replaced := func(old config.Secret) bool { return fingerprint(old) == known }
		if known != "" && !slices.ContainsFunc(cfg.SecretKeyFallbacks, replaced) {
			log.Error("another SECRET_KEY signs the sessions in this store; if other servers share it, give all of them " +
				"the same key, or people are signed in on one and not on the next")
		}
		return nil
	}
}
