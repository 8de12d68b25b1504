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
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"scrim/cmd/internal/bench"
	"scrim/pipeline/scene"
	"scrim/pipeline/simcam"
	"scrim/transport"
	"scrim/transport/bus"
)

const (
	// longEnv, when set, lets tests take the times that cameras take; they print
	// more then, and run for minutes.
	longEnv = "SCRIM_LONG"
	// closedTime is for how long a port is closed then, lockedTime the least time
	// after which a refused login is tried again.
	closedTime = 30 * time.Second
	lockedTime = time.Minute
	// back is the time within which a camera shall be live again. It is printed
	// beside what was measured, and not required: test machines are busy.
	back = 3 * time.Second
)

// long reports whether tests may run for minutes.
func long() bool { return os.Getenv(longEnv) != "" }

// faultSite is one worker with cameras that fail.
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

// switchOn starts the camera, or another in its place.
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

// Their scenes. One changes its size on the way.
var (
	smallerScene = func() scene.Options {
		o := drawnScene
		o.Width, o.Height = 480, 272
		return o
	}()
	yardScene = func() scene.Options {
		o := drawnScene
		o.Seed, o.People, o.FPS = 12, 3, 10
		return o
	}()
)

// evenPort returns a UDP port for RTP, with that for RTCP beside it free as well.
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
	if modelDir() == "" {
		t.Skip("no model: set SCRIM_MODELS to the folder of YuNet")
	}
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
		{"door", "", []scene.Options{drawnScene, smallerScene}, simcam.Options{}},
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
		case <-time.After(pollEvery): // a status comes with every change
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

// fault is something that happens to a camera, and ends. begin does both, except
// where what ends it is to be waited for.
type fault struct {
	name   string
	camera string
	ready  func() // if set, waits until it may begin
	begin  func(ctx context.Context)
	end    func(ctx context.Context) // nil: it is over at once
}

// TestFaultsOfCamerasAndRedactors lets one worker's cameras and redactors fail in
// turn. Nobody may be exposed in what is published meanwhile, everything has to come
// back, and nothing may be left behind. How long it took is printed:
//
//	go test -count=1 -v -run TestFaultsOfCamerasAndRedactors ./cmd/internal/e2e
func TestFaultsOfCamerasAndRedactors(t *testing.T) {
	s := newFaultSite(t, "door", "yard", "vault")
	ctx := deadline(t, 5*time.Minute)
	door, yard, vault := s.cameras["door"], s.cameras["yard"], s.cameras["vault"]
	for _, f := range s.cameras {
		f.witness.live(ctx, time.Time{})
	}
	const standby = 1
	complete := func() {
		require.Eventually(t, func() bool { return len(redactors(t, s.worker.cmd.Process.Pid)) == len(s.cameras)+standby }, waiting, pollEvery)
	}
	complete()
	open, memory := s.descriptors(), bench.MemoryOf(s.worker.cmd.Process.Pid).Private

	kill := func(sig syscall.Signal) func(context.Context) {
		return func(context.Context) { require.NoError(t, syscall.Kill(s.worker.redactor("door"), sig)) }
	}
	struck := func(sig syscall.Signal) fault {
		return fault{name: "redactor: " + unix.SignalName(sig), camera: "door", ready: complete, begin: kill(sig)}
	}
	lose := func(share float64, faults uint64) (begin, end func(context.Context)) {
		return func(context.Context) { yard.cam.Lose(share) }, func(ctx context.Context) {
			from := s.losses("yard")
			s.await(ctx, "yard", "hit by losses", func(transport.Status) bool { return s.losses("yard") >= from+faults })
			yard.cam.Lose(0)
		}
	}
	lose5, end5 := lose(0.05, 3)
	lose20, end20 := lose(0.2, 1)
	tried := func(reason string, times uint64) func(context.Context) {
		return func(ctx context.Context) {
			var from uint64
			s.await(ctx, "door", reason, func(st transport.Status) bool {
				from = st.Counters.Reconnects
				return st.Reason == reason
			})
			s.await(ctx, "door", "tried again", func(st transport.Status) bool { return st.Counters.Reconnects >= from+times })
		}
	}
	for _, f := range []fault{
		{name: "camera killed amid a group of pictures", camera: "door", begin: func(context.Context) {
			door.proxy.release()
			door.cam.Close()
		}, end: func(context.Context) { door.switchOn() }},
		{name: "5 % of packets lost", camera: "yard", begin: lose5, end: end5},
		{name: "half-open connection", camera: "door", begin: func(context.Context) { door.proxy.hold() }, end: func(ctx context.Context) {
			s.await(ctx, "door", "given up", func(st transport.Status) bool { return st.Reason == "stream stalled" })
			door.proxy.release()
		}},
		{name: "nothing comes for a moment", camera: "door", begin: func(context.Context) { door.proxy.hold() }, end: func(context.Context) {
			door.proxy.resume()
		}},
		{name: "port closed", camera: "door", begin: func(context.Context) { door.proxy.close() }, end: func(ctx context.Context) {
			if long() {
				time.Sleep(closedTime) // that is the fault
			}
			tried("connection refused", 1)(ctx)
			door.proxy.open()
		}},
		{name: "other resolution", camera: "door", begin: func(context.Context) { door.cam.Reconfigure(smallerScene) }},
		{name: "the first resolution", camera: "door", begin: func(context.Context) { door.cam.Reconfigure(drawnScene) }},
		{name: "clock a day forward", camera: "door", begin: func(context.Context) { door.cam.SetClock(24 * time.Hour) }},
		{name: "clock a day back", camera: "door", begin: func(context.Context) { door.cam.SetClock(-24 * time.Hour) }},
		{name: "20 % of packets lost", camera: "yard", begin: lose20, end: end20},
		struck(syscall.SIGKILL), struck(syscall.SIGSEGV), struck(syscall.SIGABRT), // the last as by a C++ exception
		{name: "redactor: once more at once", camera: "door", begin: kill(syscall.SIGKILL)},
	} {
		t.Run(f.name, func(t *testing.T) { s.strike(ctx, t, f) })
	}
	t.Run("password changed", func(t *testing.T) {
		vault.o.Password = wrongPassword
		vault.proxy.release()
		vault.cam.Close()
		vault.switchOn()
		s.await(ctx, "vault", "refused", func(st transport.Status) bool { return st.Reason == "wrong user or password" })
		if !long() {
			return
		}
		vault.cam.Close()
		vault.o.Password = rightPassword
		vault.switchOn()
		ended := time.Now()
		vault.witness.live(ctx, ended)
		t.Logf("password as before: live %v later; it is not tried before %v, or the account would be locked", round(time.Since(ended)), lockedTime)
	})

	t.Logf("the worker's memory: %d MiB before, %d MiB after", memory>>20, bench.MemoryOf(s.worker.cmd.Process.Pid).Private>>20)
	s.nobodyExposed(t)
	s.nothingLeft(ctx, t, open, len(s.cameras)+standby)
}

// losses is how often loss has shut a camera's gate, or kept it from having pictures.
func (s *faultSite) losses(camera string) uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.status[camera].Counters
	return c.Faults[transport.FaultLoss] + c.Reconnects
}

// strike lets a fault happen and measures the time from its end to the first
// picture that was captured later.
func (s *faultSite) strike(ctx context.Context, t *testing.T, f fault) {
	t.Helper()
	w := s.cameras[f.camera].witness
	if f.ready != nil {
		f.ready()
	}
	w.live(ctx, time.Now())
	from, begun := w.now(), time.Now()
	f.begin(ctx)
	ended := time.Now()
	slate := w.covered(ctx, from)
	if f.end != nil {
		f.end(ctx)
		ended = time.Now()
	}
	live := w.live(ctx, later(ended, slate.arrived))
	t.Logf("%s: slate %v after it began, live %v after its cause ended (wanted: %v)", f.name, round(slate.arrived.Sub(begun)), round(live.arrived.Sub(ended)), back)
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func round(d time.Duration) time.Duration { return d.Round(10 * time.Millisecond) }

// nobodyExposed judges all that was published.
func (s *faultSite) nobodyExposed(t *testing.T) {
	t.Helper()
	for name, f := range s.cameras {
		w := f.witness
		w.mu.Lock()
		units, faces, hidden, exposed, entering := len(w.units), w.faces, w.hidden, w.exposed, w.entering
		w.mu.Unlock()
		t.Logf("%s: %d units published, %d faces to be covered, %d pictures whose stamp is covered; exposed while they came into the picture: %v",
			name, units, faces, hidden, entering)
		require.Empty(t, exposed, name)
		require.LessOrEqual(t, 100*len(entering), 2*faces, name)
	}
}

// nothingLeft requires that the worker has as many descriptors and processes as
// before, and one goroutine for each thing that it does.
func (s *faultSite) nothingLeft(ctx context.Context, t *testing.T, descriptors, processes int) {
	t.Helper()
	pid := s.worker.cmd.Process.Pid
	reconnected := 1 // the vault's connection is gone
	if long() {
		reconnected = 0
	}
	for s.descriptors() != descriptors-reconnected || len(redactors(t, pid)) != processes {
		select {
		case <-time.After(pollEvery): // nothing tells when a file is closed
		case <-ctx.Done():
			t.Fatalf("the worker has %d descriptors and %d processes, and had %d and %d", s.descriptors(), len(redactors(t, pid)), descriptors, processes)
		}
	}
	if !long() {
		require.EqualValues(t, 1, s.cameras["vault"].cam.WrongLogins(), "cameras lock accounts")
		require.Regexp(t, `camera=vault .*refuses user or password.* retry_in=1m\d`, s.worker.said())
	}
	s.worker.end(syscall.SIGQUIT) // it says what all goroutines do
	said := s.worker.said()
	dump := said[strings.Index(said, "SIGQUIT: quit"):]
	for in, want := range map[string]int{
		"scrim/pipeline/supervise.(*Camera).Run(":    len(s.cameras),
		"scrim/pipeline/supervise.(*Camera).ingest(": len(s.cameras),
		"scrim/pipeline/supervise.(*process).read(":  len(s.cameras),
		"scrim/pipeline/supervise.(*process).write(": len(s.cameras),
		"scrim/transport/rtsp.(*session).watch(":     len(s.cameras) - reconnected,
		"gortsplib/v4.(*Client).run(":                len(s.cameras) - reconnected,
	} {
		require.Equal(t, want, strings.Count(dump, in), "goroutines in %s", in)
	}
	t.Logf("%d goroutines, %d descriptors, %d processes are left, as many as are needed", strings.Count(dump, "\ngoroutine "), descriptors-reconnected, processes)
}
