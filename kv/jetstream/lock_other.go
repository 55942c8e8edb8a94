//go:build !unix

package jetstream

import "os"

// lockFile does nothing where the system has no flock: there the operator must
// see to it that one process alone uses a directory.
func lockFile(*os.File) error { return nil }
