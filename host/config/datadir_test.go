package config

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// holdDir is the variable that makes the test binary a process that holds a
// data directory until its standard input ends.
const holdDir = "LECTERN_TEST_HOLD_DIR"

// TestMain lets the test binary play the other process.
func TestMain(m *testing.M) {
	if dir := os.Getenv(holdDir); dir != "" {
		if _, err := PrepareDataDir(dir); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println("held")
		bufio.NewReader(os.Stdin).ReadString('\n')
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// TestDataDirIsMade checks the mode of a new directory, its parents included.
func TestDataDirIsMade(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "a", "b")
	unlock, err := PrepareDataDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	info, err := os.Stat(dir)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("mode %v, error %v; want 0700", info.Mode(), err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "write-test*")); len(left) > 0 {
		t.Errorf("the test of writing left %v", left)
	}
}

// TestDataDirLock checks with a real second process that one directory has
// one user, who is named, and that the lock ends with its holder's death.
func TestDataDirLock(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	other := exec.Command(exe)
	other.Env = append(os.Environ(), holdDir+"="+dir)
	if _, err := other.StdinPipe(); err != nil { // open until we end it
		t.Fatal(err)
	}
	out, err := other.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	kill := sync.OnceFunc(func() { other.Process.Kill(); other.Wait() })
	defer kill()
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "held\n" {
		t.Fatalf("the other process says %q, %v", line, err)
	}

	_, err = PrepareDataDir(dir)
	want := fmt.Sprintf("the data directory %s is in use by process %d; stop it or set another LMS_DATA_DIR", dir, other.Process.Pid)
	if err == nil || err.Error() != want {
		t.Errorf("error %v; want %s", err, want)
	}

	kill()
	unlock, err := PrepareDataDir(dir)
	if err != nil {
		t.Fatalf("after the other process was killed: %v", err)
	}
	unlock()
	if unlock, err = PrepareDataDir(dir); err != nil {
		t.Fatalf("after unlock: %v", err)
	}
	unlock()
}

// TestDataDirFaults checks the errors about directories that cannot be used.
// A file in the way and /proc refuse root too.
func TestDataDirFaults(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct{ dir, says string }{
		"a file in the way":     {file, "cannot be made"},
		"a file as a parent":    {filepath.Join(file, "data"), "cannot be made"},
		"a read-only directory": {"/proc", "cannot be "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := PrepareDataDir(tt.dir)
			if err == nil || !strings.Contains(err.Error(), tt.says) || !strings.Contains(err.Error(), "set LMS_DATA_DIR") {
				t.Errorf("error %v; want one that says %q and names LMS_DATA_DIR", err, tt.says)
			}
		})
	}
}

// TestEnsureSecret checks that a development site makes one key and keeps it
// to itself.
func TestEnsureSecret(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	load := func() Config {
		cfg, err := Load([]string{"LMS_DATA_DIR=" + dir})
		if err != nil {
			t.Fatal(err)
		}
		if err := EnsureSecret(&cfg); err != nil {
			t.Fatal(err)
		}
		return cfg
	}
	first, second := load(), load()
	if len(first.SecretKey) != 64 || first.SecretKey != second.SecretKey {
		t.Errorf("keys of %d and %d characters; want the same 64 twice", len(first.SecretKey), len(second.SecretKey))
	}
	path := filepath.Join(dir, "secret.key")
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, error %v; want 0600", info.Mode(), err)
	}
	if got := first.Source("SECRET_KEY"); got != Source("generated "+path) {
		t.Errorf("source %q; want the file named", got)
	}
	if left, _ := filepath.Glob(path + ".*"); len(left) > 0 {
		t.Errorf("writing the key left %v", left)
	}

	given := Config{SecretKey: "given", DataDir: filepath.Join(dir, "never made")}
	if err := EnsureSecret(&given); err != nil || given.SecretKey != "given" {
		t.Errorf("key %q, error %v; want the given key and no file", given.SecretKey.Reveal(), err)
	}
}

// TestEnsureSecretFaults checks the keys that must not be used.
func TestEnsureSecretFaults(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		env  Environment
		mode os.FileMode
		text string // "": no file
		says string
	}{
		"production":          {Production, 0o600, "", "openssl rand -hex 32"},
		"readable by others":  {Development, 0o644, goodKey, "chmod 600"},
		"cut short":           {Development, 0o600, goodKey[:20], "damaged"},
		"cut short to a line": {Development, 0o600, "\n", "damaged"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := Config{Env: tt.env, DataDir: t.TempDir()}
			path := filepath.Join(cfg.DataDir, "secret.key")
			if tt.text != "" {
				if err := os.WriteFile(path, []byte(tt.text), tt.mode); err != nil {
					t.Fatal(err)
				}
			}
			err := EnsureSecret(&cfg)
			if err == nil || !strings.Contains(err.Error(), tt.says) || strings.Contains(err.Error(), goodKey[:20]) {
				t.Errorf("error %v; want one that says %q and not the key", err, tt.says)
			}
			if cfg.SecretKey != "" {
				t.Errorf("the key is set in spite of the error")
			}
		})
	}
	missing := Config{Env: Development, DataDir: filepath.Join(t.TempDir(), "missing")}
	if err := EnsureSecret(&missing); err == nil || !strings.Contains(err.Error(), "make LMS_DATA_DIR writable") {
		t.Errorf("error %v; want one that names the remedy", err)
	}
}
