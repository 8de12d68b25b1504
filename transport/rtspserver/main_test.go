package rtspserver

import (
	"bytes"
	"cmp"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"scrim/transport"
	"scrim/transport/auth"
	"scrim/transport/transporttest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	camera   = "gate"
	user     = "nvr"
	password = "correct-horse"
)

// film is H.264 of one size, one access unit each.
type film struct {
	units         [][]byte
	width, height int
	state         transport.State // empty: live
}

func split(raw []byte) [][]byte {
	var units [][]byte
	for part := range bytes.SplitSeq(raw, []byte{0, 0, 0, 1, 0x09}) { // access unit delimiters
		if len(part) > 1 {
			units = append(units, part[1:])
		}
	}
	return units
}

// pattern is a test picture that moves.
func pattern(t *testing.T) film {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("..", "webrtc", "testdata", "pattern.h264"))
	require.NoError(t, err)
	return film{units: split(raw), width: 320, height: 180}
}

func isKey(data []byte) bool { return bytes.Contains(data, []byte{0, 0, 0, 1, 0x67}) }

// rig is a server with a camera that plays films.
type rig struct {
	*Server
	source *transporttest.Source
	addr   string
	n      uint64 // of the last unit
}

// start runs a server for the test's time.
func start(t *testing.T, o Options, change ...func(*Server)) *rig {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	m := transporttest.NewSource(camera, "silent")
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	o.Source, o.Listener = m, ln
	o.Access, err = auth.New([]auth.User{
		{Name: user, Password: password, Cameras: []string{camera, "silent", "absent"}},
		{Name: "other", Password: "secret", Cameras: []string{"yard"}},
	}, o.Log)
	require.NoError(t, err)
	s, err := prepare(o)
	require.NoError(t, err)
	s.hubs.Times.Silence, s.hubs.Times.First = time.Hour, time.Hour // a slow machine is not a silent camera
	s.describe = time.Minute
	for _, f := range change {
		f(s)
	}
	require.NoError(t, s.start())
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-done)
	})
	return &rig{Server: s, source: m, addr: ln.Addr().String()}
}

// show plays a film over and over until stop is called, or the test has ended.
func (r *rig) show(t *testing.T, f film) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for i := 0; ; i++ {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				r.one(f, i)
			}
		}
	})
	stop = sync.OnceFunc(func() {
		cancel()
		running.Wait()
	})
	t.Cleanup(stop)
	return stop
}

// began is when the units' time starts; it says that reports tell the capture
// time and not another.
var began = time.Unix(1_700_000_000, 123_456_789)

func (r *rig) one(f film, i int) {
	r.n++
	data := f.units[i%len(f.units)]
	r.source.Send(camera, &transport.RedactedUnit{
		Camera: camera, Rendition: transport.MainRendition, Epoch: 1, Seq: r.n, PTS: int64(r.n) * 1800, Captured: captured(r.n), //nolint:gosec // few
		Key: isKey(data), Width: f.width, Height: f.height, State: cmp.Or(f.state, transport.StateLive), Data: data,
	})
}

// captured is when unit n was; its PTS is 1800 n.
func captured(n uint64) time.Time { return began.Add(time.Duration(n) * 20 * time.Millisecond) } //nolint:gosec // few

// certificate returns TLS settings for a server.
func certificate(t *testing.T) *tls.Config {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	require.NoError(t, err)
	return &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
}
