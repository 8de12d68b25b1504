package pipeline

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"scrim/models"
	"scrim/models/testenv"
	"scrim/pipeline/decode"
	"scrim/pipeline/ipc"
	"scrim/pipeline/scene/stamp/stamptest"
	"scrim/pipeline/worker/camera"
	"scrim/transport"
)

// builtRedactors are the real program and one with faults in it, each built once;
// TestMain removes them.
var builtRedactors struct {
	dir    string
	err    error
	once   sync.Once
	real   sync.Once
	faulty sync.Once
}

func realRedactor(t *testing.T) string {
	t.Helper()
	return buildRedactor(t, &builtRedactors.real, "real")
}

// faultyRedactor is the program with a detector that misbehaves.
func faultyRedactor(t *testing.T) string {
	t.Helper()
	return buildRedactor(t, &builtRedactors.faulty, "faulty", "-tags", "faults")
}

func buildRedactor(t *testing.T, once *sync.Once, name string, flags ...string) string {
	t.Helper()
	testenv.Need(t, testenv.NotShort) // it builds a program
	b := &builtRedactors
	b.once.Do(func() { b.dir, b.err = os.MkdirTemp("", "scrim-redactor-") })
	require.NoError(t, b.err)
	program := filepath.Join(b.dir, name, "scrim-redactor")
	once.Do(func() {
		cmd := exec.Command("go", append(append([]string{"build"}, flags...), "-o", program, "scrim/cmd/scrim-redactor")...)
		if out, err := cmd.CombinedOutput(); err != nil {
			b.err = fmt.Errorf("build scrim-redactor: %w: %s", err, out)
		}
	})
	require.NoError(t, b.err)
	return program
}

// post is a camera that sends continuously, and the viewer of the result.
type post struct {
	log    syncBuffer
	t      *testing.T
	units  []transport.CameraUnit
	next   atomic.Pointer[[]transport.CameraUnit] // what is sent from now on; nil: units
	events chan transport.Event
	out    chan *transport.RedactedUnit
	camera *camera.Camera
	dec    *decode.Decoder
	last   *transport.RedactedUnit
}

// Run implements camera.Source.
func (p *post) Run(ctx context.Context, onUnit func(transport.CameraUnit)) error {
	tick := time.NewTicker(time.Second / 10)
	defer tick.Stop()
	for i, k, from := 0, 0, &p.units; ; i++ {
		if n := p.next.Load(); n != nil && n != from {
			from, k = n, i
		}
		u := (*from)[(i-k)%len(*from)]
		u.PTS = int64(i) * transport.ClockRate / 10
		u.Captured, u.Arrived = time.Now(), time.Now()
		onUnit(u)
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (p *post) Publish(u *transport.RedactedUnit) error { p.out <- u; return nil }
func (p *post) PublishStatus(transport.Status) error    { return nil }
func (p *post) PublishEvent(e transport.Event) error    { p.events <- e; return nil }

// watch runs a real redactor under supervision until the test ends.
func watch(t *testing.T, change func(*ipc.Config)) *post {
	t.Helper()
	return watchProgram(t, realRedactor(t), change)
}

// syncBuffer is a log that may be read while it is written.
type syncBuffer struct {
	mu sync.Mutex
	b  strings.Builder
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// watchProgram is watch with another program.
func watchProgram(t *testing.T, program string, change func(*ipc.Config), args ...string) *post {
	t.Helper()
	p := &post{t: t, events: make(chan transport.Event, 1000), out: make(chan *transport.RedactedUnit, 10000)}
	c := newCamera(t, width, height)
	c.room = true
	for i := range 10 {
		p.units = append(p.units, c.unit(i == 0))
	}
	config := ipc.Config{
		Site: "test", Camera: "door", Obscure: ipc.ObscureConfig{Style: "veil"},
		Detect: ipc.DetectConfig{Size: 640, Threshold: 0.3},
	}
	change(&config)
	var err error
	p.camera, err = camera.New(camera.Options{
		Redactor: config, Program: program, Args: args, Source: p, Sink: p,
		Delay: func(error) time.Duration { return time.Second }, Log: slog.New(slog.NewTextHandler(&p.log, nil)),
	})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if p.camera.Run(ctx) != nil {
			p.camera.ReportFailed(ctx)
		}
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
		if p.dec != nil {
			p.dec.Close()
		}
	})
	return p
}

// until decodes the output, as a viewer would, up to a unit in the given state. Each
// picture must match its state.
func (p *post) until(state transport.State) *transport.RedactedUnit {
	p.t.Helper()
	for deadline := time.After(2 * testTimeout); ; {
		select {
		case u := <-p.out:
			p.decode(u)
			if u.State == state {
				return u
			}
		case <-deadline:
			p.t.Fatalf("no unit comes that is %s", state)
		}
	}
}

func (p *post) decode(u *transport.RedactedUnit) {
	p.t.Helper()
	if p.last == nil || p.last.Epoch != u.Epoch {
		require.True(p.t, u.Key)
		require.EqualValues(p.t, 1, u.Seq)
		require.True(p.t, p.last == nil || u.Epoch > p.last.Epoch)
		if p.dec != nil {
			p.dec.Close()
		}
		var err error
		p.dec, err = decode.New(decode.Options{})
		require.NoError(p.t, err)
	} else {
		require.Equal(p.t, p.last.Seq+1, u.Seq)
	}
	require.True(p.t, p.last == nil || u.PTS > p.last.PTS, "time goes back")
	p.last = u
	n := 0
	require.NoError(p.t, p.dec.Decode(u.Data, int64(u.Seq), func(pic decode.Picture) error { //nolint:gosec // small
		n++
		_, err := stamptest.Read(pic.Image)
		require.Equal(p.t, u.State == transport.StateLive, err == nil, "a unit that is %s: %s", u.State, u.Reason)
		return nil
	}))
	require.Equal(p.t, 1, n)
}

// told waits for the event of a fault and returns it.
func (p *post) told(f transport.Fault) transport.Event {
	p.t.Helper()
	for deadline := time.After(2 * testTimeout); ; {
		select {
		case e := <-p.events:
			if e.Fault == f {
				return e
			}
		case <-deadline:
			p.t.Fatalf("no event of fault %s", f)
		}
	}
}

// child returns the process of the redactor, which has restarted itself before it sends
// anything.
func child(t *testing.T) int {
	t.Helper()
	pids, err := filepath.Glob("/proc/[0-9]*/stat")
	require.NoError(t, err)
	for _, path := range pids {
		stat, err := os.ReadFile(path)
		if err != nil || !strings.Contains(string(stat), "(scrim-redactor)") {
			continue
		}
		fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
		if len(fields) > 2 && fields[0] != "Z" && fields[1] == strconv.Itoa(os.Getpid()) {
			pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
			require.NoError(t, err)
			return pid
		}
	}
	t.Fatal("no redactor runs")
	return 0
}

// A real redactor dies or stops in every possible way. Viewers get the slate next, and
// then pictures again. The log shows how soon; the deadlines are tested in package
// camera.
func TestFaultsOfARealRedactorEndInTheSlate(t *testing.T) {
	for _, c := range []struct {
		name   string
		signal syscall.Signal
		fault  transport.Fault
	}{
		{"killed", syscall.SIGKILL, transport.FaultCrash},
		{"abort, as for a C++ exception that nobody catches", syscall.SIGABRT, transport.FaultCrash},
		{"segmentation fault", syscall.SIGSEGV, transport.FaultCrash},
		{"stopped", syscall.SIGSTOP, transport.FaultHang},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := watch(t, func(*ipc.Config) {})
			p.until(transport.StateLive)
			for range 5 {
				p.until(transport.StateLive)
			}
			pid := child(t)
			struck := time.Now()
			require.NoError(t, syscall.Kill(pid, c.signal))
			e := p.told(c.fault)
			require.Equal(t, transport.StateObscured, e.State)
			u := p.until(transport.StateObscured)
			require.True(t, u.Key)
			require.Equal(t, [2]int{width, height}, [2]int{u.Width, u.Height}, "the slate has the camera's size")
			t.Logf("event %v and slate %v after the signal (%s)",
				e.Time.Sub(struck).Round(time.Millisecond), u.Captured.Sub(struck).Round(time.Millisecond), e.Reason)
			p.until(transport.StateLive)
			t.Logf("live again %v after it", time.Since(struck).Round(time.Millisecond))
			require.Positive(t, p.camera.Status().Counters.Faults[c.fault])
			require.Positive(t, p.camera.Status().Counters.Restarts)
		})
	}
}

// A redactor of another build has a different built-in network. It must not pass for one
// that has been measured.
func TestRedactorOfAnotherBuildIsToldApart(t *testing.T) {
	asked := strings.Repeat("0f", 32)
	p := watch(t, func(c *ipc.Config) { c.Detect.ModelName, c.Detect.SHA256 = models.BuiltIn().Name, asked })
	e := p.told(transport.FaultConfig)
	require.Equal(t, transport.StateFailed, e.State)
	require.Contains(t, e.Reason, models.BuiltIn().SHA256)
	require.Contains(t, e.Reason, asked)
	require.Contains(t, e.Reason, "install both of the same")
}

// The program codes slates before it loads a model.
func TestMissingModelEndsInTheSlate(t *testing.T) {
	p := watch(t, func(c *ipc.Config) { c.Detect.Model = filepath.Join(t.TempDir(), "gone.onnx") })
	e := p.told(transport.FaultConfig)
	require.Equal(t, transport.StateFailed, e.State)
	require.Contains(t, e.Reason, "gone.onnx")
	for range 4 {
		p.until(transport.StateObscured)
	}
	require.Equal(t, transport.StateFailed, p.camera.Status().State, "it goes on with that")
}

// away is a camera that is offline.
type away struct{ *post }

func (away) Run(context.Context, func(transport.CameraUnit)) error { return errors.New("no answer") }

// One redactor codes the slates of all offline cameras, starts up, and ends. They have
// no redactors of their own.
func TestCameraThatIsNotThereGetsTheSharedSlate(t *testing.T) {
	p := &post{t: t, events: make(chan transport.Event, 1000), out: make(chan *transport.RedactedUnit, 10000)}
	config := ipc.Config{
		Site: "test", Camera: "door", Obscure: ipc.ObscureConfig{Style: "veil"},
		Detect: ipc.DetectConfig{Size: 640, Threshold: 0.3},
	}
	program, log := realRedactor(t), slog.New(slog.NewTextHandler(&p.log, nil))
	slates := camera.NewSharedSlates(program, nil, config, nil, log)
	c, err := camera.New(camera.Options{
		Redactor: config, Program: program, SharedSlates: slates, Source: away{p}, Sink: p,
		Delay: func(error) time.Duration { return time.Second }, Log: log,
	})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = c.Run(ctx) })
	t.Cleanup(func() {
		cancel()
		running.Wait()
		if p.dec != nil {
			p.dec.Close()
		}
	})
	slates.Run(ctx)
	for range 4 {
		require.Equal(t, "connection to the camera failed", p.until(transport.StateOffline).Reason)
	}
	require.Equal(t, transport.StateOffline, c.Status().State)
	require.Equal(t, transport.FaultCamera, c.Status().Fault)
	require.NotContains(t, p.log.String(), "redactor comes up")
	require.NotContains(t, p.log.String(), "redactor is up")
}
