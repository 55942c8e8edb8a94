package sdk

// warmUps are what WarmUp has registered.
var warmUps []func()

// WarmUp registers work for the start of a handler, before it is frozen: what
// it fills in then (tables, caches, a grown heap) every request finds done. It
// has no request and can ask the host nothing. Call it from an init function.
func WarmUp(f func()) { warmUps = append(warmUps, f) }
