package engine

import (
	"context"

	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
)

// wasiModule is the name of the WASI functions that guests may import.
const wasiModule = wasi_snapshot_preview1.ModuleName

// errnoNotSupported is WASI's ENOTSUP.
const errnoNotSupported = 58

// stateful are the WASI functions that would change what a reset does not
// bring back: the table of file descriptors. A handler has no files, so they
// answer that they are not supported. The number is that of the parameters,
// "l" marks those of 64 bits.
var stateful = map[string]string{
	"fd_advise": "illi", "fd_allocate": "ill", "fd_close": "i", "fd_fdstat_set_flags": "ii",
	"fd_fdstat_set_rights": "ill", "fd_filestat_set_size": "il", "fd_filestat_set_times": "illi",
	"fd_renumber": "ii", "fd_seek": "ilii", "path_open": "iiiiilli" + "i", "sock_accept": "iii", "sock_shutdown": "ii",
}

// exportWASI provides the part of WASI that Go's runtime needs.
func (e *Engine) exportWASI(ctx context.Context) error {
	b := e.runtime.NewHostModuleBuilder(wasiModule)
	wasi_snapshot_preview1.NewFunctionExporter().ExportFunctions(b)
	refuse := api.GoFunc(func(_ context.Context, stack []uint64) { stack[0] = errnoNotSupported })
	for name, letters := range stateful {
		params := make([]api.ValueType, len(letters))
		for i, l := range letters {
			params[i] = api.ValueTypeI32
			if l == 'l' {
				params[i] = api.ValueTypeI64
			}
		}
		b = b.NewFunctionBuilder().WithGoFunction(refuse, params, []api.ValueType{api.ValueTypeI32}).Export(name)
	}
	_, err := b.Instantiate(ctx)
	return err
}
