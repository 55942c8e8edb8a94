package main

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"runtime/debug"

	"github.com/lectern-lms/lectern/host/config"
	"github.com/lectern-lms/lectern/host/site"
	"github.com/lectern-lms/lectern/host/sizing"
)

// envMachine hands what the supervisor found out about the machine down to
// its workers. Otherwise a worker that replaces a dead one would plan with the
// memory that the others have left, and not with its own part.
const envMachine = "LECTERN_MACHINE"

// planNode plans this process's node.
func planNode(cfg config.Config) (sizing.Plan, sizing.Machine, error) {
	modules, err := allModules(cfg.HandlersDir)
	if err != nil {
		return sizing.Plan{}, sizing.Machine{}, err
	}
	m := sizing.Read(os.DirFS("/"), runtime.GOMAXPROCS(0))
	if text := os.Getenv(envMachine); text != "" {
		if err := json.Unmarshal([]byte(text), &m); err != nil {
			return sizing.Plan{}, m, fmt.Errorf("%s is not what a supervisor sets; unset it: %w", envMachine, err)
		}
	}
	return sizing.Make(m, wishes(cfg), site.Serving(modules)), m, nil
}

// wishes are the operator's numbers.
func wishes(cfg config.Config) sizing.Wishes {
	return sizing.Wishes{Workers: int(cfg.Workers), Threads: int(cfg.Threads), WorkerMB: int(cfg.WorkerMemory)}
}

// handDown is the variable that lets a worker plan with the supervisor's view
// of the machine.
func handDown(m sizing.Machine) (string, error) {
	text, err := json.Marshal(m)
	if err != nil {
		return "", fmt.Errorf("the machine's sizes cannot be handed to a worker: %w", err)
	}
	return envMachine + "=" + string(text), nil
}

// limitGo sets Go's soft memory limit for this process: over it, the garbage
// collector works harder. An operator's GOMEMLIMIT counts instead.
func limitGo(limit int64, log *slog.Logger) {
	if limit <= 0 || os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	debug.SetMemoryLimit(limit)
	log.Debug("Go's soft memory limit is set", "bytes", limit)
}
