package sizing

import (
	"slices"
	"strings"
	"testing"
)

// handlers is how many handlers the planned nodes of the tests carry; with
// them a worker is expected to need 248 MiB.
const handlers = 3

// machine is one with so many processors and so much memory in MiB.
func machine(cpus int, memory int64) Machine {
	return Machine{CPUs: cpus, MemoryTotal: 64 * gib, MemoryAvailable: 60 * gib, MemoryLimit: memory * mib, Source: "limit of cgroup v2 /x"}
}

// reason finds the line of a number.
func reason(p Plan, name string) Line {
	i := slices.IndexFunc(p.Lines, func(l Line) bool { return l.Name == name })
	if i < 0 {
		return Line{}
	}
	return p.Lines[i]
}

// TestWorkers checks how many processes there are, and the reason given.
func TestWorkers(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		machine Machine
		wishes  Wishes
		workers int
		says    string
	}{
		"two at least":       {machine(1, 4096), Wishes{}, 2, "2 by CPU: one for 4 CPUs, at least 2; 11 by memory: 3 GiB less 128 MiB for the store / 248 MiB expected of a worker"},
		"one for 4 CPUs":     {machine(10, 8192), Wishes{}, 3, "3 by CPU"},
		"many CPUs":          {machine(512, 60<<10), Wishes{}, 64, "64 by CPU"},
		"one fits":           {machine(8, 512), Wishes{}, 1, "1 by memory: 384 MiB less"},
		"none fits":          {machine(8, 128), Wishes{}, 1, "0 by memory"},
		"memory unknown":     {Machine{CPUs: 16}, Wishes{}, 4, "4 by CPU"},
		"own cost":           {machine(16, 1024), Wishes{WorkerMB: 300}, 2, "2 by memory: 768 MiB less 128 MiB for the store / 300 MiB of LMS_WORKER_MEMORY_MB"},
		"a number that wins": {machine(1, 64), Wishes{Workers: 7}, 7, "set by LMS_WORKERS"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := Make(tt.machine, tt.wishes, handlers)
			if l := reason(p, "workers"); p.Workers != tt.workers || !strings.Contains(l.Reason, tt.says) {
				t.Errorf("%d workers: %s; want %d that say %q", p.Workers, l.Reason, tt.workers, tt.says)
			}
		})
	}
}

// TestMemory checks how the memory is divided.
func TestMemory(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		machine             Machine
		wishes              Wishes
		budget, pool, limit int64 // in MiB
		store               int64
		says                string
	}{
		"one process has it all":      {machine(2, 1024), Wishes{Workers: 1}, 768, 196, 488, 0, "all of it, the store included"},
		"workers share it":            {machine(2, 2048), Wishes{Workers: 2}, 704, 228, 392, 128, "1.5 GiB less 128 MiB for the store / 2 workers"},
		"what the operator says":      {machine(2, 2048), Wishes{Workers: 2, WorkerMB: 500}, 500, 126, 290, 128, "set by LMS_WORKER_MEMORY_MB"},
		"more than there is":          {machine(2, 1024), Wishes{Workers: 4, WorkerMB: 500}, 500, 126, 290, 128, "with 4 workers and the store that is 2.1 GiB of the 768 MiB there are"},
		"less than a worker needs":    {machine(2, 2048), Wishes{Workers: 2, WorkerMB: 100}, 100, 0, 164, 128, "that is short, a worker is expected to need 248 MiB: raise it"},
		"too little for all":          {machine(2, 256), Wishes{Workers: 3}, 21, 0, 164, 128, "set fewer workers"},
		"too little for one":          {machine(2, 256), Wishes{Workers: 1}, 192, 0, 292, 0, "a worker is expected to need 376 MiB: give the site more"},
		"unknown":                     {Machine{CPUs: 2}, Wishes{Workers: 2}, 0, 0, 0, 0, ""},
		"unknown and a budget is set": {Machine{CPUs: 2}, Wishes{Workers: 2, WorkerMB: 500}, 500, 126, 290, 128, "set by"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := Make(tt.machine, tt.wishes, handlers)
			if p.Budget/mib != tt.budget || p.SandboxMemory/mib != tt.pool || p.GoLimit/mib != tt.limit || p.StoreLimit/mib != tt.store {
				t.Errorf("budget %d, sandboxes %d, Go %d, store %d MiB; want %d, %d, %d, %d",
					p.Budget/mib, p.SandboxMemory/mib, p.GoLimit/mib, p.StoreLimit/mib, tt.budget, tt.pool, tt.limit, tt.store)
			}
			if l := reason(p, "worker memory"); !strings.Contains(l.Reason, tt.says) || (l.Reason == "") != (tt.says == "") {
				t.Errorf("the reason %q does not say %q", l.Reason, tt.says)
			}
		})
	}
}

// TestPoolMemory checks what bounds the sandboxes.
func TestPoolMemory(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		machine Machine
		wishes  Wishes
		want    int64
		threads int
	}{
		"by memory":           {machine(4, 1024), Wishes{Workers: 1}, 196 * mib, 32},
		"no memory left":      {machine(2, 128), Wishes{Workers: 1}, 1, 16},
		"memory unknown":      {Machine{CPUs: 2}, Wishes{Workers: 1}, 0, 16},
		"set by the operator": {machine(2, 128), Wishes{Workers: 1, Threads: 500}, 0, 500},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := Make(tt.machine, tt.wishes, handlers)
			if got := p.PoolMemory(); got != tt.want || p.Threads != tt.threads {
				t.Errorf("%d bytes and %d threads; want %d and %d", got, p.Threads, tt.want, tt.threads)
			}
		})
	}
}

// TestBounds makes plans of all sizes: what is planned fits into the memory
// wherever a worker does, and nothing is ever less than it takes to serve.
func TestBounds(t *testing.T) {
	t.Parallel()
	for cpus := 1; cpus <= 256; cpus *= 2 {
		for memory := int64(32); memory <= 1<<20; memory *= 2 {
			m := Machine{CPUs: cpus, MemoryTotal: memory * mib, MemoryAvailable: memory * mib}
			p := Make(m, Wishes{}, handlers)
			if p.Workers < 1 || p.Threads < 2 || p.GoLimit <= 0 {
				t.Errorf("%d CPUs, %d MiB: %+v", cpus, memory, p)
			}
			need := int64(p.Workers)*p.Budget + p.extra()
			if fits := p.Budget >= p.workerCost()+p.own(); fits && need > m.Memory()*3/4 {
				t.Errorf("%d CPUs, %d MiB: %d MiB are planned", cpus, memory, need/mib)
			} else if fits && p.GoLimit+p.SandboxMemory+handlers*codeShare > p.Budget {
				t.Errorf("%d CPUs, %d MiB: the parts are more than the worker's %d MiB", cpus, memory, p.Budget/mib)
			}
		}
	}
}

// TestShow checks what people read of a plan.
func TestShow(t *testing.T) {
	t.Parallel()
	m := machine(2, 1536)
	p := Make(m, Wishes{}, handlers)
	var out strings.Builder
	if err := Print(&out, append(slices.Clone(p.Lines), Compare(m, Wishes{}))); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(out.String(), "\n")
	for i, want := range []string{
		"NUMBER VALUE REASON",
		"cpus 2 by the Go runtime and the CPU limits of control groups",
		"memory 1.1 GiB 1.5 GiB limit of cgroup v2 /x, less a quarter as headroom",
		"workers 2 2 by CPU: one for 4 CPUs, at least 2; 4 by memory: 1.1 GiB less 128 MiB for the store / 248 MiB expected of a worker",
		"worker memory 512 MiB 1.1 GiB less 128 MiB for the store / 2 workers",
		"threads 16 sandboxes of one handler that work at once in a worker, at most: 8 for each of 2 CPUs",
		"sandbox memory 132 MiB half of a worker's memory beyond the 248 MiB that it needs anyway; the handlers share it by the measured cost of their sandboxes, and each has its spares in any case",
		"go memory 296 MiB soft limit of a worker's Go heap: worker memory less 84 MiB of compiled code and the sandbox memory, at least 164 MiB; GOMEMLIMIT, if set, counts instead",
		"reference 5 x 1 workers x threads that NOW LMS 2.0.4 would take here; it sees no control groups and leaves no headroom",
	} {
		if i >= len(lines) || strings.Join(strings.Fields(lines[i]), " ") != want {
			t.Errorf("line %d is not %q in\n%s", i, want, out.String())
		}
	}
	attrs := p.Attrs()
	if len(attrs) != len(p.Lines) || attrs[3].Key != "worker_memory" || attrs[3].Value.String() != "512 MiB: "+p.Lines[3].Reason {
		t.Errorf("attributes %v", attrs)
	}
	if p := Make(Machine{CPUs: 1}, Wishes{}, 0); !strings.Contains(reason(p, "memory").Reason, "nothing is bounded by memory") {
		t.Errorf("without memory: %v", p.Lines)
	}
}
