package engine

import "github.com/tetratelabs/wazero/api"

// eof is the flag that read_body sets with the last bytes.
const eof = 1 << 32

// readBody gives the next bytes of a body; see eof.
func readBody(c *call, m api.Module, stack []uint64) {
	limit := uint32(stack[2])
	if limit == 0 {
		panic(Fault("read_body was called with a limit of zero"))
	}
	body, position := c.x.Request.Body, &c.sent
	switch uint32(stack[0]) {
	case kindRequest:
	case kindResponse:
		body, position = c.x.Response.Body, &c.received
	default:
		panic(faultf("there is no body kind %d", uint32(stack[0])))
	}
	rest := body[min(*position, len(body)):]
	n := min(len(rest), int(limit))
	write(m, uint32(stack[1]), rest[:n])
	*position += n
	stack[0] = uint64(n)
	if n == len(rest) {
		stack[0] |= eof
	}
}

// writeBody replaces the body with the first write and adds to it with later
// ones, up to the limit of a response.
func writeBody(c *call, m api.Module, stack []uint64) {
	p := read(m, uint32(stack[1]), uint32(stack[2]))
	body, wrote := &c.x.Response.Body, &c.wroteResponse
	switch uint32(stack[0]) {
	case kindResponse:
	case kindRequest:
		c.beforeNext()
		body, wrote = &c.x.Request.Body, &c.wroteRequest
	default:
		panic(faultf("there is no body kind %d", uint32(stack[0])))
	}
	if !*wrote && uint32(stack[0]) == kindResponse {
		*body = (*body)[:0] // whoever gave it keeps nothing that is in it
	} else if !*wrote {
		*body = nil // that of a request is read again if the request is
	}
	*wrote = true
	if len(*body)+len(p) > c.limits.Response {
		panic(faultf("a body of more than %d bytes", c.limits.Response))
	}
	*body = append(*body, p...)
}
