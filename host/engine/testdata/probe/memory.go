package main

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	mathrand "math/rand/v2"
	"os"
	"strings"
	"syscall"
	"time"
)

// What a request could leave for the next one.
var (
	count    int
	heap     = map[string]string{}
	hoard    [][]byte
	ticks    int
	started  bool
	lastSeen time.Time
	channel  = make(chan string, 4)
	timer    *time.Timer
)

// letters is a map whose order of iteration is drawn anew each time.
var letters = map[string]int{"a": 1, "b": 2, "c": 3, "d": 4, "e": 5, "f": 6, "g": 7, "h": 8, "i": 9, "j": 10}

// remember tells all that it knows of earlier requests, and then leaves traces
// in every way that a handler has.
func remember(text string) string {
	order := ""
	for l := range letters {
		order += l
	}
	waiting := len(channel)
	_, printErr := os.Stdout.WriteString("")
	_, file := os.ReadFile("/tmp/probe")
	found := fmt.Sprintf("count %d heap %d hoard %d ticks %d started %v seen %v waiting %d timer %v print %v file %v env %d order %s draw %d",
		count, len(heap), len(hoard), ticks, started, !lastSeen.IsZero(), waiting, timer != nil, printErr, file != nil, len(os.Environ()), order, mathrand.Uint64())
	count++
	heap[text] = strings.Repeat(text, 10)
	hoard = append(hoard, make([]byte, 10_000))
	copy(hoard[len(hoard)-1], text)
	lastSeen = time.Now()
	letters[text] = 1
	if len(channel) < cap(channel) {
		channel <- text
	}
	started = true
	timer = time.AfterFunc(time.Microsecond, func() { ticks++ })
	go func() {
		for {
			ticks++
			time.Sleep(time.Microsecond)
		}
	}()
	_ = os.WriteFile("/tmp/probe", []byte(text), 0o600)
	_ = os.Setenv("PROBE", text)
	for _, fd := range []int{0, 1, 2, 3} {
		_ = syscall.Close(fd)
	}
	return found
}

// hide puts a secret into all kinds of memory.
func hide(secret string) string {
	for range 200 {
		hoard = append(hoard, []byte(strings.Repeat(secret+" ", 200)))
	}
	heap[secret] = secret
	return fmt.Sprint(onStack(secret, 100))
}

// onStack leaves a secret in frames that are gone.
//
//go:noinline
func onStack(secret string, depth int) int {
	var frame [256]byte
	n := copy(frame[:], secret)
	if depth == 0 {
		return n
	}
	return onStack(secret, depth-1) + int(frame[0])
}

// random tells what the host's random source gives.
func random(string) string {
	var b [16]byte
	if _, err := rand.Read(b[:]); err != nil {
		panic(err)
	}
	return hex.EncodeToString(b[:])
}

// clock tells the time and how long a short sleep takes.
func clock(string) string {
	begin := time.Now()
	time.Sleep(20 * time.Millisecond)
	return fmt.Sprintf("%d %d", begin.Unix(), time.Since(begin).Milliseconds())
}

// grow takes so many MB more of memory.
func grow(text string) string {
	for range number(text) {
		b := make([]byte, 1<<20)
		for i := 0; i < len(b); i += 4096 {
			b[i] = 1
		}
		hoard = append(hoard, b)
	}
	return fmt.Sprintf("%d MB", len(hoard))
}
