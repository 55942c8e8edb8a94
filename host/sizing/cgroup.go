package sizing

import (
	"io/fs"
	"math"
	"path"
	"strconv"
	"strings"
)

// groupLimits are the least of the limits on a process's control groups; 0
// stands for none.
type groupLimits struct {
	memory int64   // bytes
	source string  // the group that sets it, such as "cgroup v2 /app.slice"
	cpus   float64 // processors, in parts too
}

// group is a control group of this process, in the hierarchy of one or more
// controllers.
type group struct {
	version int
	// controllers are what the hierarchy may limit: "memory", "cpu". Version 2
	// has one hierarchy for all.
	controllers []string
	// path is its name, and mount and root are where the hierarchy is mounted
	// and which group of it that mount shows.
	path, mount, root string
}

// maxDepth bounds how far up a path is followed; Kubernetes nests eight deep.
const maxDepth = 64

// readGroups finds the limits on this process's groups and all above them. A
// process may be in both versions at once.
func readGroups(fsys fs.FS) groupLimits {
	var found groupLimits
	names, err := fs.ReadFile(fsys, "proc/self/cgroup")
	if err != nil {
		return found
	}
	mounts, err := fs.ReadFile(fsys, "proc/self/mountinfo")
	if err != nil {
		return found
	}
	for _, g := range mounted(parseGroups(string(names)), string(mounts)) {
		g.limits(fsys, &found)
	}
	return found
}

// parseGroups reads /proc/self/cgroup: lines of "id:controllers:path", where
// version 2 has the id 0 and no controllers. Groups without a controller that
// counts here are left out.
func parseGroups(text string) []group {
	var out []group
	for line := range strings.Lines(text) {
		id, rest, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ":")
		names, name, ok := strings.Cut(rest, ":")
		if !ok || !strings.HasPrefix(name, "/") {
			continue
		}
		g := group{version: 1, path: name}
		if id == "0" && names == "" {
			g.version, g.controllers = 2, []string{"memory", "cpu"}
		} else {
			for c := range strings.SplitSeq(names, ",") {
				if c == "memory" || c == "cpu" {
					g.controllers = append(g.controllers, c)
				}
			}
		}
		if len(g.controllers) > 0 {
			out = append(out, g)
		}
	}
	return out
}

// mounted fills in where the groups are mounted and drops those that are not.
// A line of /proc/self/mountinfo has the fields "id parent device root mount
// options [tags] - type source options"; space in a path is written \040.
func mounted(groups []group, mountinfo string) []group {
	var out []group
	for _, g := range groups {
		for line := range strings.Lines(mountinfo) {
			before, after, _ := strings.Cut(line, " - ")
			place, kind := strings.Fields(before), strings.Fields(after)
			if len(place) < 5 || len(kind) < 3 || !g.lives(kind[0], kind[2]) {
				continue
			}
			g.root, g.mount = unescape(place[3]), unescape(place[4])
			out = append(out, g)
			break
		}
	}
	return out
}

// lives reports whether a mount of this type and with these options shows the
// group's hierarchy.
func (g group) lives(kind, options string) bool {
	if g.version == 2 {
		return kind == "cgroup2"
	}
	return kind == "cgroup" && strings.Contains(","+options+",", ","+g.controllers[0]+",")
}

// unescape undoes what the kernel does to unusual characters in a path.
var unescape = strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace

// limits lowers found to what this group and those above it allow.
func (g group) limits(fsys fs.FS, found *groupLimits) {
	// In a container the mount shows the container's group as its top, while
	// the name may be the one outside; then nothing above can be seen.
	below, ok := strings.CutPrefix(path.Clean(g.path), strings.TrimSuffix(g.root, "/"))
	if !ok || below != "" && !strings.HasPrefix(below, "/") {
		below = "/"
	}
	for range maxDepth {
		dir := strings.TrimPrefix(path.Join(g.mount, below), "/")
		for _, c := range g.controllers {
			g.lower(fsys, c, dir, below, found)
		}
		if below == "/" || below == "" || below == "." {
			return
		}
		below = path.Dir(below)
	}
}

// lower takes the limits of one controller in one directory.
func (g group) lower(fsys fs.FS, controller, dir, name string, found *groupLimits) {
	read := func(file string) string {
		text, err := fs.ReadFile(fsys, path.Join(dir, file))
		if err != nil {
			return ""
		}
		return string(text)
	}
	if controller == "cpu" {
		quota := parseQuota(read("cpu.max"))
		if g.version == 1 {
			quota = parseQuota(strings.TrimSpace(read("cpu.cfs_quota_us")) + " " + read("cpu.cfs_period_us"))
		}
		if quota > 0 && (found.cpus == 0 || quota < found.cpus) {
			found.cpus = quota
		}
		return
	}
	files := []string{"memory.max", "memory.high"} // over high, processes are slowed down until they use less
	if g.version == 1 {
		files = []string{"memory.limit_in_bytes"}
	}
	for _, file := range files {
		limit := parseLimit(read(file))
		if limit > 0 && (found.memory == 0 || limit < found.memory) {
			found.memory = limit
			found.source = "cgroup v" + strconv.Itoa(g.version) + " " + path.Join("/", name)
		}
	}
}

// parseLimit reads a number of bytes; "max" and whatever else is no positive
// number is 0, which means no limit.
func parseLimit(text string) int64 {
	n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	if err != nil || n < 0 {
		return 0
	}
	return n
}

// parseQuota reads "quota period", both in microseconds, as processors; "max"
// and -1 as a quota mean none, which is 0.
func parseQuota(text string) float64 {
	fields := strings.Fields(text)
	if len(fields) != 2 {
		return 0
	}
	quota, err := strconv.ParseInt(fields[0], 10, 64)
	period, err2 := strconv.ParseInt(fields[1], 10, 64)
	if err != nil || err2 != nil || quota <= 0 || period <= 0 {
		return 0
	}
	return math.Min(float64(quota)/float64(period), math.MaxInt32)
}
