package rtsp

import (
	"bufio"
	"bytes"
	"net"
	"regexp"
	"strconv"
	"sync/atomic"
)

// maxLineBytes bounds a line that is looked at; longer ones pass unread.
const maxLineBytes = 4096

// bareStatusRE matches a status line without reason phrase, which RFC 2326,
// section 7.1, allows to be empty, and some cameras leave out with its space.
var bareStatusRE = regexp.MustCompile(`^(RTSP/1\.0 [0-9]{3})[ \t]*\r?\n$`)

// statusLineConn gives status lines without a reason phrase one. TRAPS: to
// gortsplib such a response is a parse error that ends the connection, and
// nothing but the bytes themselves comes early enough. Everything else passes
// unchanged: it follows the framing (interleaved packets, headers, bodies) only
// so far as to know where a status line can stand, and remembers what was spoken.
// Only Read is its own, and is called by one goroutine.
type statusLineConn struct {
	net.Conn
	r *bufio.Reader
	// pending is read but not handed on.
	pending []byte
	// pass counts bytes of a packet or body that are handed on unread.
	pass int
	// headers is set after a message's first line; length is its Content-Length.
	headers bool
	length  int
	// spoken is read by others.
	spoken atomic.Int32
}

// What the other side speaks, as far as it has been heard; more counts more.
const (
	spokenNothing int32 = iota
	spokenOther
	spokenHTTP
	spokenRTSP
)

// heard takes a message's first line, or what has come of it, into account.
func (c *statusLineConn) heard(line []byte) {
	what := spokenOther
	switch {
	case bytes.HasPrefix(line, []byte("RTSP/")), bytes.HasSuffix(bytes.TrimRight(line, " \r\n"), []byte(" RTSP/1.0")):
		what = spokenRTSP
	case bytes.HasPrefix(line, []byte("HTTP/")):
		what = spokenHTTP
	}
	if what > c.spoken.Load() {
		c.spoken.Store(what)
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

// next reads the head of a packet, or one line.
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
		// No message begins like that. A line is not waited for: none may come.
		c.heard(b)
		c.pass = 1
		return nil
	}
	line, err := c.r.ReadSlice('\n')
	if len(line) == 0 {
		return err
	}
	// What is read is handed on, whatever the error: it comes again.
	c.pending = line
	if !c.headers && len(bytes.TrimRight(line, "\r\n")) > 0 {
		c.heard(line)
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
