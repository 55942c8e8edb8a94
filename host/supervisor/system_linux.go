package supervisor

import (
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// dieWithParent makes the system kill the process when the supervisor ends.
// The store went with the supervisor, so nothing in flight could be kept.
func dieWithParent(attr *syscall.SysProcAttr) { attr.Pdeathsig = syscall.SIGKILL }

// memoryFile makes a file without a name in memory.
func memoryFile(name string) (*os.File, error) {
	fd, err := unix.MemfdCreate(name, unix.MFD_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("memfd_create", err)
	}
	return os.NewFile(uintptr(fd), name), nil
}

// dupCloseOnExec copies a descriptor; the copy is not inherited by accident.
func dupCloseOnExec(fd int) (int, error) {
	return unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
}

// acceptOne takes a connection from a listening socket without waiting; the
// new socket does not block and is not inherited.
func acceptOne(fd int) (int, error) {
	conn, _, err := unix.Accept4(fd, unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC)
	return conn, err
}

// sleepBriefly sleeps for d, about. In an otherwise idle process, time.Sleep
// would take at least a millisecond.
func sleepBriefly(d time.Duration) {
	t := unix.NsecToTimespec(d.Nanoseconds())
	unix.Nanosleep(&t, nil) // a signal that cuts it short does no harm
}
