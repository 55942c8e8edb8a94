//go:build unix

package engine

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// checkExecutable makes sure that memory can be made executable after it was
// written, which is what compiling needs. wazero itself would panic.
func checkExecutable() error {
	page, err := unix.Mmap(-1, 0, os.Getpagesize(), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		return fmt.Errorf("no memory for compiled code: %w", err)
	}
	page[0] = 0xc3
	if err := unix.Mprotect(page, unix.PROT_READ|unix.PROT_EXEC); err != nil {
		return errors.Join(fmt.Errorf("handlers cannot be compiled, since this process may not make memory executable (%w): "+
			"under systemd remove MemoryDenyWriteExecute=yes from the unit, elsewhere allow it in the security policy", err), unix.Munmap(page))
	}
	return unix.Munmap(page)
}
