//go:build unix

package jetstream

import (
	"os"
	"syscall"
)

// lockFile takes an exclusive lock that ends with the file or the process; it
// fails at once if another process has it.
func lockFile(f *os.File) error {
	return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
}
