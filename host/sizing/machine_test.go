package sizing

import (
	"maps"
	"os"
	"runtime"
	"testing"
	"testing/fstest"
)

// The size units of the tests.
const (
	mib = 1 << 20
	gib = 1 << 30
)

// tree makes a file system of files with their content.
func tree(files ...map[string]string) fstest.MapFS {
	fsys := fstest.MapFS{}
	for _, part := range files {
		for name, text := range part {
			fsys[name] = &fstest.MapFile{Data: []byte(text)}
		}
	}
	return fsys
}

// meminfo is that of a machine with 8 GiB, of which 6 are available.
var meminfo = map[string]string{"proc/meminfo": "MemTotal:        8388608 kB\nMemFree:         1048576 kB\nMemAvailable:    6291456 kB\nHugePages_Total:       0\n"}

// unified are the names and mounts of a process in version 2's group
// /app.slice/lectern.service.
var unified = map[string]string{
	"proc/self/cgroup":    "0::/app.slice/lectern.service\n",
	"proc/self/mountinfo": "22 1 0:21 / /proc rw - proc proc rw\n29 22 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n",
}

// legacy are those of a process in version 1's groups, with a version 2
// hierarchy beside them that limits nothing.
var legacy = map[string]string{
	"proc/self/cgroup": "9:name=systemd:/\n4:memory:/docker/abc\n2:cpu,cpuacct:/docker/abc\n0::/\n",
	"proc/self/mountinfo": "32 31 0:29 /docker/abc /sys/fs/cgroup/cpu,cpuacct ro - cgroup cgroup rw,cpu,cpuacct\n" +
		"35 31 0:32 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n" +
		"41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n",
}

// TestRead reads made-up machines.
func TestRead(t *testing.T) {
	t.Parallel()
	const group, top = "sys/fs/cgroup/app.slice/lectern.service/", "sys/fs/cgroup/"
	type files = map[string]string
	for name, tt := range map[string]struct {
		tree   fstest.MapFS
		limit  int64
		memory int64
		cpus   int
		source string
	}{
		"nothing to read":   {tree(), 0, 0, 8, "unknown"},
		"no control groups": {tree(meminfo), 0, 6 * gib, 8, "available of 8 GiB"},
		"no mounts":         {tree(meminfo, files{"proc/self/cgroup": "0::/x\n"}), 0, 6 * gib, 8, "available of 8 GiB"},
		"an old kernel":     {tree(files{"proc/meminfo": "MemTotal: 2048 kB\nMemFree: 1024 kB\n"}), 0, mib, 8, "available of 2 MiB"},
		"no limit": {tree(meminfo, unified, files{group + "memory.max": "max\n", group + "cpu.max": "max 100000\n"}),
			0, 6 * gib, 8, "available of 8 GiB"},
		"memory.max": {tree(meminfo, unified, files{group + "memory.max": "536870912\n"}),
			512 * mib, 512 * mib, 8, "limit of cgroup v2 /app.slice/lectern.service"},
		"memory.high is less": {tree(meminfo, unified, files{group + "memory.max": "536870912\n", group + "memory.high": "268435456\n"}),
			256 * mib, 256 * mib, 8, "limit of cgroup v2 /app.slice/lectern.service"},
		"a parent has less": {tree(meminfo, unified, files{group + "memory.max": "536870912\n", top + "app.slice/memory.max": "134217728\n"}),
			128 * mib, 128 * mib, 8, "limit of cgroup v2 /app.slice"},
		"the top has a limit, as in a container": {tree(meminfo, unified, files{top + "memory.max": "134217728\n"}),
			128 * mib, 128 * mib, 8, "limit of cgroup v2 /"},
		"the limit is more than what is available": {tree(meminfo, unified, files{group + "memory.max": "7516192768\n"}),
			7 * gib, 6 * gib, 8, "available of 8 GiB"},
		"the limit is more than there is": {tree(meminfo, unified, files{group + "memory.max": "75161927680\n"}),
			0, 6 * gib, 8, "available of 8 GiB"},
		"a limit and no meminfo": {tree(unified, files{group + "memory.max": "536870912\n"}),
			512 * mib, 512 * mib, 8, "limit of cgroup v2 /app.slice/lectern.service"},
		"processors": {tree(meminfo, unified, files{group + "cpu.max": "250000 100000\n"}),
			0, 6 * gib, 3, "available of 8 GiB"},
		"a parent has fewer processors": {tree(meminfo, unified, files{group + "cpu.max": "max 100000\n", top + "app.slice/cpu.max": "50000 100000\n"}),
			0, 6 * gib, 1, "available of 8 GiB"},
		"version 1": {tree(meminfo, legacy, files{top + "memory/memory.limit_in_bytes": "1073741824\n",
			top + "cpu,cpuacct/cpu.cfs_quota_us": "150000\n", top + "cpu,cpuacct/cpu.cfs_period_us": "100000\n"}),
			gib, gib, 2, "limit of cgroup v1 /"},
		"version 1 without limits": {tree(meminfo, legacy, files{top + "memory/memory.limit_in_bytes": "9223372036854771712\n",
			top + "cpu,cpuacct/cpu.cfs_quota_us": "-1\n", top + "cpu,cpuacct/cpu.cfs_period_us": "100000\n"}),
			0, 6 * gib, 8, "available of 8 GiB"},
		"a mount that shows another group": {tree(meminfo, files{
			"proc/self/cgroup":    "0::/../outside\n",
			"proc/self/mountinfo": "29 22 0:26 /kube /sys/fs/c\\040g rw - cgroup2 none rw\n", "sys/fs/c g/memory.max": "268435456\n"}),
			256 * mib, 256 * mib, 8, "limit of cgroup v2 /"},
		"broken files": {tree(meminfo, unified, files{group + "memory.max": "-5\n", group + "memory.high": "much\n", group + "cpu.max": "0 0\n"}),
			0, 6 * gib, 8, "available of 8 GiB"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := Read(tt.tree, 8)
			if m.MemoryLimit != tt.limit || m.Memory() != tt.memory || m.CPUs != tt.cpus || m.Source != tt.source {
				t.Errorf("limit %d, memory %d, %d CPUs, %q; want %d, %d, %d, %q",
					m.MemoryLimit, m.Memory(), m.CPUs, m.Source, tt.limit, tt.memory, tt.cpus, tt.source)
			}
		})
	}
}

// TestReadHere reads the machine that the test runs on.
func TestReadHere(t *testing.T) {
	t.Parallel()
	cpus := runtime.GOMAXPROCS(0)
	m := Read(os.DirFS("/"), cpus)
	if m.CPUs < 1 || m.CPUs > cpus {
		t.Errorf("%d CPUs; the runtime found %d", m.CPUs, cpus)
	}
	if _, err := os.Stat("/proc/meminfo"); err == nil && (m.MemoryAvailable <= 0 || m.MemoryAvailable > m.MemoryTotal || m.Memory() > m.MemoryTotal) {
		t.Errorf("available %d, limit %d of %d", m.MemoryAvailable, m.MemoryLimit, m.MemoryTotal)
	}
}

// TestSize pins how people read numbers of bytes.
func TestSize(t *testing.T) {
	t.Parallel()
	for size, want := range map[Size]string{0: "0 KiB", 5 << 10: "5 KiB", mib: "1 MiB", 1400 << 10: "1.4 MiB", 400 * mib: "400 MiB", 3 * gib / 2: "1.5 GiB", 24 * gib: "24 GiB", 24*gib - 300*mib: "23.7 GiB"} {
		if got := size.String(); got != want {
			t.Errorf("%d: %q; want %q", int64(size), got, want)
		}
	}
}

// FuzzRead feeds anything to the parsers: they must end, and no limit may come
// out that is not positive or no number of processors under 1.
func FuzzRead(f *testing.F) {
	f.Add(meminfo["proc/meminfo"], unified["proc/self/cgroup"], unified["proc/self/mountinfo"], "536870912\n", "250000 100000\n")
	f.Add("MemTotal: 9223372036854775807 kB\nMemAvailable: -1 kB", "0::/a/../../b\n", "1 1 1 /a/. / - cgroup2 x x", "max", "max 1")
	f.Add("", legacy["proc/self/cgroup"], legacy["proc/self/mountinfo"], "9223372036854771712", "9223372036854775807 1")
	f.Add(":", "::\n1:cpu:relative\n:::", " - ", "0x10", "1 2 3")
	f.Fuzz(func(t *testing.T, info, names, mounts, memory, cpu string) {
		files := maps.Clone(meminfo)
		files["proc/meminfo"], files["proc/self/cgroup"], files["proc/self/mountinfo"] = info, names, mounts
		for _, dir := range []string{"sys/fs/cgroup/", "sys/fs/cgroup/app.slice/lectern.service/", "sys/fs/cgroup/memory/"} {
			files[dir+"memory.max"], files[dir+"memory.limit_in_bytes"], files[dir+"cpu.max"] = memory, memory, cpu
		}
		m := Read(tree(files), 4)
		if m.CPUs < 1 || m.CPUs > 4 || m.MemoryLimit < 0 || m.MemoryTotal < 0 || m.MemoryAvailable < 0 || m.Memory() < 0 || m.Source == "" {
			t.Errorf("%+v", m)
		}
	})
}
