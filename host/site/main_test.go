package site_test

import (
	"context"
	"os"
	"testing"

	"github.com/lectern-lms/lectern/host/handlertest"
)

// setupModule is the handler that fills an empty store, as it was built, and
// warmCache the engine's cache directory that has it compiled.
var (
	setupModule []byte
	warmCache   string
)

// TestMain compiles the one real handler that these tests use.
func TestMain(m *testing.M) {
	os.Exit(handlertest.Run(m, func(context.Context) ([][]byte, error) {
		var err error
		setupModule, err = handlertest.Built("setup")
		return [][]byte{setupModule}, err
	}, func(dir string) int {
		warmCache = dir
		return m.Run()
	}))
}
