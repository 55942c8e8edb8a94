package config

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// The key that a development site makes for itself.
const (
	secretFile  = "secret.key" // in LMS_DATA_DIR
	secretBytes = 32           // 256 bits, written as 64 hexadecimal digits
)

// EnsureSecret sets cfg.SecretKey if a development site was given none: to
// the key in LMS_DATA_DIR/secret.key, which it makes if there is none. Call it
// after [PrepareDataDir], whose lock keeps two processes from making two keys,
// and only to serve. It fails in production and
// in a cluster, which never make a key.
func EnsureSecret(cfg *Config) error {
	if cfg.SecretKey != "" {
		return nil
	}
	if cfg.Production() || cfg.Clustered() {
		return Faults{{Name: "SECRET_KEY", Message: "not set; " + secretKeyRemedy}}
	}
	path := filepath.Join(cfg.DataDir, secretFile)
	key, err := readSecret(path)
	if errors.Is(err, fs.ErrNotExist) {
		key, err = makeSecret(path)
	}
	if err != nil {
		return err
	}
	cfg.SecretKey = Secret(key)
	sources := map[string]Source{"SECRET_KEY": SourceGenerated + Source(" "+path)}
	for name, source := range cfg.sources { // copies of cfg share the old map
		if name != "SECRET_KEY" {
			sources[name] = source
		}
	}
	cfg.sources = sources
	return nil
}

// readSecret reads the key in path. A key that other people of the machine
// could have read, or that was cut short, is refused.
func readSecret(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", fmt.Errorf("read the session key: %w", err)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return "", fmt.Errorf("the session key %s can be read by others (mode %04o): "+
			"run chmod 600 on it, or delete it to get a new one, which signs everybody out", path, mode)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("read the session key: %w", err)
	}
	key := strings.TrimSpace(string(text))
	if len(key) < minSecretKey {
		return "", fmt.Errorf("the session key %s is damaged (%d characters instead of %d): "+
			"delete it to get a new one, which signs everybody out", path, len(key), 2*secretBytes)
	}
	return key, nil
}

// makeSecret writes a new random key to path in one step, so that a crash
// leaves a whole key or none.
func makeSecret(path string) (string, error) {
	raw := make([]byte, secretBytes)
	rand.Read(raw) // never fails, says its documentation
	key := hex.EncodeToString(raw)
	if err := writeAtomically(path, []byte(key+"\n")); err != nil {
		return "", fmt.Errorf("keep the session key in %s: %w; make LMS_DATA_DIR writable, or set SECRET_KEY", path, err)
	}
	return key, nil
}

// writeAtomically puts data at path with mode 0600, on the disk when it
// returns.
func writeAtomically(path string, data []byte) (err error) {
	tmp, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*") // mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			tmp.Close()
			os.Remove(tmp.Name())
		}
	}()
	if _, err = tmp.Write(data); err != nil {
		return err
	}
	if err = tmp.Sync(); err != nil {
		return err
	}
	if err = tmp.Close(); err != nil {
		return err
	}
	if err = os.Rename(tmp.Name(), path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// syncDir makes a rename in dir survive a power cut.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
