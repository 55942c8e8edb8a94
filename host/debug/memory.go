package debug

import "runtime/debug"

// FreeMemory gives back to the system what the start needed and nothing needs
// any more: compiling handlers leaves some 100 MB of garbage behind.
func FreeMemory() { debug.FreeOSMemory() }
