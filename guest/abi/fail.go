package abi

// OpFail says that the handler has panicked: (text) -> it never returns. The
// text begins with "panic: " and the value, as Go's runtime would print it, and
// goes on with the stack; it is for the log alone. The engine answers it by
// itself and ends the request as failed. That takes a tenth of the time of a
// panic which Go's runtime ends the module for.
const OpFail Op = 255
