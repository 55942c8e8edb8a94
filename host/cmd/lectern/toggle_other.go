//go:build !unix

package main

import "log/slog"

// toggleDebug does nothing where there is no SIGUSR1.
func toggleDebug(*slog.LevelVar) {}
