package sizing

import (
	"fmt"
	"math"
)

// What parts of a node cost, in bytes of memory of their own, as measured (see
// the package's description) and rounded up.
const (
	// workerBase is a worker that carries no handler, and handlerCost what each
	// handler adds to it before its sandboxes: compiled code, image, tables.
	workerBase  = 80 << 20
	handlerCost = 56 << 20
	// codeShare is the part of handlerCost that lies outside Go's heap, where
	// Go's memory limit does not see it.
	codeShare = 28 << 20
	// storeCost is the embedded store, in a process of its own or not.
	storeCost = 128 << 20
)

const (
	// cpusPerWorker is for how many processors there is one worker.
	cpusPerWorker = 4
	// autoWorkers are the least workers that "auto" makes where memory allows:
	// while one is replaced, another one serves.
	autoWorkers = 2
	// maxWorkers is what LMS_WORKERS takes at most.
	maxWorkers = 64
	// headroom is the part of the memory that is left alone, for the system's
	// own buffers and for large requests: a quarter.
	headroom = 4
	// sandboxesPerCPU bounds one handler's sandboxes at work by processor: one
	// that waits for the store leaves its processor to another.
	sandboxesPerCPU = 8
	// fewestSandboxes of a handler may work at once on the smallest machine.
	fewestSandboxes = 2
	// poolShare is the part of a worker's memory beyond its fixed cost that
	// sandboxes may take; the rest is Go's, for requests under way.
	poolShare = 2
)

// Plan is how a node uses its machine. Make one with [Make].
type Plan struct {
	// Workers is the number of processes that serve; with 1 the process of
	// `lectern serve` does it itself, together with the store.
	Workers int
	// Budget is the memory of each of them in bytes; 0 if nothing is known.
	Budget int64
	// GoLimit is Go's soft memory limit for each of them, for
	// runtime/debug.SetMemoryLimit, and StoreLimit that of a supervisor with
	// the store; 0 for no limit.
	GoLimit, StoreLimit int64
	// Threads bounds how many sandboxes one handler may have at work in a
	// worker. SandboxMemory is the part of a worker's memory that is planned for
	// them all, in bytes; [Plan.PoolMemory] says what it bounds.
	Threads       int
	SandboxMemory int64
	// Lines explain the numbers, for people.
	Lines []Line

	handlers int
	fixed    bool // the operator has set Threads
}

// Line is one number of a plan and the reason for it.
type Line struct{ Name, Value, Reason string }

// Make plans a node that carries so many handlers. The operator's numbers
// always win; a reason says so where they ask for more than there is.
func Make(m Machine, w Wishes, handlers int) Plan {
	p := Plan{handlers: max(handlers, 1), fixed: w.Threads > 0}
	p.describe(m)
	p.planWorkers(m, w)
	p.planBudget(m, w)
	p.planSandboxes(m, w)
	p.planGo()
	return p
}

// add notes a number with its reason.
func (p *Plan) add(name string, value any, reason string, args ...any) {
	p.Lines = append(p.Lines, Line{name, fmt.Sprint(value), fmt.Sprintf(reason, args...)})
}

// describe notes what the machine has.
func (p *Plan) describe(m Machine) {
	p.add("cpus", m.CPUs, "by the Go runtime and the CPU limits of control groups")
	if m.Memory() == 0 {
		p.add("memory", "unknown", "this system does not say; nothing is bounded by memory")
		return
	}
	p.add("memory", Size(usable(m)), "%s %s, less a quarter as headroom", Size(m.Memory()), m.Source)
}

// usable is the memory that the node's processes are planned to take.
func usable(m Machine) int64 { return m.Memory() - m.Memory()/headroom }

// workerCost is what one worker is expected to need, sandboxes included.
func (p *Plan) workerCost() int64 { return workerBase + int64(p.handlers)*handlerCost }

// planWorkers chooses how many processes serve.
func (p *Plan) planWorkers(m Machine, w Wishes) {
	if w.Workers > 0 {
		p.Workers = w.Workers
		p.add("workers", p.Workers, "set by LMS_WORKERS")
		return
	}
	byCPU := min(max((m.CPUs+cpusPerWorker-1)/cpusPerWorker, autoWorkers), maxWorkers)
	cpuReason := fmt.Sprintf("%d by CPU: one for %d CPUs, at least %d", byCPU, cpusPerWorker, autoWorkers)
	if m.Memory() == 0 {
		p.Workers = byCPU
		p.add("workers", p.Workers, "%s", cpuReason)
		return
	}
	each, how := p.workerCost(), "expected of a worker"
	if w.WorkerMB > 0 {
		each, how = int64(w.WorkerMB)<<20, "of LMS_WORKER_MEMORY_MB"
	}
	byMemory := int(min(max(usable(m)-storeCost, 0)/each, math.MaxInt32))
	p.Workers = max(min(byCPU, byMemory), 1)
	p.add("workers", p.Workers, "%s; %d by memory: %s less %s for the store / %s %s",
		cpuReason, byMemory, Size(usable(m)), Size(storeCost), Size(each), how)
}

// planBudget divides the memory among the workers.
func (p *Plan) planBudget(m Machine, w Wishes) {
	switch {
	case w.WorkerMB > 0:
		p.Budget = int64(w.WorkerMB) << 20
		p.add("worker memory", Size(p.Budget), "set by LMS_WORKER_MEMORY_MB%s", p.overdrawn(m))
	case m.Memory() == 0:
		return
	case p.Workers == 1:
		p.Budget = usable(m)
		p.add("worker memory", Size(p.Budget), "all of it, the store included%s", p.short("give the site more"))
	default:
		p.Budget = max(usable(m)-storeCost, 0) / int64(p.Workers)
		p.add("worker memory", Size(p.Budget), "%s less %s for the store / %d workers%s", Size(usable(m)), Size(storeCost), p.Workers, p.short("set fewer workers or give the site more"))
	}
}

// overdrawn is the rest of a reason if the operator's numbers ask for more
// memory than there is, or give a worker less than it needs.
func (p *Plan) overdrawn(m Machine) string {
	if all := int64(p.Workers)*p.Budget + p.extra(); m.Memory() > 0 && all > usable(m) {
		return fmt.Sprintf("; with %d workers and the store that is %s of the %s there are: set fewer workers or less memory",
			p.Workers, Size(all), Size(usable(m)))
	}
	return p.short("raise it")
}

// short is the rest of a reason, with the remedy, if a worker gets less than it
// needs.
func (p *Plan) short(remedy string) string {
	if need := p.workerCost() + p.own(); p.Budget < need {
		return fmt.Sprintf("; that is short, a worker is expected to need %s: %s", Size(need), remedy)
	}
	return ""
}

// extra is what the node needs beside the workers' budgets.
func (p *Plan) extra() int64 {
	if p.Workers > 1 {
		return storeCost
	}
	return 0
}

// own is the store's part of a worker's budget.
func (p *Plan) own() int64 { return storeCost - p.extra() }

// planSandboxes bounds the sandboxes of a worker.
func (p *Plan) planSandboxes(m Machine, w Wishes) {
	p.Threads = max(sandboxesPerCPU*m.CPUs, fewestSandboxes)
	reason := fmt.Sprintf("%d for each of %d CPUs", sandboxesPerCPU, m.CPUs)
	if p.fixed {
		p.Threads, reason = w.Threads, "set by LMS_THREADS"
	}
	if p.Budget > 0 {
		p.SandboxMemory = max((p.Budget-p.workerCost()-p.own())/poolShare, 0)
	}
	p.add("threads", p.Threads, "sandboxes of one handler that work at once in a worker, at most: %s", reason)
	if p.Budget > 0 && !p.fixed {
		p.add("sandbox memory", Size(p.SandboxMemory), "half of a worker's memory beyond the %s that it needs anyway; "+
			"the handlers share it by the measured cost of their sandboxes, and each has its spares in any case", Size(p.workerCost()+p.own()))
	}
}

// PoolMemory is what the sandboxes of a worker's handlers may take together,
// in bytes; 0 if they are not bounded by memory. Where there is none to spare
// it is 1, which leaves each handler its spares.
func (p Plan) PoolMemory() int64 {
	if p.fixed || p.Budget == 0 {
		return 0
	}
	return max(p.SandboxMemory, 1)
}

// planGo divides a worker's budget between Go and what Go does not see: the
// compiled code and the sandboxes' memory. The limit is never below what a
// worker needs, or the collector would run all the time and free nothing.
func (p *Plan) planGo() {
	if p.Budget == 0 {
		return
	}
	code := int64(p.handlers) * codeShare
	least := p.workerCost() - code + p.own()
	p.GoLimit = max(p.Budget-code-p.SandboxMemory, least)
	p.add("go memory", Size(p.GoLimit), "soft limit of a worker's Go heap: worker memory less %s of compiled code and the sandbox memory, at least %s; GOMEMLIMIT, if set, counts instead",
		Size(code), Size(least))
	if p.Workers > 1 {
		p.StoreLimit = storeCost
	}
}
