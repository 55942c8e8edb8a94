package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// lockFile is the file in the data directory that the process which uses it
// holds a lock on. It stays when the process ends; only the lock counts.
const lockFile = "lectern.lock"

// errLocked says that another process holds the lock.
var errLocked = errors.New("config: locked by another process")

// PrepareDataDir makes dir with mode 0700 if it is missing, checks that it
// can be written and locks it for this process. The system drops the lock when
// the process ends, however it ends; unlock drops it earlier. Child processes
// do not inherit it.
func PrepareDataDir(dir string) (unlock func(), err error) {
	if path, err := filepath.Abs(dir); err == nil {
		dir = path // in messages, the place and not the way to it
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("the data directory %s cannot be made: %w; "+
			"remove what is in the way, or set LMS_DATA_DIR to another path", dir, err)
	}
	lock, err := os.OpenFile(filepath.Join(dir, lockFile), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, unwritable(dir, err)
	}
	if err := lockExclusively(lock); err != nil {
		defer lock.Close()
		if errors.Is(err, errLocked) {
			return nil, fmt.Errorf("the data directory %s is in use by %s; stop it or set another LMS_DATA_DIR", dir, holder(lock))
		}
		return nil, fmt.Errorf("the data directory %s cannot be locked: %w; "+
			"it must be on a file system with locks, such as a local disk; set LMS_DATA_DIR to one", dir, err)
	}
	if err := tryWrite(dir, lock); err != nil {
		lock.Close()
		return nil, unwritable(dir, err)
	}
	return func() { lock.Close() }, nil
}

// unwritable words the error about a directory that cannot be written.
func unwritable(dir string, err error) error {
	return fmt.Errorf("the data directory %s cannot be written by user %d: %w; "+
		"change its owner or mode, or set LMS_DATA_DIR to another path", dir, os.Getuid(), err)
}

// tryWrite notes the process in the lock file and proves that a new file can
// be made, written and removed.
func tryWrite(dir string, lock *os.File) error {
	if err := lock.Truncate(0); err != nil {
		return err
	}
	if _, err := lock.WriteAt(fmt.Appendf(nil, "%d\n", os.Getpid()), 0); err != nil {
		return err
	}
	probe, err := os.CreateTemp(dir, "write-test.*")
	if err != nil {
		return err
	}
	_, err = probe.WriteString("x")
	return errors.Join(err, probe.Close(), os.Remove(probe.Name()))
}

// holder names the process that is noted in the lock file. There is none for
// the moment between its lock and its note.
func holder(lock *os.File) string {
	buf := make([]byte, 20) // the digits of any process id
	n, _ := lock.ReadAt(buf, 0)
	if pid := strings.TrimSpace(string(buf[:n])); pid != "" {
		return "process " + pid
	}
	return "another process"
}
