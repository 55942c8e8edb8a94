package redistest

import (
	"bytes"
	"io"
	"net"
	"sync"
	"testing"
)

// Proxy stands between a client and a server, and can be told to misbehave as
// a network does.
type Proxy struct {
	listener net.Listener

	mu     sync.Mutex
	target string
	conns  map[net.Conn]bool
	marker []byte // a request that holds it is answered to nobody; nil for none
	lost   int    // answers kept back so far
}

// NewProxy forwards connections to a server until the test ends.
func NewProxy(tb testing.TB, target string) *Proxy {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	p := &Proxy{listener: l, target: target, conns: map[net.Conn]bool{}}
	tb.Cleanup(func() {
		_ = l.Close() // the test is over
		p.Cut()
	})
	go p.accept()
	return p
}

// URL is the proxy's address as Lectern's settings have it.
func (p *Proxy) URL() string { return "redis://" + p.listener.Addr().String() }

// Target sends new connections to another server; Cut ends the others.
func (p *Proxy) Target(addr string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.target = addr
}

// Cut breaks all connections.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.conns {
		_ = c.Close() // it may be broken already
	}
}

// LoseAnswer lets the next request that holds marker reach the server, and
// breaks its connection instead of bringing the answer back.
func (p *Proxy) LoseAnswer(marker string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.marker = []byte(marker)
}

// Lost is how many answers were kept back.
func (p *Proxy) Lost() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.lost
}

// accept takes connections until the listener is closed.
func (p *Proxy) accept() {
	for {
		c, err := p.listener.Accept()
		if err != nil {
			return
		}
		go p.serve(c)
	}
}

// keep notes a connection, so that it can be cut.
func (p *Proxy) keep(c net.Conn, open bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if open {
		p.conns[c] = true
		return
	}
	delete(p.conns, c)
	_ = c.Close() // it may be broken already
}

// serve forwards one connection both ways.
func (p *Proxy) serve(client net.Conn) {
	p.keep(client, true)
	defer p.keep(client, false)
	p.mu.Lock()
	target := p.target
	p.mu.Unlock()
	server, err := net.Dial("tcp", target)
	if err != nil {
		return
	}
	p.keep(server, true)
	defer p.keep(server, false)
	mute := make(chan struct{})
	go func() {
		p.forward(server, client, mute)
		_ = client.Close() // it may be broken already
		_ = server.Close()
	}()
	p.back(client, server, mute)
}

// forward brings requests to the server. It closes mute before it passes one
// that holds the marker.
func (p *Proxy) forward(server io.Writer, client io.Reader, mute chan struct{}) {
	buf := make([]byte, 64<<10)
	muted := false
	for {
		n, err := client.Read(buf)
		if p.marked(buf[:n]) && !muted {
			muted = true
			close(mute)
		}
		if _, werr := server.Write(buf[:n]); err != nil || werr != nil {
			return
		}
	}
}

// marked tells whether a request holds the marker, once.
func (p *Proxy) marked(request []byte) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.marker == nil || !bytes.Contains(request, p.marker) {
		return false
	}
	p.marker = nil
	return true
}

// back brings answers to the client, until one must be lost.
func (p *Proxy) back(client io.Writer, server io.Reader, mute chan struct{}) {
	buf := make([]byte, 64<<10)
	for {
		n, err := server.Read(buf)
		select {
		case <-mute:
			p.mu.Lock()
			p.lost++
			p.mu.Unlock()
			return
		default:
		}
		if _, werr := client.Write(buf[:n]); err != nil || werr != nil {
			return
		}
	}
}
