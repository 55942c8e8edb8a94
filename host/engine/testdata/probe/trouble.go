package main

import (
	"fmt"
	"os"
	"strings"
	"time"
	"unsafe"
)

// sink keeps the compiler from dropping work.
var sink int

func spin(string) string {
	for {
	}
}

func calls(string) string {
	for {
		sink = add(sink)
	}
}

//go:noinline
func add(n int) int { return n + 1 }

func fill(string) string {
	b := make([]byte, 32<<20)
	for {
		clear(b)
	}
}

func busyClock(string) string {
	for begin := time.Now(); time.Since(begin) < time.Hour; {
	}
	return ""
}

func recurse(string) string { return fmt.Sprint(deeper(1)) }

//go:noinline
func deeper(n int) int { return deeper(n+1) + n }

func allocate(string) string {
	for {
		hoard = append(hoard, make([]byte, 1<<20))
	}
}

func fail(text string) string { panic("the probe was told: " + text) }

func exit(text string) string {
	os.Exit(number(text))
	return ""
}

func sleep(string) string {
	time.Sleep(time.Hour)
	return ""
}

func printForever(string) string {
	for {
		fmt.Println("the probe prints without end")
	}
}

func say(text string) string {
	fmt.Println(text)
	return ""
}

func logForever(string) string {
	message := strings.Repeat("the probe logs without end ", 1000)
	for {
		log(2, at(message), uint32(len(message)))
	}
}

func drawForever(string) string {
	for {
		random("")
	}
}

func headersForever(string) string {
	for i := 0; ; i++ {
		addHeaderString(fmt.Sprintf("X-Header-%d", i), "value")
	}
}

func listForever(string) string {
	for i := range 900 {
		addHeaderString(fmt.Sprintf("X-%d", i), "value")
	}
	buf := make([]byte, 64<<10)
	for {
		headerNames(1, unsafe.Pointer(&buf[0]), uint32(len(buf)))
	}
}

func header(text string) string {
	name, value, _ := strings.Cut(text, "=")
	addHeaderString(name, strings.ReplaceAll(value, "_", "\r\n"))
	return ""
}

func status(text string) string {
	setStatus(uint32(number(text)))
	return ""
}

func body(text string) string {
	part := strings.Repeat("x", 1<<20)
	for range number(text) {
		writeString(part)
	}
	return ""
}

func callHost(text string) string {
	answer := make([]byte, 64)
	length := uint64(0)
	for range number(text) {
		length = lecternCall(15, at(text), uint32(len(text)), unsafe.Pointer(&answer[0]), uint32(len(answer)))
	}
	return fmt.Sprintf("%d %s", length>>32, answer[:uint32(length)])
}

// pointer calls a function of the host with pointers outside its memory.
func pointer(text string) string {
	const outside, huge = 0xfffffff0, 0xffffffff
	switch text {
	case "uri":
		return fmt.Sprint(rawGetURI(outside, 4096))
	case "uri short":
		return fmt.Sprint(rawGetURI(outside, 3))
	case "write":
		rawWriteBody(1, outside, 100)
	case "write all":
		rawWriteBody(1, 0, huge)
	case "read":
		rawReadBody(0, outside, 100)
	case "read nothing":
		rawReadBody(0, 0, 0)
	case "kind":
		rawWriteBody(7, 0, 1)
	case "message":
		rawCall(15, outside, 100, 0, 0)
	case "message all":
		rawCall(15, 1, huge, 0, 0)
	case "answer":
		rawCall(15, 0, 0, outside, 100)
	case "answer all":
		return fmt.Sprint(rawCall(15, 0, 0, outside, huge))
	}
	return "done"
}
