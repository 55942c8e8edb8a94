package engine

import (
	"context"

	"github.com/lectern-lms/lectern/guest/abi"
	"github.com/tetratelabs/wazero/api"
)

// exportLectern provides module "lectern" to guests.
func (e *Engine) exportLectern(ctx context.Context) error {
	i32, i64 := api.ValueTypeI32, api.ValueTypeI64
	_, err := e.runtime.NewHostModuleBuilder(abi.Module).
		NewFunctionBuilder().
		WithGoModuleFunction(api.GoModuleFunc(lecternCall), []api.ValueType{i32, i32, i32, i32, i32}, []api.ValueType{i64}).
		Export(abi.Call).
		Instantiate(ctx)
	return err
}

// lecternCall is the function "call" as guest/abi describes it.
func lecternCall(ctx context.Context, m api.Module, stack []uint64) {
	c := callOf(ctx)
	op := abi.Op(stack[0])
	out, capacity := uint32(stack[3]), uint32(stack[4])
	if c.calls++; c.calls > c.limits.HostCalls {
		panic(faultf("more than %d host calls in one request", c.limits.HostCalls))
	}
	c.checkTime()
	if op == abi.OpFail {
		c.fail(read(m, uint32(stack[1]), uint32(stack[2])))
	}
	status, answer := abi.StatusOK, c.answer
	if op != abi.OpAnswer {
		if c.x.Calls == nil {
			panic(Fault("it called the host where nobody answers; while a handler starts there is no request yet"))
		}
		status, answer = c.x.Calls.Call(c.Context, op, read(m, uint32(stack[1]), uint32(stack[2])))
	}
	c.answer = nil
	if len(answer) > int(capacity) {
		c.answer = answer
	} else {
		write(m, out, answer)
	}
	stack[0] = abi.Result(status, len(answer))
}

// fail ends a request whose handler has panicked and says why.
func (c *call) fail(message []byte) {
	text := abi.NewReader(message).String()
	_, _ = (*printer)(c.sandbox).Write([]byte(text))
	if panicLine(text) == "" {
		panic(Fault("it failed without saying why"))
	}
	panic(guestPanic{})
}

// guestPanic is the error of a handler that has told of its panic itself.
type guestPanic struct{}

// Error says so; the text is in the sandbox's output.
func (guestPanic) Error() string { return "it panicked" }

// read gives the guest's memory from offset, not a copy.
func read(m api.Module, offset, length uint32) []byte {
	if length == 0 {
		return nil
	}
	b, ok := m.Memory().Read(offset, length)
	if !ok {
		panic(faultf("a pointer outside its memory: %d bytes at %d", length, offset))
	}
	return b
}

// readString copies a string out of the guest's memory.
func readString(m api.Module, offset, length uint64) string {
	return string(read(m, uint32(offset), uint32(length)))
}

// write copies b into the guest's memory.
func write(m api.Module, offset uint32, b []byte) {
	if len(b) > 0 && !m.Memory().Write(offset, b) {
		panic(faultf("a pointer outside its memory: %d bytes at %d", len(b), offset))
	}
}

// writeString is write for a string.
func writeString(m api.Module, offset uint32, s string) {
	if len(s) > 0 && !m.Memory().WriteString(offset, s) {
		panic(faultf("a pointer outside its memory: %d bytes at %d", len(s), offset))
	}
}
