package redis

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/rueidis"
)

// Report is the state of a Redis server as far as it matters to its buckets.
type Report struct {
	// Address is the URL without its password.
	Address string `json:"address"`
	Version string `json:"version"`
	// Mode is standalone, sentinel or cluster; Role is master or slave, as
	// Redis calls them.
	Mode string `json:"mode"`
	Role string `json:"role"`
	// Latency is the middle one of three round trips.
	Latency time.Duration `json:"latency_ns"`
	// ClockOffset is how far the server's clock is ahead of this machine's,
	// give or take half the latency.
	ClockOffset time.Duration `json:"clock_offset_ns"`
	Uptime      time.Duration `json:"uptime_ns"`
	Clients     int64         `json:"clients"`
	// UsedMemory and MaxMemory are in bytes; MaxMemory zero is no limit.
	UsedMemory int64  `json:"used_memory"`
	MaxMemory  int64  `json:"max_memory"`
	Policy     string `json:"maxmemory_policy"`
	// EvictedKeys counts since the server's start.
	EvictedKeys int64 `json:"evicted_keys"`
	// AppendOnly tells whether the log of writes is on, Fsync how it is synced
	// and Snapshots when the server saves everything, as its setting "save"
	// has it. The last two are "unknown" to a user who may not ask.
	AppendOnly bool   `json:"appendonly"`
	Fsync      string `json:"appendfsync"`
	Snapshots  string `json:"save"`
	Replicas   int64  `json:"replicas"`
	// MinReplicas is the setting min-replicas-to-write, -1 if unknown.
	MinReplicas int64     `json:"min_replicas_to_write"`
	Findings    []Finding `json:"findings"`
	saveFailed  bool
}

// unknown stands for a setting that the server does not tell.
const unknown = "unknown"

// Inspect asks the server about itself.
func (c *Conn) Inspect(ctx context.Context) (Report, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	r := Report{Address: c.where, Fsync: unknown, Snapshots: unknown, MinReplicas: -1}
	info, err := c.info(ctx)
	if err != nil {
		return r, err
	}
	r.Version, r.Mode, r.Role = info["redis_version"], info["redis_mode"], info["role"]
	r.Uptime = time.Duration(integer(info["uptime_in_seconds"])) * time.Second
	r.Clients, r.Replicas = integer(info["connected_clients"]), integer(info["connected_slaves"])
	r.UsedMemory, r.MaxMemory, r.Policy = integer(info["used_memory"]), integer(info["maxmemory"]), info["maxmemory_policy"]
	r.EvictedKeys, r.AppendOnly = integer(info["evicted_keys"]), info["aof_enabled"] == "1"
	r.saveFailed = info["rdb_last_bgsave_status"] == "err" || info["aof_last_write_status"] == "err" || info["aof_last_bgrewrite_status"] == "err"
	c.settings(ctx, &r)
	if err := c.measure(ctx, &r); err != nil {
		return r, err
	}
	r.Findings = c.findings(r)
	return r, nil
}

// info is what INFO tells. It is an error if that is not from a Redis that can
// hold buckets.
func (c *Conn) info(ctx context.Context) (map[string]string, error) {
	text, err := c.client.Do(ctx, c.client.B().Info().Build()).ToString()
	if _, ok := rueidis.IsRedisErr(err); err != nil && !ok && !passing(err) && ctx.Err() == nil {
		return nil, fmt.Errorf("%w: what answers is no Redis", ErrNotRedis)
	}
	if err != nil {
		return nil, explain(err)
	}
	info := parseInfo(text)
	major, _, _ := strings.Cut(info["redis_version"], ".")
	if n, err := strconv.Atoi(major); err != nil || n < leastVersion {
		return nil, fmt.Errorf("%w: it is version %.20q; install Redis %d.0 or later", ErrNotRedis, info["redis_version"], leastVersion)
	}
	return info, nil
}

// leastVersion is the first that checks the flags of scripts.
const leastVersion = 7

// parseInfo reads the lines of INFO.
func parseInfo(text string) map[string]string {
	info := map[string]string{}
	for line := range strings.Lines(text) {
		if name, value, ok := strings.Cut(strings.TrimRight(line, "\r\n"), ":"); ok && !strings.HasPrefix(name, "#") {
			info[name] = value
		}
	}
	return info
}

// integer reads a number of INFO; what is none counts as zero.
func integer(s string) int64 {
	n, _ := strconv.ParseInt(s, 10, 64)
	return n
}

// settings fills in what only CONFIG GET tells. Not every user may ask.
func (c *Conn) settings(ctx context.Context, r *Report) {
	m, err := c.client.Do(ctx, c.client.B().ConfigGet().Parameter("save", "appendfsync", "min-replicas-to-write").Build()).AsStrMap()
	if err != nil {
		return
	}
	r.Snapshots, r.Fsync = m["save"], m["appendfsync"]
	if n, err := strconv.ParseInt(m["min-replicas-to-write"], 10, 64); err == nil {
		r.MinReplicas = n
	}
}

// measure takes the latency and the difference of the clocks.
func (c *Conn) measure(ctx context.Context, r *Report) error {
	var times []time.Duration
	for range 3 {
		begin := time.Now()
		parts, err := c.client.Do(ctx, c.client.B().Time().Build()).AsIntSlice()
		if err != nil {
			return explain(err)
		}
		took := time.Since(begin)
		times = append(times, took)
		if len(parts) == 2 {
			r.ClockOffset = time.Unix(parts[0], parts[1]*1000).Sub(begin.Add(took / 2))
		}
	}
	slices.Sort(times)
	r.Latency = times[1]
	return nil
}

// Remote tells whether the Redis of a URL is on another machine, as far as its
// name shows.
func Remote(text string) bool {
	u, err := url.Parse(trimmed(text))
	return err == nil && u.Hostname() != "" && !slices.Contains([]string{"localhost", "127.0.0.1", "::1"}, u.Hostname())
}
