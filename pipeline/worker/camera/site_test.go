package camera

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"scrim/pipeline/ipc"
	"scrim/transport"
)

// member is one camera of a large site: it sends, refuses every connection, or takes
// it and says nothing.
type member struct {
	kind  string
	begun time.Time
	once  sync.Once
	live  chan time.Duration // when it was first live
	slate chan time.Duration // when it first had a slate
	seen  sync.Once
}

func (m *member) Run(ctx context.Context, onUnit func(transport.CameraUnit)) error {
	switch m.kind {
	case "refuses":
		return errors.New("connection refused")
	case "silent":
		if wait(ctx, 10*time.Second) {
			return errors.New("no answer")
		}
		return ctx.Err()
	}
	for wait(ctx, 200*time.Millisecond) {
		onUnit(transport.CameraUnit{Codec: transport.H264, Captured: time.Now(), Arrived: time.Now(), Data: []byte("picture")})
	}
	return ctx.Err()
}

func (m *member) Publish(u *transport.RedactedUnit) error {
	if u.State == transport.StateLive {
		m.once.Do(func() { m.live <- time.Since(m.begun) })
	} else {
		m.seen.Do(func() { m.slate <- time.Since(m.begun) })
	}
	return nil
}
func (*member) PublishStatus(transport.Status) error { return nil }
func (*member) PublishEvent(transport.Event) error   { return nil }

// A site with 50 of its 64 cameras dead, as after a power cut: the others are live
// within seconds, no redactor is killed, and none is started for the dead.
func TestDeadCamerasDoNotKeepOthersFromStarting(t *testing.T) {
	exe, err := os.Executable()
	require.NoError(t, err)
	log := &lockedBuffer{}
	logger := slog.New(slog.NewTextHandler(log, nil))
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel()
	args := []string{fakeArg, "busy"}
	admission := NewAdmission(runtime.GOMAXPROCS(0) + 1)
	slates := NewSharedSlates(exe, args, ipc.Config{}, admission, logger)
	running.Go(func() { slates.Run(ctx) })
	var good, dead []*member
	for i := range 64 {
		m := &member{begun: time.Now(), live: make(chan time.Duration, 1), slate: make(chan time.Duration, 1)}
		switch {
		case i%4 == 3 && len(good) < 14:
			m.kind = "sends"
			good = append(good, m)
		case i%2 == 0:
			m.kind = "refuses"
			dead = append(dead, m)
		default:
			m.kind = "silent"
			dead = append(dead, m)
		}
		c, err := New(Options{
			Redactor: ipc.Config{Site: "test", Camera: "door"}, Program: exe, Args: args, Admission: admission, SharedSlates: slates,
			Source: m, Sink: m, Delay: func(error) time.Duration { return time.Second }, Log: logger,
		})
		require.NoError(t, err)
		running.Go(func() { _ = c.Run(ctx) })
	}
	longest := func(list []*member, of func(*member) chan time.Duration) (most time.Duration) {
		for _, m := range list {
			select {
			case d := <-of(m):
				most = max(most, d)
			case <-time.After(4 * testTimeout):
				t.Fatalf("a camera that %s does not come up; log:\n%s", m.kind, log)
			}
		}
		return most
	}
	t.Logf("slates of the dead after %v", longest(dead, func(m *member) chan time.Duration { return m.slate }))
	t.Logf("all %d that send are live after %v", len(good), longest(good, func(m *member) chan time.Duration { return m.live }))
	require.Empty(t, logged(log, "; killed"))
	require.Len(t, logged(log, `msg="redactor is up"`), len(good))
}

// A model that nothing can be made of is found although no camera sends anything.
func TestWhatCanNeverWorkIsToldOfADeadCamera(t *testing.T) {
	exe, err := os.Executable()
	require.NoError(t, err)
	for _, mode := range []string{"spares, permanent", "permanent"} {
		args := []string{fakeArg, mode}
		slates := NewSharedSlates(exe, args, ipc.Config{}, nil, slog.New(slog.DiscardHandler))
		var running sync.WaitGroup
		running.Go(func() { slates.Run(t.Context()) })
		s, _, done := beginWith(t, func(o *Options) { o.SharedSlates = slates }, exe, args...)
		require.ErrorIs(t, <-done, ErrPermanent)
		s.event(t, transport.StateFailed, "gone.onnx")
		running.Wait()
	}
}

// slow is a sink that takes a unit when it is told to.
type slow struct {
	*site
	take chan struct{}
}

func (s *slow) Publish(u *transport.RedactedUnit) error {
	<-s.take
	return s.site.Publish(u)
}

func TestCameraIsReadWhileTheBusStands(t *testing.T) {
	exe, err := os.Executable()
	require.NoError(t, err)
	sink := &slow{take: make(chan struct{}, 1000)}
	s, c, _ := beginWith(t, func(o *Options) {
		sink.site = o.Sink.(*site)
		o.Sink = sink
	}, exe, fakeArg, "spares")
	defer close(sink.take)
	sink.take <- struct{}{}
	s.expect(t, "starting 0")
	for range 100 { // each is taken before the next, by a source that waits for that
		s.send(t, "one")
	}
	require.Eventually(t, func() bool { return c.Status().Counters.UnitsIn == 100 }, time.Second, time.Millisecond, "nor does anything else wait")
	for range 1000 - len(sink.take) {
		sink.take <- struct{}{}
	}
	require.Eventually(t, func() bool {
		s.send(t, "two")
		return len(s.all("two")) > 0
	}, testTimeout, 10*time.Millisecond)
}

// all returns what came with the data.
func (s *site) all(data string) (units []*transport.RedactedUnit) {
	for len(s.out) > 0 {
		if u := <-s.out; string(u.Data) == data {
			units = append(units, u)
		}
	}
	return units
}
