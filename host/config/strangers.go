package config

import (
	"fmt"
	"slices"
	"strings"
)

// refused are names that ask for something this build cannot do and that
// would change where data live, so that starting without them would mislead.
// A name that ends with "_" stands for all that start with it.
var refused = map[string]string{
	"CACHE_REDIS_URL": noSecondCache,
	"LMS_CLUSTER_":    clusterTypo,
	"LMS_LEAF_OF":     noLeaves,
}

// Why a name is refused; the name is put in.
const (
	noSecondCache = "this build keeps no pages apart from the rest; set REDIS_URL for all, and unset %s"
	noLeaves      = "this build has no edge nodes; unset %s"
	// A node that starts alone by mistake keeps data that its site never sees.
	clusterTypo = "%s is not a variable of a cluster; see lectern --help"
)

// ignored are names that this build knows and has no use for; leaving them
// out harms nothing. The text is the rest of a warning.
var ignored = map[string]string{
	"LMS_USER":                "is not read; set ADMIN_USER",
	"LMS_PSWD":                "is not read; set ADMIN_PSWD",
	"DATABASE_URL":            "is not read: everything is kept in the embedded store under LMS_DATA_DIR, or in REDIS_URL",
	"CACHE_MEMCACHED_SERVERS": "is not read: everything is kept in the embedded store, or in REDIS_URL",
}

// strangers looks at the names that are not in the table.
func strangers(all map[string]string, cfg *Config, faults *Faults) {
	names := make([]string, 0, len(all))
	for name, value := range all {
		if value != "" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		ours := name
		if rest, ok := strings.CutPrefix(name, otherPrefix); ok {
			ours = prefix + rest
		}
		if known(ours) {
			continue
		}
		if reason := refusal(ours); reason != "" {
			faults.add(name, reason, name)
		} else if reason := ignored[ours]; reason != "" {
			cfg.Warnings = append(cfg.Warnings, name+" "+reason)
		} else if strings.HasPrefix(ours, prefix) {
			cfg.Warnings = append(cfg.Warnings, unknown(name, ours))
		}
	}
}

// known reports whether name is in the table.
func known(name string) bool {
	return slices.ContainsFunc(variables, func(v variable) bool { return v.name == name })
}

// refusal returns why a name stops the start, or "".
func refusal(name string) string {
	for key, reason := range refused {
		if name == key || strings.HasSuffix(key, "_") && strings.HasPrefix(name, key) {
			return reason
		}
	}
	return ""
}

// unknown words the warning about a name that means nothing; ours is the name
// with our own prefix, which the nearest known name is looked for by.
func unknown(name, ours string) string {
	best, bestDistance := "", max(2, len(ours)/4)+1
	for _, v := range variables {
		if d := distance(ours, v.name); d < bestDistance {
			best, bestDistance = v.name, d
		}
	}
	if best == "" {
		return name + " is not a variable that this build knows; see lectern --help"
	}
	return fmt.Sprintf("%s is not a variable that this build knows; did you mean %s?", name, best)
}

// distance is the Levenshtein distance of two names: how many characters must
// be put in, taken out or replaced to turn one into the other.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			next := min(row[j+1]+1, row[j]+1, diagonal+cost)
			diagonal, row[j+1] = row[j+1], next
		}
	}
	return row[len(b)]
}
