//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package config

import (
	"errors"
	"os"
	"runtime"
)

// lockExclusively refuses: without flock, two processes could write to one
// store and damage it.
func lockExclusively(*os.File) error {
	return errors.New("no file locks on " + runtime.GOOS + "; run Lectern on Linux, macOS or a BSD, or in WSL or a container")
}
