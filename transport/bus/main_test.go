package bus

import (
	"context"
	"fmt"
	"image"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"scrim/redact/geom"
	"scrim/transport"
	"scrim/transport/transporttest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	site   = "plant-1"
	camera = "gate"
)

// startServer runs a server for the test's time.
func startServer(t *testing.T, c ServerConfig) *Server {
	t.Helper()
	c.Log = slog.New(slog.DiscardHandler)
	s, err := StartServer(c)
	require.NoError(t, err)
	t.Cleanup(s.Close)
	return s
}

// connect connects for the test's time.
func connect(t *testing.T, c Config) *Conn {
	t.Helper()
	c.Log, c.Name = slog.New(slog.DiscardHandler), t.Name()
	conn, err := Connect(t.Context(), c)
	require.NoError(t, err)
	t.Cleanup(conn.Close)
	return conn
}

// flush waits until the server has received everything.
func flush(t *testing.T, c *Conn) {
	t.Helper()
	require.NoError(t, c.Flush(t.Context()))
}

// unit makes a valid unit whose data says which it is.
func unit(epoch, seq uint64, key bool) *transport.RedactedUnit {
	return &transport.RedactedUnit{
		Camera: camera, Rendition: transport.MainRendition, Epoch: epoch, Seq: seq,
		PTS: int64(seq) * 3000, Captured: time.Unix(1700000000, int64(seq)), Key: key,
		Codec: "avc1.42c01f", Width: 1920, Height: 1080, State: transport.StateLive,
		Regions: []geom.Region{
			{Rect: image.Rect(1, 2, 30, 40), Face: geom.Box{X: 5.5, Y: -3.1, W: 20, H: 24.9}, Score: 0.8731, Source: "detected", Track: 17},
			{Rect: image.Rect(1900, 1000, 1920, 1080), Source: "zone"},
		},
		Data: fmt.Appendf(nil, "unit %d/%d", epoch, seq),
	}
}

// next returns the next unit or fails.
func next(t *testing.T, s *Subscription) *transport.RedactedUnit {
	t.Helper()
	u, err := s.Next(transporttest.Context(t))
	require.NoError(t, err)
	return u
}

// Connected reports whether there is a connection at the moment.
func (c *Conn) Connected() bool { return c.nc.IsConnected() }

// Flush waits until the server has received everything that was sent before.
func (c *Conn) Flush(ctx context.Context) error {
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, connectTimeout)
		defer cancel()
	}
	return c.explain(c.nc.FlushWithContext(ctx))
}
