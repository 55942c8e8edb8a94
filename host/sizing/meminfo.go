package sizing

import (
	"math"
	"strconv"
	"strings"
)

// parseMeminfo reads the lines of /proc/meminfo that count. Kernels before
// 3.14 do not say what is available; what is free stands for it then. Values
// that make no sense count as 0.
func parseMeminfo(text string) (total, available int64) {
	free := int64(0)
	for line := range strings.Lines(text) {
		name, rest, _ := strings.Cut(line, ":")
		switch name {
		case "MemTotal":
			total = kibibytes(rest)
		case "MemAvailable":
			available = kibibytes(rest)
		case "MemFree":
			free = kibibytes(rest)
		}
	}
	if available == 0 {
		available = free
	}
	return total, available
}

// kibibytes reads "  123 kB" as bytes; the kernel means KiB.
func kibibytes(text string) int64 {
	digits, unit, _ := strings.Cut(strings.TrimSpace(text), " ")
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || n < 0 || n > math.MaxInt64>>10 || strings.TrimSpace(unit) != "kB" {
		return 0
	}
	return n << 10
}
