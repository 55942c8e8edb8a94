package engine_test

import (
	"context"
	"errors"
	"os"
	"testing"

	"github.com/lectern-lms/lectern/host/engine"
	"github.com/lectern-lms/lectern/host/handlertest"
)

// TestMain provides testdata/probe and a real handler, compiled when the first
// test needs them.
func TestMain(m *testing.M) {
	kit := &handlertest.Kit{Modules: func(ctx context.Context) ([][]byte, error) {
		probe, err := handlertest.Build(ctx, "testdata/probe")
		catalog, err1 := handlertest.Built("catalog")
		return [][]byte{probe, catalog}, errors.Join(err, err1)
	}}
	engine.TestKit = kit.Ready
	os.Exit(kit.Run(m))
}
