//go:build unix

package main

import (
	"log/slog"
	"os"
	"os/signal"
	"syscall"
)

// toggleDebug switches the log to debug and back at each SIGUSR1.
func toggleDebug(level *slog.LevelVar) {
	usual := level.Level()
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGUSR1)
	go func() {
		for range signals {
			if level.Level() == slog.LevelDebug && usual != slog.LevelDebug {
				level.Set(usual)
			} else {
				level.Set(slog.LevelDebug)
			}
		}
	}()
}
