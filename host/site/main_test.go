package site_test

import (
	"context"
	"os"
	"testing"

	"github.com/lectern-lms/lectern/host/handlertest"
)

// kit compiles the one real handler that these tests use: setup, as it was
// built, which fills an empty store.
var kit = &handlertest.Kit{Modules: func(context.Context) ([][]byte, error) {
	setup, err := handlertest.Built("setup")
	return [][]byte{setup}, err
}}

// TestMain removes what the kit leaves.
func TestMain(m *testing.M) { os.Exit(kit.Run(m)) }

// setupModule is that handler, and the engine's cache directory with its code.
func setupModule(t *testing.T) (module []byte, cacheDir string) {
	t.Helper()
	modules, dir, err := kit.Ready()
	if err != nil {
		t.Fatal(err)
	}
	return modules[0], dir
}
