package webrtc

import (
	"encoding/binary"
	"errors"
	"log/slog"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"scrim/transport/transporttest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const camera = "gate"

var errBroken = errors.New("the bus went away")

// rig is a gateway behind an HTTP server, with a source.
type rig struct {
	*Gateway
	source *transporttest.Source
	url    string
}

// start runs a gateway for the test's time. It waits for all handlers at the end.
func start(t *testing.T, o Options, change ...func(*Gateway)) *rig {
	t.Helper()
	source, _ := o.Source.(*transporttest.Source)
	if o.Source == nil {
		source = transporttest.NewSource(camera, "yard")
		o.Source = source
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	g, err := New(o)
	require.NoError(t, err)
	// A slow machine is not a silent camera. Tests of silence set their own times.
	g.hubs.Times.Silence, g.hubs.Times.First = time.Hour, time.Hour
	for _, f := range change {
		f(g)
	}
	server := httptest.NewServer(g.Handler())
	t.Cleanup(func() {
		require.NoError(t, g.Close())
		server.Client().CloseIdleConnections()
		server.Close()
	})
	return &rig{Gateway: g, source: source, url: server.URL}
}

// ntp converts the time format of abs-capture-time.
func ntp(b []byte) time.Time {
	v := binary.BigEndian.Uint64(b)
	const since1900 = 2208988800
	return time.Unix(int64(v>>32)-since1900, int64((v&0xffffffff)*1e9>>32))
}
