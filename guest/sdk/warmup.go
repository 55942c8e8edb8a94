package sdk

// warmUps are what WarmUp has registered.
var warmUps []func()

// WarmUp registers work for the start of a handler, before it is frozen: what
// it fills in then (tables, caches, a grown heap) every request finds done. It
// has no request and can ask the host nothing. Call it from an init function.
func WarmUp(f func()) { warmUps = append(warmUps, f) }

// readyBody is where the first response of an instance is written: in a
// sandbox that is every response, since each begins with the frozen memory.
var readyBody []byte

// takeReadyBody gives the room for the response, once.
func takeReadyBody() []byte {
	b := readyBody
	readyBody = nil
	return b
}
