package rtsp

import (
	"bufio"
	"bytes"
	"net"
	"regexp"
	"strconv"
	"sync/atomic"
)

// maxLineBytes bounds a line that is checked; longer lines pass unchecked.
const maxLineBytes = 4096

// bareStatusRE matches a status line without a reason phrase. RFC 2326, section 7.1,
// allows an empty phrase; some cameras omit its space too.
var bareStatusRE = regexp.MustCompile(`^(RTSP/1\.0 [0-9]{3})[ \t]*\r?\n$`)

// statusLineConn adds a reason phrase to status lines without one. Quirk (gortsplib
// v4.16.2): such a response is a parse error that ends the connection, and only the
// bytes themselves are early enough to change it; see docs/quirks.md. All else passes
// unchanged. It follows the framing (interleaved packets, headers, bodies) as far as
// necessary to find status lines, and records the protocol of the other side. It
// changes only Read, which one goroutine calls.
type statusLineConn struct {
	net.Conn
	r *bufio.Reader
	// pending was read and not returned yet.
	pending []byte
	// pass counts the bytes of a packet or body that pass unchecked.
	pass int
	// headers is set after a message's first line. length is its Content-Length.
	headers bool
	length  int
	// protocol is read by other goroutines.
	protocol atomic.Int32
}

// The protocol of the other side, by rising evidence.
const (
	protocolUnknown int32 = iota
	protocolOther
	protocolHTTP
	protocolRTSP
)

// detect recognises the protocol by a message's first line, or the part of it that was
// received.
func (c *statusLineConn) detect(line []byte) {
	what := protocolOther
	switch {
	case bytes.HasPrefix(line, []byte("RTSP/")), bytes.HasSuffix(bytes.TrimRight(line, " \r\n"), []byte(" RTSP/1.0")):
		what = protocolRTSP
	case bytes.HasPrefix(line, []byte("HTTP/")):
		what = protocolHTTP
	}
	if what > c.protocol.Load() {
		c.protocol.Store(what)
	}
}

func newStatusLineConn(c net.Conn) *statusLineConn {
	return &statusLineConn{Conn: c, r: bufio.NewReaderSize(c, maxLineBytes)}
}

// Read implements net.Conn.
func (c *statusLineConn) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if len(c.pending) == 0 && c.pass == 0 {
		if err := c.next(); err != nil {
			return 0, err
		}
	}
	if len(c.pending) > 0 {
		n := copy(p, c.pending)
		c.pending = c.pending[n:]
		return n, nil
	}
	n, err := c.r.Read(p[:min(len(p), c.pass)])
	c.pass -= n
	return n, err
}

// next reads the header of a packet, or one line.
func (c *statusLineConn) next() error {
	b, err := c.r.Peek(1)
	if err != nil {
		return err
	}
	if b[0] == '$' && !c.headers { // RFC 2326, section 10.12
		if b, err = c.r.Peek(4); err == nil {
			c.pass = 4 + int(b[2])<<8 + int(b[3])
		} else {
			c.pass = 1
		}
		return nil
	}
	if !c.headers && (b[0] < 'A' || b[0] > 'Z') && b[0] != '\r' && b[0] != '\n' {
		// This does not begin a message. Do not wait for a line: it may never end.
		c.detect(b)
		c.pass = 1
		return nil
	}
	line, err := c.r.ReadSlice('\n')
	if len(line) == 0 {
		return err
	}
	// Return what was read despite the error: the error occurs again.
	c.pending = line
	if !c.headers && len(bytes.TrimRight(line, "\r\n")) > 0 {
		c.detect(line)
	}
	if err != nil {
		return nil //nolint:nilerr // see above
	}
	c.line(line)
	return nil
}

func (c *statusLineConn) line(line []byte) {
	blank := len(bytes.TrimRight(line, "\r\n")) == 0
	switch {
	case !c.headers && blank:
	case !c.headers:
		c.headers, c.length = true, 0
		if m := bareStatusRE.FindSubmatch(line); m != nil {
			c.pending = append(append([]byte(nil), m[1]...), " -\r\n"...)
		}
	case blank:
		c.headers, c.pass = false, c.length
	default:
		key, value, _ := bytes.Cut(line, []byte(":"))
		if bytes.EqualFold(bytes.TrimSpace(key), []byte("content-length")) {
			if n, err := strconv.ParseUint(string(bytes.TrimSpace(value)), 10, 31); err == nil {
				c.length = int(n)
			}
		}
	}
}
