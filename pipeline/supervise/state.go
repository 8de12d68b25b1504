package supervise

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"scrim/pipeline/wire"
	"scrim/redact/zone"
	"scrim/transport"
)

const (
	// statusInterval is the time between statuses while nothing changes.
	statusInterval = time.Second
	// fpsWindow is the time over which the rate of pictures is measured.
	fpsWindow = 3 * time.Second
	// maxReason bounds a reason, in characters.
	maxReason = 300
	// maxProtections bounds what is said of a sandbox.
	maxProtections = 16
	// maxEpochs bounds how many epochs one life of a redactor may use.
	maxEpochs = 1 << 20
	// delayStep is what a delay is told in: not every status shall differ.
	delayStep = 50 * time.Millisecond
	// logInterval is the least time between lines about units that could not be
	// sent.
	logInterval = 10 * time.Second
)

// state is what is known of a camera. It is safe for concurrent use.
type state struct {
	c       *Camera
	changed chan struct{}

	mu      sync.Mutex
	s       transport.Status
	story   Chronicle
	delay   time.Duration // from arrival to the sink, smoothed
	reason  string        // why no units come; empty while they do
	unseen  unseen
	notice  string      // see Camera.Notice
	life    wire.Counts // of this life of the redactor
	past    wire.Counts // of those before
	times   []time.Time // of the pictures within fpsWindow
	sendErr time.Time   // when one was last logged
	lost    int         // units that could not be sent since
}

func newState(c *Camera) *state {
	r := c.o.Redactor
	return &state{c: c, changed: make(chan struct{}, 1), story: Chronicle{state: transport.StateStarting}, s: transport.Status{
		Site: r.Site, Camera: r.Camera,
		Style: r.Obscure.Style, Cosmetic: r.Obscure.Cosmetic, Lookahead: r.Lookahead, Source: c.o.ShownSource,
		Ignored: ignored(r.Zones),
	}}
}

// ignored names the zones where no faces are looked for.
func ignored(zones []wire.ZoneConfig) (out []string) {
	for _, z := range zones {
		if z.Kind == string(zone.Ignore) {
			out = append(out, zone.Zone{Name: z.Name, Reason: z.Reason}.String())
		}
	}
	return out
}

func (s *state) snapshot() transport.Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	s.prune(now)
	out := s.s
	out.State, out.Reason, out.Fault = s.story.state, s.story.reason, s.story.fault
	out.Counters.Faults = s.story.Faults()
	out.DelayMS = int(s.delay.Round(delayStep) / time.Millisecond)
	out.FPS = float64(len(s.times)) / fpsWindow.Seconds()
	out.Updated = now
	if s.notice != "" {
		out.Warning = oneLine(strings.TrimPrefix(out.Warning+"; "+s.notice, "; "))
	}
	out.Counters.UnitsDropped += s.past.UnitsDropped + s.life.UnitsDropped
	out.Counters.PicturesDropped = s.past.PicturesDropped + s.life.PicturesDropped
	out.Counters.PicturesWithheld = s.past.PicturesWithheld + s.life.PicturesWithheld
	return out
}

// prune is called with the lock held.
func (s *state) prune(now time.Time) {
	i := 0
	for i < len(s.times) && now.Sub(s.times[i]) > fpsWindow {
		i++
	}
	s.times = slices.Delete(s.times, 0, i)
}

func (s *state) count(f func(*transport.Counters)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f(&s.s.Counters)
}

// input notes why no units come; empty when they come.
func (s *state) input(reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reason = reason
	if reason == "" {
		s.unseen.came = time.Now()
	} else {
		s.unseen.paused()
	}
}

func (s *state) inputReason() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.reason
}

// hello notes that a redactor has come up.
func (s *state) hello(h wire.Hello) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.s.Detector, s.s.Warning = oneLine(h.Detector), oneLine(h.Warning)
	s.s.Sandbox, s.s.SandboxMissing = lines(h.Sandbox.Holding()), lines(h.Sandbox.Missing())
}

func (s *state) notify(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.notice = text
}

// ended adds up what a redactor has counted that has ended.
func (s *state) ended() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.past.UnitsDropped += s.life.UnitsDropped
	s.past.PicturesDropped += s.life.PicturesDropped
	s.past.PicturesWithheld += s.life.PicturesWithheld
	s.life = wire.Counts{}
	s.unseen.paused()
}

// selfTestOf is what a redactor has said of its self-test.
func selfTestOf(t *wire.SelfTest) *transport.SelfTest {
	if t == nil {
		return nil
	}
	return &transport.SelfTest{At: time.Unix(0, t.At), OK: t.Failure == "", Reason: oneLine(t.Failure)}
}

// output notes a redactor's unit; err is why it could not be sent.
func (s *state) output(u *transport.RedactedUnit, o *wire.Output, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	s.life = o.Counts
	s.s.SelfTest = selfTestOf(o.SelfTest)
	n := &s.s.Counters
	if u.State == transport.StateLive {
		n.Pictures++
		n.Regions += uint64(len(u.Regions))
		s.times = append(s.times, now)
		s.prune(now)
		s.late(o.Record.Stages)
		s.seen(now, transport.StateLive, "")
		s.set(now, transport.StateLive, "", "")
	} else {
		reason := u.Reason
		if s.reason != "" {
			reason = s.reason
		}
		n.Slates++
		s.set(now, transport.StateObscured, o.Fault.Known(), reason)
		s.seen(now, transport.StateObscured, o.Fault.Known())
	}
	s.sent(u, err)
}

// late follows the delay of pictures.
func (s *state) late(t wire.Stages) {
	d := time.Duration(t.Queue + t.Decode + t.Wait + t.Detect + t.Track + t.Obscure + t.Encode)
	if d < 0 || d > time.Minute { // clocks were set
		return
	}
	if s.delay == 0 {
		s.delay = d
	}
	s.delay += (d - s.delay) / 8
}

// covered notes a slate of the worker's. A redactor that cannot work is not
// obscured for a while: somebody has to mend it.
func (s *state) covered(u *transport.RedactedUnit, c cover, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.s.Counters.Slates++
	to := transport.StateObscured
	if c.fault == transport.FaultConfig {
		to = transport.StateFailed
	}
	s.set(time.Now(), to, c.fault, c.reason)
	s.sent(u, err)
}

// unshown notes that there is nothing to cover with.
func (s *state) unshown(c cover) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.set(time.Now(), transport.StateFailed, c.fault, c.reason)
}

// sent notes what became of a unit. It is called with the lock held.
func (s *state) sent(u *transport.RedactedUnit, err error) {
	now, n := time.Now(), &s.s.Counters
	s.s.Epoch, s.s.Width, s.s.Height = u.Epoch, u.Width, u.Height
	if err == nil {
		n.BytesOut += uint64(len(u.Data))
		return
	}
	if s.lost++; now.Sub(s.sendErr) >= logInterval {
		s.c.log.Warn("redacted video cannot be sent", "error", err, "units_lost", s.lost)
		s.sendErr, s.lost = now, 0
	}
}

// set is called with the lock held.
func (s *state) set(at time.Time, to transport.State, fault transport.Fault, reason string) {
	if !s.story.Note(at, to, fault, reason) {
		return
	}
	select {
	case s.changed <- struct{}{}:
	default:
	}
}

// events returns what has changed since the last call.
func (s *state) events() []transport.Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	events, lost := s.story.Events()
	if lost > 0 {
		s.c.log.Warn("events were dropped, the camera's state changes too fast", "events", lost)
	}
	return events
}

// report publishes the status every second and on every change, of each of which
// it publishes an event.
func (s *state) report(ctx context.Context) error {
	tick := time.NewTicker(statusInterval)
	defer tick.Stop()
	s.publish()
	for {
		select {
		case <-s.changed:
			s.tell()
		case <-tick.C:
			s.publish()
		case <-ctx.Done():
			return nil
		}
	}
}

// tell publishes what has changed, and then the status.
func (s *state) tell() {
	for _, e := range s.events() {
		e.Site, e.Camera = s.s.Site, s.s.Camera
		s.c.states.line(slog.LevelInfo, "camera's state", "state", e.State, "fault", e.Fault, "reason", e.Reason)
		if err := s.c.o.Sink.PublishEvent(e); err != nil {
			s.c.log.Debug("event cannot be sent", "error", err)
		}
	}
	s.publish()
}

func (s *state) publish() transport.Status {
	now := s.snapshot()
	if err := s.c.o.Sink.PublishStatus(now); err != nil && !errors.Is(err, context.Canceled) {
		s.c.log.Debug("status cannot be sent", "error", err)
	}
	return now
}
