// Command probe is a handler for the tests of the engine. Its URI is a
// command, such as /spin or /grow?8, and the answer tells what came of it.
package main

import (
	"strconv"
	"strings"
)

// commands are what the probe can do; the text is what stands behind the "?".
var commands = map[string]func(text string) string{
	"remember": remember, "hide": hide, "random": random, "clock": clock,
	"spin": spin, "calls": calls, "fill": fill, "busy-clock": busyClock, "recurse": recurse, "allocate": allocate, "grow": grow,
	"panic": fail, "exit": exit, "sleep": sleep, "print": printForever, "log": logForever, "draw": drawForever,
	"header": header, "status": status, "body": body, "host": callHost, "pointer": pointer, "ok": func(string) string { return "fine" },
	"headers": headersForever, "list": listForever, "say": say,
}

func main() {}

//go:wasmexport handle_request
func handleRequest() uint64 {
	name, text, _ := strings.Cut(strings.TrimPrefix(uri(), "/"), "?")
	command := commands[name]
	if command == nil {
		panic("the probe has no command " + strconv.Quote(name))
	}
	writeString(command(text))
	return 0
}

//go:wasmexport handle_response
func handleResponse(uint32, uint32) {}

// number reads a command's number.
func number(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil {
		panic(err)
	}
	return n
}
