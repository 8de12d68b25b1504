package e2e

import (
	"io"
	"net"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// proxy stands between a worker and a camera's RTSP port, at an address that stays
// while the camera is another, and does what networks and cameras do.
type proxy struct {
	t    *testing.T
	addr string

	mu     sync.Mutex
	moved  *sync.Cond // when held or closed change
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

// open listens, at the same port as before.
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

// close refuses connections and cuts those that there are.
func (p *proxy) close() {
	p.mu.Lock()
	ln := p.ln
	p.mu.Unlock()
	_ = ln.Close()
	p.release()
}

// hold lets both sides hear nothing any more, not even an end. Who connects is
// taken, and gets no answer.
func (p *proxy) hold() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.held = true
}

// release ends that; the other side knows nothing of the connections that there
// were, as after a power failure. Without a hold it cuts them.
func (p *proxy) release() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.held = false
	for c := range p.ends {
		if tcp, ok := c.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0) // a reset, no orderly end
		}
		_ = c.Close()
		delete(p.ends, c)
	}
	p.moved.Broadcast()
}

// to sends who connects from now on to another camera.
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

// resume lets what was held go on, as when a cable is put in again.
func (p *proxy) resume() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.held = false
	p.moved.Broadcast()
}

// waits waits while everything is held, and reports whether the connection is
// still there.
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
