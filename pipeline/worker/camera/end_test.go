package camera

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"scrim/pipeline/ipc"
	"scrim/redact/geom"
	"scrim/transport"
)

const testTimeout = 30 * time.Second

// site is source and sink of a camera in a test.
type site struct {
	units  chan transport.CameraUnit
	fail   chan error
	out    chan *transport.RedactedUnit
	events chan transport.Event
	log    *lockedBuffer
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func (s *site) Run(ctx context.Context, onUnit func(transport.CameraUnit)) error {
	for {
		select {
		case u := <-s.units:
			onUnit(u)
		case err := <-s.fail:
			return err
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (s *site) Publish(u *transport.RedactedUnit) error { s.out <- u; return nil }
func (s *site) PublishStatus(transport.Status) error    { return errors.New("no connection") }
func (s *site) PublishEvent(e transport.Event) error    { s.events <- e; return nil }

// begin runs a camera whose redactor is the fake one; it ends with the test.
func begin(t *testing.T, mode string) (*site, *Camera, <-chan error) {
	t.Helper()
	exe, err := os.Executable()
	require.NoError(t, err)
	return beginProgram(t, exe, fakeArg, mode)
}

func beginProgram(t *testing.T, program string, args ...string) (*site, *Camera, <-chan error) {
	t.Helper()
	return beginWith(t, func(*Options) {}, program, args...)
}

func beginWith(t *testing.T, change func(*Options), program string, args ...string) (*site, *Camera, <-chan error) {
	t.Helper()
	s := &site{
		units: make(chan transport.CameraUnit), fail: make(chan error),
		out: make(chan *transport.RedactedUnit, 10000), events: make(chan transport.Event, 1000), log: &lockedBuffer{},
	}
	o := Options{
		Redactor: ipc.Config{Site: "test", Camera: "door", Obscure: ipc.ObscureConfig{Style: "veil"}},
		Program:  program, Args: args,
		Source: s, Sink: s, Delay: func(error) time.Duration { return time.Millisecond },
		Log: slog.New(slog.NewTextHandler(s.log, nil)),
	}
	change(&o)
	c, err := New(o)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	ended := make(chan struct{})
	go func() {
		done <- c.Run(ctx)
		close(ended)
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
	})
	return s, c, done
}

func (s *site) send(t *testing.T, data string) {
	t.Helper()
	select {
	case s.units <- transport.CameraUnit{Codec: transport.H264, Captured: time.Now(), Arrived: time.Now(), Data: []byte(data)}:
	case <-time.After(testTimeout):
		t.Fatal("camera takes no units")
	}
}

// expect waits for an output with the data.
func (s *site) expect(t *testing.T, data string) *transport.RedactedUnit {
	t.Helper()
	for deadline := time.After(testTimeout); ; {
		select {
		case u := <-s.out:
			if string(u.Data) == data {
				return u
			}
			t.Logf("got %q", u.Data)
		case <-deadline:
			t.Fatalf("no output %q; log:\n%s", data, s.log)
		}
	}
}

func (s *site) event(t *testing.T, state transport.State, reason string) transport.Event {
	t.Helper()
	for deadline := time.After(testTimeout); ; {
		select {
		case e := <-s.events:
			if e.State == state && strings.Contains(e.Reason, reason) {
				return e
			}
		case <-deadline:
			t.Fatalf("no event %s %q; log:\n%s", state, reason, s.log)
			return transport.Event{}
		}
	}
}

func TestUnitsGoThroughTheRedactorAndCarryItsRecord(t *testing.T) {
	s, c, _ := begin(t, "good")
	s.send(t, "one")
	u := s.expect(t, "one after redactor restarted true")
	require.Equal(t, "door", u.Camera)
	require.Equal(t, transport.StateLive, u.State)
	require.Equal(t, []geom.Region{
		{Rect: image.Rect(1, 2, 4, 6), Face: geom.Box{X: 1.5, Y: 2.5, W: 1, H: 2}, Score: 0.5, Source: "detected", Track: 1},
	}, u.Regions)
	s.send(t, "two")
	s.expect(t, "two")
	s.event(t, transport.StateLive, "")
	require.Eventually(t, func() bool { return c.Status().Counters.Pictures == 2 }, testTimeout, time.Millisecond)
	got := c.Status()
	require.Equal(t, uint64(2), got.Counters.UnitsIn)
	require.Equal(t, "only a test", got.Warning)
	require.Equal(t, "fake MALLOC_ARENA_MAX=2,GOTRACEBACK=single", got.Detector, "the redactor's environment")
	require.Equal(t, 64, got.Width)
	require.Positive(t, got.FPS)
	c.Keyframe()
	require.Equal(t, "key frame", s.expect(t, "slate").Reason)
}

func TestRedactorThatBreaksIsReplacedWithALaterEpoch(t *testing.T) {
	const protocol = "redactor violated the protocol; killed: "
	const exception = "terminate called after throwing an instance of 'std::bad_alloc', what(): std::bad_alloc, SIGABRT: abort"
	for order, says := range map[string]struct{ viewers, log string }{
		"crash": {"redactor exited with status 134", "redactor exited with status 134"},
		"segmentation fault": {"redactor exited with status 2 after SIGSEGV",
			"redactor exited with status 2 after SIGSEGV: SIGSEGV: segmentation violation; see its log above"},
		"killed": {"redactor killed by signal SIGKILL", "redactor killed by signal SIGKILL; perhaps the machine is out of memory"},
		"exception": {"redactor exited with status 2: out of memory",
			"redactor exited with status 2: out of memory: " + exception + "; see its log above"},
		"garbage":             {protocol, protocol},
		"wrong epoch":         {protocol, protocol},
		"live without record": {protocol, protocol},
	} {
		t.Run(order, func(t *testing.T) {
			t.Parallel()
			s, c, _ := begin(t, "good")
			s.send(t, "before")
			before := s.expect(t, "before after redactor restarted true")
			s.send(t, order)
			e := s.event(t, transport.StateFailed, says.viewers)
			if says.viewers != protocol {
				require.Equal(t, says.viewers, e.Reason)
				require.Eventually(t, func() bool { return strings.Contains(s.log.String(), `error="`+says.log+`" restart_in=`) },
					testTimeout, time.Millisecond, s.log)
			}
			s.send(t, "after")
			after := s.expect(t, "after after redactor restarted true")
			require.Greater(t, after.Epoch, before.Epoch)
			require.Equal(t, uint64(1), c.Status().Counters.Restarts)
		})
	}
}

func TestRedactorThatHangsIsKilled(t *testing.T) {
	t.Parallel()
	s, _, _ := begin(t, "good")
	s.send(t, "before")
	s.expect(t, "before after redactor restarted true")
	s.send(t, "hang")
	s.event(t, transport.StateFailed, "sent nothing")
	s.send(t, "after")
	s.expect(t, "after after redactor restarted true")
}

func TestCameraThatFailsIsTriedAgainAndTheSlateSaysWhy(t *testing.T) {
	s, c, _ := begin(t, "good")
	s.send(t, "one")
	s.expect(t, "one after redactor restarted true")
	s.fail <- fmt.Errorf("wrapped: %w", refusal{})
	u := s.expect(t, "slate")
	require.Equal(t, transport.StateOffline, u.State)
	require.Equal(t, "wrong password", u.Reason)
	s.event(t, transport.StateOffline, "wrong password")
	require.Equal(t, "wrong password", c.Status().Reason)
	require.Contains(t, s.log.String(), `error="wrapped: camera door: rtsp://10.0.0.7/s3cret refuses: check the password"`)
	s.send(t, "two")
	s.expect(t, "two")
	require.Equal(t, uint64(1), c.Status().Counters.Reconnects)
	require.Eventually(t, func() bool { return c.Status().State == transport.StateLive }, testTimeout, time.Millisecond, "which is noted once the unit is sent")
}

// refusal is an error that says what may be shown of it.
type refusal struct{}

func (refusal) Error() string {
	return "camera door: rtsp://10.0.0.7/s3cret refuses:\ncheck the password"
}
func (refusal) Public() string { return "wrong\npassword" }

func TestViewersAreNotToldWhatIsForTheLog(t *testing.T) {
	s, c, _ := begin(t, "good")
	s.send(t, "one")
	s.expect(t, "one after redactor restarted true")
	s.fail <- errors.New("rtsp://10.0.0.7/s3cret: no answer")
	require.Equal(t, "connection to the camera failed", s.expect(t, "slate").Reason)
	s.event(t, transport.StateOffline, "connection to the camera failed")
	require.Equal(t, "connection to the camera failed", c.Status().Reason)
	require.Contains(t, s.log.String(), `error="rtsp://10.0.0.7/s3cret: no answer"`)
	s.send(t, "two")
	s.expect(t, "two")
	s.fail <- nil
	require.Equal(t, "connection to the camera ended", s.expect(t, "slate").Reason)
}

func TestWhatCanNeverWorkEndsRun(t *testing.T) {
	s, c, done := begin(t, "permanent")
	err := <-done
	require.ErrorIs(t, err, ErrPermanent)
	require.ErrorContains(t, err, "camera door: cannot work as configured: model gone.onnx is missing")
	s.event(t, transport.StateFailed, "gone.onnx")

	ctx, cancel := context.WithCancel(t.Context())
	reported := make(chan struct{})
	go func() {
		defer close(reported)
		c.ReportFailed(ctx)
	}()
	cancel()
	<-reported
	require.Equal(t, transport.StateFailed, c.Status().State)
	_, err = New(Options{})
	require.Error(t, err)
	_, _, done = beginProgram(t, "/nonexistent/scrim-redactor")
	err = <-done
	require.ErrorIs(t, err, ErrPermanent)
	require.ErrorContains(t, err, "/nonexistent/scrim-redactor")
}

func TestRedactorThatFailsForNowIsTriedAgain(t *testing.T) {
	for mode, says := range map[string]string{"failing": "gone.onnx", "impolite": "violated the protocol"} {
		s, c, _ := begin(t, mode)
		s.event(t, transport.StateFailed, says)
		require.Eventually(t, func() bool { return c.Status().Counters.Restarts > 1 }, testTimeout, time.Millisecond)
	}
}

func TestQueueDropsWholeAndSaysSo(t *testing.T) {
	q := &queue{}
	q.pushCommand(ipc.TypeKeyframe, ipc.Keyframe{})
	dropped := 0
	for range maxQueuedUnits + 1 {
		dropped += q.pushUnit(transport.CameraUnit{Data: []byte{1}})
	}
	require.Equal(t, maxQueuedUnits, dropped)
	for range 100 {
		q.pushCommand(ipc.TypeKeyframe, ipc.Keyframe{})
	}
	it, ok := q.pop()
	require.True(t, ok)
	require.Equal(t, ipc.TypeKeyframe, it.kind, "a command survives")
	it, ok = q.pop()
	require.True(t, ok)
	require.Equal(t, gapLate, it.head.(transport.CameraUnit).Gap)
	n := 0
	for ; ok; n++ {
		_, ok = q.pop()
	}
	require.Equal(t, 2, n, "the command, and the end")

	big := make([]byte, transport.MaxUnitBytes)
	for range 5 {
		q.pushUnit(transport.CameraUnit{Data: big})
	}
	require.LessOrEqual(t, q.bytes, maxQueuedBytes)
	// What the source says of a unit stays said.
	q = &queue{}
	q.restart()
	q.pushUnit(transport.CameraUnit{Codec: transport.H265, Gap: transport.Gap{Kind: transport.GapLoss, Text: "packet loss"}})
	it, _ = q.pop()
	require.Equal(t, transport.H265, it.head.(transport.CameraUnit).Codec)
	require.Equal(t, "packet loss", it.head.(transport.CameraUnit).Gap.Text)
	require.False(t, it.head.(transport.CameraUnit).Gap.Intact)
}

// No command is lost, however many come while no redactor reads, above all no
// fence: behind a lost one nothing would ever be shown.
func TestCommandsThatWaitAreMergedAndKeepTheirPlace(t *testing.T) {
	q := &queue{}
	heads := func() (all []any) {
		for it, ok := q.pop(); ok; it, ok = q.pop() {
			if all = append(all, it.head); it.kind == ipc.TypeUnit {
				all[len(all)-1] = string(it.body)
			}
		}
		return all
	}
	unit := func(data string) int { return q.pushUnit(transport.CameraUnit{Data: []byte(data)}) }
	commands := func(fence uint64, reason string) {
		for range 50 {
			q.pushCommand(ipc.TypeKeyframe, ipc.Keyframe{})
			q.pushCommand(ipc.TypeInput, ipc.Input{Reason: "before " + reason})
		}
		q.pushCommand(ipc.TypeKeyframe, ipc.Keyframe{Fence: fence})
		q.pushCommand(ipc.TypeInput, ipc.Input{Reason: reason})
		q.pushCommand(ipc.TypeKeyframe, ipc.Keyframe{})
	}
	commands(3, "one")
	unit("a")
	commands(4, "two")
	require.Equal(t, []any{
		ipc.Keyframe{Fence: 3}, ipc.Input{Reason: "one"}, "a", ipc.Keyframe{Fence: 4}, ipc.Input{Reason: "two"},
	}, heads())

	commands(6, "three")
	for n := 0; n == 0; n = unit("b") {
		commands(5, "four")
	}
	commands(0, "five")
	require.Equal(t, []any{ipc.Keyframe{Fence: 6}, ipc.Input{Reason: "four"}, "b", ipc.Keyframe{}, ipc.Input{Reason: "five"}}, heads())
}
