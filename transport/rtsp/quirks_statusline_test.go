package rtsp

import (
	"bytes"
	"io"
	"net"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
)

// bytesConn is a connection that is only read.
type bytesConn struct {
	net.Conn
	io.Reader
}

func (c bytesConn) Read(p []byte) (int, error) { return c.Reader.Read(p) }

func TestStatusLinesGetAReasonPhrase(t *testing.T) {
	const (
		ok    = "RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n"
		frame = "$\x00\x00\x10RTSP/1.0 200\r\n\r\n"
		body  = "content-length: 16\r\n\r\nRTSP/1.0 200\r\n\r\n"
	)
	tests := []struct{ name, in, want string }{
		{"whole", ok, ok},
		{"space, no phrase", "RTSP/1.0 200 \r\nCSeq: 1\r\n\r\n", "RTSP/1.0 200 -\r\nCSeq: 1\r\n\r\n"},
		{"no space", "RTSP/1.0 401\r\nCSeq: 1\r\n\r\n", "RTSP/1.0 401 -\r\nCSeq: 1\r\n\r\n"},
		{"second response", ok + "RTSP/1.0 200\r\n\r\n", ok + "RTSP/1.0 200 -\r\n\r\n"},
		{"never in a packet", frame + "RTSP/1.0 200\r\n\r\n" + frame, frame + "RTSP/1.0 200 -\r\n\r\n" + frame},
		{"never in a body", "RTSP/1.0 200 OK\r\n" + body + "RTSP/1.0 200\r\n\r\n", "RTSP/1.0 200 OK\r\n" + body + "RTSP/1.0 200 -\r\n\r\n"},
		{"never in a header", "OPTIONS * RTSP/1.0\r\nRTSP/1.0 200\r\n\r\n", "OPTIONS * RTSP/1.0\r\nRTSP/1.0 200\r\n\r\n"},
		{"cut short", "RTSP/1.0 20", "RTSP/1.0 20"},
		{"packet cut short", "$\x00\x01", "$\x00\x01"},
		{"endless line", strings.Repeat("x", 3*maxLineBytes), strings.Repeat("x", 3*maxLineBytes)},
		{"after stray bytes", "\x00\xffRTSP/1.0 200\r\n\r\n", "\x00\xffRTSP/1.0 200 -\r\n\r\n"},
		{"other protocol", "HTTP/1.1 200\r\n\r\n", "HTTP/1.1 200\r\n\r\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, r := range []io.Reader{strings.NewReader(tt.in), iotest.OneByteReader(strings.NewReader(tt.in))} {
				got, err := io.ReadAll(newStatusLineConn(bytesConn{Reader: r}))
				require.NoError(t, err)
				require.Equal(t, tt.want, string(got))
			}
		})
	}
}

func FuzzStatusLineConn(f *testing.F) {
	f.Add([]byte("RTSP/1.0 200\r\nContent-Length: 3\r\n\r\nabc$\x00\x00\x02ab"))
	f.Add([]byte("\r\n\r\nRTSP/1.0 404 \r\n\r\n"))
	f.Fuzz(func(t *testing.T, in []byte) {
		a, err := io.ReadAll(newStatusLineConn(bytesConn{Reader: bytes.NewReader(in)}))
		require.NoError(t, err)
		b, err := io.ReadAll(newStatusLineConn(bytesConn{Reader: iotest.OneByteReader(bytes.NewReader(in))}))
		require.NoError(t, err)
		require.Equal(t, a, b, "depends on how the bytes arrive")
		// Nothing but reason phrases is added.
		require.Equal(t, squeeze(in), squeeze(bytes.ReplaceAll(a, []byte(" -\r\n"), []byte("\r\n"))))
	})
}

// squeeze takes out what mending a status line may change.
func squeeze(b []byte) string {
	return string(bytes.Map(func(r rune) rune {
		if strings.ContainsRune(" \t\r\n-", r) {
			return -1
		}
		return r
	}, b))
}
