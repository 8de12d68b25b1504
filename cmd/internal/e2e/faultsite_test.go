package e2e

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"scrim/pipeline/scene"
	"scrim/pipeline/simcam"
	"scrim/transport"
	"scrim/transport/bus"
)

// faultSite is a worker with cameras that fail.
type faultSite struct {
	t       *testing.T
	worker  *program
	conn    *bus.Conn
	cameras map[string]*fallible

	mu     sync.Mutex
	status map[string]transport.Status
}

// fallible is a drawn camera behind a proxy.
type fallible struct {
	t       *testing.T
	o       simcam.Options
	cam     *simcam.Camera
	proxy   *proxy
	witness *witness
}

// switchOn starts the camera, or its replacement.
func (f *fallible) switchOn() {
	f.t.Helper()
	var err error
	f.cam, err = simcam.Start(f.o)
	require.NoError(f.t, err)
	address := strings.TrimPrefix(strings.TrimSuffix(f.cam.URL(), "/camera"), "rtsp://")
	if f.proxy == nil {
		f.proxy = newProxy(f.t, address)
	}
	f.proxy.to(address)
}

// replace replaces the camera.
func (f *fallible) replace(o simcam.Options) {
	f.t.Helper()
	f.proxy.release()
	f.cam.Close()
	o.Listen, o.Log = f.o.Listen, f.o.Log
	f.o = o
	f.switchOn()
}

// Their scenes. One camera changes its size and its codec.
var (
	smallerScene = func() scene.Options {
		o := drawnScene
		o.Width, o.Height = 480, 272
		return o
	}()
	filmedScene = func() scene.Options {
		o := drawnScene
		o.Width, o.Height, o.People = 512, 288, 3
		return o
	}()
	yardScene = func() scene.Options {
		o := drawnScene
		o.Seed, o.People, o.FPS = 12, 3, 10
		return o
	}()
)

func sizeOf(o scene.Options) [2]int { return [2]int{o.Width, o.Height} }

// evenPort returns an even UDP port for RTP; the next one, for RTCP, is free as well.
func evenPort(t *testing.T) int {
	t.Helper()
	for {
		c, err := net.ListenPacket("udp", "127.0.0.1:0")
		require.NoError(t, err)
		port := c.LocalAddr().(*net.UDPAddr).Port
		_ = c.Close()
		if port%2 != 0 {
			continue
		}
		if c, err = net.ListenPacket("udp", fmt.Sprintf("127.0.0.1:%d", port+1)); err == nil {
			_ = c.Close()
			return port
		}
	}
}

// newFaultSite starts a worker with the cameras of these names.
func newFaultSite(t *testing.T, names ...string) *faultSite {
	t.Helper()
	s := &faultSite{t: t, cameras: make(map[string]*fallible), status: make(map[string]transport.Status)}
	server, err := bus.StartServer(bus.ServerConfig{Listen: "127.0.0.1:0", Log: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	t.Cleanup(server.Close)
	s.conn, err = bus.Connect(t.Context(), bus.Config{Server: server, Name: "test"})
	require.NoError(t, err)
	t.Cleanup(s.conn.Close)
	watch, err := s.conn.WatchStatus("test", func(st transport.Status) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.status[st.Camera] = st
	})
	require.NoError(t, err)
	t.Cleanup(watch.Close)
	yaml := fmt.Sprintf("site: test\nnats: {url: '%s'}\ncameras:\n", server.URL())
	for _, c := range []struct {
		name, settings string
		drawn          []scene.Options
		o              simcam.Options
	}{
		{"door", "", []scene.Options{drawnScene, smallerScene, filmedScene}, simcam.Options{}},
		{"yard", ", transport: udp", []scene.Options{yardScene}, simcam.Options{UDPPort: evenPort(t)}},
		{"vault", ", user: viewer, password: 'file:" + writeFile(t, "password", rightPassword) + "'", nil, simcam.Options{User: "viewer", Password: rightPassword}},
	} {
		if !slices.Contains(names, c.name) {
			continue
		}
		o := c.o
		o.Listen, o.Log, o.Scene = "127.0.0.1:0", slog.New(slog.DiscardHandler), smallScene
		if len(c.drawn) > 0 {
			o.Scene = c.drawn[0]
		}
		f := &fallible{t: t, o: o}
		f.switchOn()
		t.Cleanup(func() { f.cam.Close() })
		f.witness = newWitness(t, s.conn, c.name, append(c.drawn, smallScene)...)
		s.cameras[c.name] = f
		yaml += fmt.Sprintf("  - {name: %s, url: 'rtsp://%s/camera'%s}\n", c.name, f.proxy.addr, c.settings)
	}
	s.worker = start(t, "scrim", "worker", writeFile(t, "scrim.yaml", yaml))
	return s
}

// await waits until a camera's status is as it should be.
func (s *faultSite) await(ctx context.Context, camera, what string, ok func(transport.Status) bool) {
	s.t.Helper()
	for {
		s.mu.Lock()
		st := s.status[camera]
		s.mu.Unlock()
		if ok(st) {
			return
		}
		select {
		case <-time.After(pollEvery): // a status is published with every change
		case <-ctx.Done():
			s.t.Fatalf("camera %s is not %s: %+v", camera, what, st)
		}
	}
}

// descriptors is how many files the worker has open.
func (s *faultSite) descriptors() int {
	s.t.Helper()
	fds, err := os.ReadDir(filepath.Join("/proc", strconv.Itoa(s.worker.cmd.Process.Pid), "fd"))
	require.NoError(s.t, err)
	return len(fds)
}
