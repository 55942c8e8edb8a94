package sizing

import (
	"fmt"
	"io/fs"
	"math"
)

// Machine is what this process may use.
type Machine struct {
	// CPUs is how many processors it may keep busy, at least 1.
	CPUs int
	// MemoryTotal is the machine's memory and MemoryAvailable what of it is
	// free or can be freed, in bytes; 0 if the system does not say.
	MemoryTotal, MemoryAvailable int64
	// MemoryLimit is the least of the limits set on the process's control
	// group and those above it, in bytes; 0 if there is none.
	MemoryLimit int64
	// Source says where the bound that counts came from, for people:
	// "limit of cgroup v2 /app.slice".
	Source string
}

// Read finds out about the machine. The file system is the machine's own,
// os.DirFS("/"); cpus is what the Go runtime found, runtime.GOMAXPROCS(0).
// The runtime looks at the CPU limit of the process's own control group only,
// so those of the groups above it are read here.
//
// Whatever cannot be read counts as not limited and not known: not every
// system has these files, and a site must start without them.
func Read(fsys fs.FS, cpus int) Machine {
	m := Machine{CPUs: max(cpus, 1)}
	if text, err := fs.ReadFile(fsys, "proc/meminfo"); err == nil {
		m.MemoryTotal, m.MemoryAvailable = parseMeminfo(string(text))
	}
	limits := readGroups(fsys)
	if limits.cpus > 0 {
		m.CPUs = min(m.CPUs, int(math.Ceil(limits.cpus)))
	}
	// A limit over the machine's memory limits nothing; version 1 writes a
	// huge number where there is none.
	if limits.memory > 0 && (m.MemoryTotal == 0 || limits.memory < m.MemoryTotal) {
		m.MemoryLimit = limits.memory
	}
	switch {
	case m.MemoryLimit > 0 && (m.MemoryAvailable == 0 || m.MemoryLimit <= m.MemoryAvailable):
		m.Source = "limit of " + limits.source
	case m.MemoryAvailable > 0:
		m.Source = fmt.Sprintf("available of %s", Size(m.MemoryTotal))
	default:
		m.Source = "unknown"
	}
	return m
}

// Memory is what the node's processes may use together, in bytes: the limit,
// or what is available if that is less. It is 0 if neither is known.
func (m Machine) Memory() int64 {
	if m.MemoryLimit > 0 && m.MemoryAvailable > 0 {
		return min(m.MemoryLimit, m.MemoryAvailable)
	}
	return max(m.MemoryLimit, m.MemoryAvailable)
}

// Size is a number of bytes as people read it: "512 MiB", "1.5 GiB".
type Size int64

// String rounds to a tenth of a GiB, a whole MiB, below ten of them a tenth of
// one, or a whole KiB.
func (s Size) String() string {
	const kib, mib, gib = 1 << 10, 1 << 20, 1 << 30
	switch v := float64(s); {
	case s >= gib:
		return fmt.Sprintf("%.4g GiB", math.Round(v/gib*10)/10)
	case s >= 10*mib:
		return fmt.Sprintf("%.0f MiB", v/mib)
	case s >= mib:
		return fmt.Sprintf("%.4g MiB", math.Round(v/mib*10)/10)
	default:
		return fmt.Sprintf("%.0f KiB", v/kib)
	}
}
