package redis

import (
	"fmt"
	"net/url"
	"strings"
	"time"
)

// Severity ranks findings.
type Severity string

// The severities: data can be lost by it, it should be mended, or it is good to
// know.
const (
	Grave   Severity = "grave"
	Warning Severity = "warning"
	Note    Severity = "note"
)

// Code names a finding for programs.
type Code string

// The codes of findings.
const (
	Eviction      Code = "eviction"
	Evicted       Code = "evicted"
	NoLimit       Code = "no-memory-limit"
	NearlyFull    Code = "nearly-full"
	NoPersistence Code = "no-persistence"
	SnapshotsOnly Code = "snapshots-only"
	LateSync      Code = "late-sync"
	SaveFailed    Code = "save-failed"
	SplitBrain    Code = "replicas-not-required"
	ClockOff      Code = "clock-off"
	Slow          Code = "slow"
	PlainText     Code = "no-tls"
	NoPassword    Code = "no-password"
)

// Finding is something about a server that its operator should know, with what
// to do about it.
type Finding struct {
	Code     Code     `json:"code"`
	Severity Severity `json:"severity"`
	Text     string   `json:"text"`
	Remedy   string   `json:"remedy"`
}

// The limits of what is no finding.
const (
	// clockTolerance is how far clocks may be apart: sessions end by the
	// server's clock, cookies by this machine's.
	clockTolerance = time.Second
	// latencyTolerance is the latency above which every page gets slow.
	latencyTolerance = 5 * time.Millisecond
	// fullPercent is how much of maxmemory may be used.
	fullPercent = 90
)

// findings lists what is wrong with a server.
func (c *Conn) findings(r Report) []Finding {
	list := []Finding{}
	add := func(when bool, code Code, severity Severity, text, remedy string) {
		if when {
			list = append(list, Finding{code, severity, text, remedy})
		}
	}
	memoryFindings(r, add)
	persistenceFindings(r, add)
	add(r.Replicas > 0 && r.MinReplicas == 0, SplitBrain, Warning,
		"a primary that is cut off from its replicas goes on taking writes, which are lost when a replica takes over",
		"set min-replicas-to-write 1 and min-replicas-max-lag 5")
	add(r.ClockOffset.Abs() > clockTolerance+r.Latency, ClockOff, Warning,
		fmt.Sprintf("the clock of Redis and that of this machine are %v apart", r.ClockOffset.Abs().Round(time.Millisecond)),
		"run a time service (chrony, systemd-timesyncd) on both")
	add(r.Latency > latencyTolerance, Slow, Warning,
		fmt.Sprintf("one round trip takes %v", r.Latency.Round(100*time.Microsecond)), "put Redis into the same network as Lectern")
	if u, err := url.Parse(c.options.URL); err == nil && Remote(c.options.URL) {
		_, secret := u.User.Password()
		add(u.Scheme == "redis", PlainText, Warning, "sessions and records travel unencrypted", "switch TLS on in Redis and write rediss:// in the URL")
		add(!secret, NoPassword, Grave, "whoever reaches Redis can read and change all sessions", "give Lectern a user with a password (ACL SETUSER)")
	}
	return list
}

// memoryFindings are those about the memory and its limit.
func memoryFindings(r Report, add func(bool, Code, Severity, string, string)) {
	evicts := r.Policy != "" && r.Policy != "noeviction"
	severity, text := Warning, fmt.Sprintf("maxmemory-policy is %s: keys of other programs are evicted when the memory is full", r.Policy)
	if strings.HasPrefix(r.Policy, "allkeys") {
		severity, text = Grave, fmt.Sprintf("maxmemory-policy is %s: Redis removes sessions and records when the memory is full", r.Policy)
	}
	add(evicts, Eviction, severity, text, "set maxmemory-policy noeviction; give what may be evicted a Redis of its own")
	add(r.EvictedKeys > 0, Evicted, severity, fmt.Sprintf("%d keys were evicted since the server started", r.EvictedKeys), "raise maxmemory")
	add(r.MaxMemory == 0, NoLimit, Note, "maxmemory is not set: the server may take all memory of its machine and be killed", "set maxmemory below the machine's memory")
	add(r.MaxMemory > 0 && r.UsedMemory > r.MaxMemory/100*fullPercent, NearlyFull, Grave,
		fmt.Sprintf("%d of %d MiB are used; when all are, only deletions work", r.UsedMemory>>20, r.MaxMemory>>20), "raise maxmemory or remove data")
}

// persistenceFindings are those about what a restart leaves.
func persistenceFindings(r Report, add func(bool, Code, Severity, string, string)) {
	add(r.Snapshots == "" && !r.AppendOnly, NoPersistence, Grave,
		"nothing is kept on disk (save is empty, appendonly is no): a restart of Redis loses everything", "set appendonly yes")
	add(r.Snapshots != "" && !r.AppendOnly, SnapshotsOnly, Warning,
		fmt.Sprintf("only snapshots are kept on disk (save %s): a crash loses what was written since the last", r.Snapshots), "set appendonly yes")
	add(r.AppendOnly && r.Fsync != "always" && r.Fsync != unknown, LateSync, Note,
		fmt.Sprintf("appendfsync is %s: a power cut may lose the last second or more", r.Fsync), "set appendfsync always where that matters more than speed")
	add(r.saveFailed, SaveFailed, Grave, "the last attempt to save to disk failed", "see the log of Redis; its disk may be full")
}
