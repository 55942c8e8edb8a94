package e2e

import "syscall"

// dieWithTests ends a site when the tests end without cleaning up, as they do
// at a time-out.
func dieWithTests(a *syscall.SysProcAttr) { a.Pdeathsig = syscall.SIGKILL }
