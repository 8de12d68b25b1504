package e2e

import (
	"io"
	"net"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// proxy is a TCP proxy between a worker and a camera's RTSP port. Its address stays the
// same when the camera is replaced. It simulates faults of networks and cameras.
type proxy struct {
	t    *testing.T
	addr string

	mu     sync.Mutex
	moved  *sync.Cond // signalled when held or closed changes
	ln     net.Listener
	target string
	held   bool
	ends   map[net.Conn]struct{}
	wg     sync.WaitGroup
}

func newProxy(t *testing.T, target string) *proxy {
	t.Helper()
	p := &proxy{t: t, addr: "127.0.0.1:0", target: target, ends: make(map[net.Conn]struct{})}
	p.moved = sync.NewCond(&p.mu)
	p.open()
	t.Cleanup(func() {
		p.close()
		p.wg.Wait()
	})
	return p
}

// open listens again on the same port.
func (p *proxy) open() {
	p.t.Helper()
	ln, err := net.Listen("tcp", p.addr)
	require.NoError(p.t, err)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ln, p.addr = ln, ln.Addr().String()
	p.wg.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			p.wg.Go(func() { p.serve(conn) })
		}
	})
}

// close refuses new connections and cuts existing ones.
func (p *proxy) close() {
	p.mu.Lock()
	ln := p.ln
	p.mu.Unlock()
	_ = ln.Close()
	p.release()
}

// hold forwards nothing any more, not even the end of a connection. New connections are
// accepted but get no answer.
func (p *proxy) hold() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.held = true
}

// release ends the hold and resets all connections, as after a power failure.
func (p *proxy) release() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.held = false
	for c := range p.ends {
		if tcp, ok := c.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0) // reset instead of an orderly end
		}
		_ = c.Close()
		delete(p.ends, c)
	}
	p.moved.Broadcast()
}

// to forwards new connections to another camera.
func (p *proxy) to(target string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.target = target
}

func (p *proxy) serve(client net.Conn) {
	p.keep(client)
	defer p.drop(client)
	if !p.waits(client) {
		return
	}
	p.mu.Lock()
	target := p.target
	p.mu.Unlock()
	camera, err := net.Dial("tcp", target)
	if err != nil {
		return
	}
	p.keep(camera)
	defer p.drop(camera)
	var wg sync.WaitGroup
	wg.Go(func() { p.copy(client, camera) })
	wg.Go(func() { p.copy(camera, client) })
	wg.Wait()
}

func (p *proxy) copy(to, from net.Conn) {
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		if !p.waits(to) {
			return
		}
		if n > 0 {
			if _, werr := to.Write(buf[:n]); werr != nil {
				err = io.ErrClosedPipe
			}
		}
		if err != nil {
			_ = to.Close()
			_ = from.Close()
			return
		}
	}
}

// resume ends the hold and keeps connections, as when a cable is plugged in again.
func (p *proxy) resume() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.held = false
	p.moved.Broadcast()
}

// waits waits for the end of a hold, and reports whether the connection still exists.
func (p *proxy) waits(c net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.held {
		p.moved.Wait()
	}
	_, there := p.ends[c]
	return there
}

func (p *proxy) keep(c net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ends[c] = struct{}{}
}

func (p *proxy) drop(c net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.ends, c)
	_ = c.Close()
}
