//go:build unix && !linux

package supervisor

import (
	"os"
	"syscall"
	"time"
)

// dieWithParent does nothing: only Linux has a parent-death signal, and the
// life-line does the same a moment later.
func dieWithParent(*syscall.SysProcAttr) {}

// memoryFile makes a file that has lost its name.
func memoryFile(name string) (*os.File, error) {
	file, err := os.CreateTemp("", name)
	if err != nil {
		return nil, err
	}
	return file, os.Remove(file.Name())
}

// dupCloseOnExec copies a descriptor; the lock keeps a process that is started
// meanwhile from inheriting the copy.
func dupCloseOnExec(fd int) (int, error) {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	copied, err := syscall.Dup(fd)
	if err == nil {
		syscall.CloseOnExec(copied)
	}
	return copied, err
}

// acceptOne takes a connection from a listening socket without waiting; the
// new socket does not block and is not inherited.
func acceptOne(fd int) (int, error) {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	conn, _, err := syscall.Accept(fd)
	if err != nil {
		return -1, err
	}
	syscall.CloseOnExec(conn)
	return conn, syscall.SetNonblock(conn, true)
}

// sleepBriefly sleeps for d, about.
func sleepBriefly(d time.Duration) { time.Sleep(d) }
