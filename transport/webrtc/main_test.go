package webrtc

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"scrim/transport"
	"scrim/transport/fanout"
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

// memory is a Source whose cameras send what the test says.
type memory struct {
	mu         sync.Mutex
	cameras    []transport.Status
	subs       map[string][]*memoryUnits // open ones
	subscribed map[string]int            // ever
	keyframes  map[string]int
	fail       error // of Subscribe
	events     []chan transport.Event
	listed     int // how often Cameras was called
}

func newMemory(cameras ...string) *memory {
	m := &memory{subs: map[string][]*memoryUnits{}, subscribed: map[string]int{}, keyframes: map[string]int{}}
	for _, name := range cameras {
		m.cameras = append(m.cameras, transport.Status{Site: "plant", Camera: name, State: transport.StateLive, Width: 640, Height: 360, FPS: 25})
	}
	return m
}

func (m *memory) Cameras() []transport.Status {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.listed++
	return slices.Clone(m.cameras)
}

func (m *memory) Subscribe(camera string) (fanout.Units, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.subscribed[camera]++
	if m.fail != nil {
		return nil, m.fail
	}
	if !slices.ContainsFunc(m.cameras, func(s transport.Status) bool { return s.Camera == camera }) {
		return nil, fmt.Errorf("camera %s: %w", camera, fanout.ErrNoCamera)
	}
	u := &memoryUnits{m: m, camera: camera, units: make(chan *transport.RedactedUnit, 4096), broken: make(chan error, 1)}
	m.subs[camera] = append(m.subs[camera], u)
	return u, nil
}

func (m *memory) RequestKeyframe(camera string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.keyframes[camera]++
	return nil
}

func (m *memory) Snapshot(_ context.Context, camera string) (*transport.Snapshot, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		return nil, m.fail
	}
	if !slices.ContainsFunc(m.cameras, func(s transport.Status) bool { return s.Camera == camera }) {
		return nil, fmt.Errorf("camera %s: %w", camera, fanout.ErrNoCamera)
	}
	return &transport.Snapshot{Camera: camera, Captured: time.Unix(1700000000, 0), State: transport.StateLive, JPEG: []byte("a picture")}, nil
}

func (m *memory) Events(ctx context.Context) <-chan transport.Event {
	m.mu.Lock()
	defer m.mu.Unlock()
	ch := make(chan transport.Event, 16)
	m.events = append(m.events, ch)
	context.AfterFunc(ctx, func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.events = slices.DeleteFunc(m.events, func(c chan transport.Event) bool { return c == ch })
		close(ch)
	})
	return ch
}

func (m *memory) set(s transport.Status) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := range m.cameras {
		if m.cameras[i].Camera == s.Camera {
			m.cameras[i] = s
		}
	}
}

func (m *memory) happen(e transport.Event) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, ch := range m.events {
		ch <- e
	}
}

// put gives units to all that are subscribed to the camera.
func (m *memory) put(camera string, units ...*transport.RedactedUnit) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, s := range m.subs[camera] {
		for _, u := range units {
			s.units <- u
		}
	}
}

func (m *memory) break_(camera string, err error) { //nolint:revive // break is a keyword
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, s := range m.subs[camera] {
		s.broken <- err
	}
}

func (m *memory) setFail(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fail = err
}

// counts returns open subscriptions, those ever made and requests for key frames.
func (m *memory) counts(camera string) (open, ever, keyframes int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.subs[camera]), m.subscribed[camera], m.keyframes[camera]
}

type memoryUnits struct {
	m      *memory
	camera string
	units  chan *transport.RedactedUnit
	broken chan error
}

func (u *memoryUnits) Next(ctx context.Context) (*transport.RedactedUnit, error) {
	select {
	case x := <-u.units:
		return x, nil
	case err := <-u.broken:
		return nil, err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (u *memoryUnits) Close() {
	u.m.mu.Lock()
	defer u.m.mu.Unlock()
	u.m.subs[u.camera] = slices.DeleteFunc(u.m.subs[u.camera], func(x *memoryUnits) bool { return x == u })
}

var errBroken = errors.New("the bus went away")

// NAL units: small ones that say what they are. Bytes are chosen so that they
// hold no start code.
var (
	sps = []byte{0x67, 0x42, 0xc0, 0x1f, 0xd9, 0x01, 0x40, 0x16}
	pps = []byte{0x68, 0xcb, 0x83, 0xcb, 0x20}
)

var startCode = []byte{0, 0, 0, 1}

// unit makes a unit whose picture holds its number and is size bytes long.
func unit(camera string, n uint64, key bool, size int) *transport.RedactedUnit {
	nal := make([]byte, max(size, 17))
	for i := range nal {
		nal[i] = byte(0x80 | i)
	}
	nal[0] = 0x41
	var data []byte
	if key {
		nal[0] = 0x65
		data = slices.Concat(startCode, sps, startCode, pps)
	}
	for i := range 16 { // one hexadecimal digit each: never zero
		nal[1+i] = fmt.Sprintf("%016x", n)[i]
	}
	return &transport.RedactedUnit{
		Camera: camera, Rendition: transport.MainRendition, Epoch: 1, Seq: n, PTS: int64(n) * 3600,
		Captured: time.Unix(1700000000, 0).Add(time.Duration(n) * 40 * time.Millisecond), Key: key,
		Codec: "avc1.42c01f", Width: 640, Height: 360, State: transport.StateLive,
		Data: slices.Concat(data, startCode, nal),
	}
}

// number reads back which unit an access unit is.
func number(t *testing.T, data []byte) (n uint64, key bool) {
	t.Helper()
	for nal := range strings.SplitSeq(string(data), string(startCode)) {
		if len(nal) >= 17 && (nal[0]&0x1f == 1 || nal[0]&0x1f == 5) {
			_, err := fmt.Sscanf(nal[1:17], "%x", &n)
			require.NoError(t, err)
			return n, nal[0]&0x1f == 5
		}
	}
	require.Fail(t, "no picture in access unit", "%x", data[:min(len(data), 40)])
	return 0, false
}

// rig is a gateway behind an HTTP server, with a source.
type rig struct {
	*Gateway
	source *memory
	url    string
}

// start runs a gateway for the test's time. It waits for all handlers at the end.
func start(t *testing.T, o Options, change ...func(*Gateway)) *rig {
	t.Helper()
	source, _ := o.Source.(*memory)
	if o.Source == nil {
		source = newMemory(camera, "yard")
		o.Source = source
	}
	if o.Log == nil {
		o.Log = quiet
	}
	g, err := New(o)
	require.NoError(t, err)
	// A slow machine is no silent camera; tests of that say their own times.
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
