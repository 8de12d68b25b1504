package fanout

import (
	"context"
	"io"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"scrim/transport"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const camera = "gate"

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

// soon bounds a wait for something that must come.
func soon(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// eventually waits until ok.
func eventually(t *testing.T, ok func() bool, msg string) {
	t.Helper()
	require.Eventually(t, ok, 30*time.Second, 5*time.Millisecond, msg)
}

// unit is one whose picture says nothing.
func unit(camera string, n uint64, key bool) *transport.RedactedUnit {
	data := []byte{0, 0, 0, 1, 0x41, 0x80, 0x81, byte(n)}
	if key {
		data = append([]byte{
			0, 0, 0, 1, 0x67, 0x42, 0xc0, 0x1f, 0xd9, 0x01, 0x40, 0x16,
			0, 0, 0, 1, 0x68, 0xcb, 0x83, 0xcb, 0x20,
			0, 0, 0, 1, 0x65,
		}, data[5:]...)
	}
	return &transport.RedactedUnit{Camera: camera, Epoch: 1, Seq: n, PTS: int64(n) * 3600, Key: key, Width: 640, Height: 360, Data: data}
}

// memory is a Source of one camera.
type memory struct {
	camera string
	units  chan *transport.RedactedUnit
	opened chan struct{}
	keys   chan struct{}
}

func newMemory(camera string) *memory {
	return &memory{
		camera: camera, units: make(chan *transport.RedactedUnit, 64), opened: make(chan struct{}, 64), keys: make(chan struct{}, 64),
	}
}

func (m *memory) Subscribe(camera string) (Units, error) {
	if camera != m.camera {
		return nil, ErrNoCamera
	}
	m.opened <- struct{}{}
	return m, nil
}

func (m *memory) RequestKeyframe(string) error {
	m.keys <- struct{}{}
	return nil
}

func (m *memory) Next(ctx context.Context) (*transport.RedactedUnit, error) {
	select {
	case u := <-m.units:
		return u, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (*memory) Close() {}

func (m *memory) put(units ...*transport.RedactedUnit) {
	for _, u := range units {
		m.units <- u
	}
}

// counts returns subscriptions ever made and requests for key frames.
func (m *memory) counts() (opened, keys int) { return len(m.opened), len(m.keys) }
