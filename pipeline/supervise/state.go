package supervise

import (
	"context"
	"errors"
	"image"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"

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
	// maxEpochs bounds how many epochs one life of a redactor may use.
	maxEpochs = 1 << 20
	// quiet is how long a redactor may send nothing before viewers are told.
	quiet = 2 * time.Second
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
	reason  string      // why no units come; empty while they do
	life    wire.Counts // of this life of the redactor
	past    wire.Counts // of those before
	times   []time.Time // of the pictures within fpsWindow
	sendErr time.Time   // when one was last logged
	lost    int         // units that could not be sent since
	heard   time.Time   // when the redactor last sent something
}

func newState(c *Camera) *state {
	r := c.o.Redactor
	return &state{c: c, changed: make(chan struct{}, 1), s: transport.Status{
		Site: r.Site, Camera: r.Camera, State: transport.StateStarting,
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
	out.FPS = float64(len(s.times)) / fpsWindow.Seconds()
	out.Updated = now
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
	s.set(transport.StateStarting, "")
}

// failed notes that the redactor has ended.
func (s *state) failed(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.past.UnitsDropped += s.life.UnitsDropped
	s.past.PicturesDropped += s.life.PicturesDropped
	s.past.PicturesWithheld += s.life.PicturesWithheld
	s.life = wire.Counts{}
	s.set(transport.StateFailed, oneLine(err.Error()))
}

// selfTestOf is what a redactor has said of its self-test.
func selfTestOf(t *wire.SelfTest) *transport.SelfTest {
	if t == nil {
		return nil
	}
	return &transport.SelfTest{At: time.Unix(0, t.At), OK: t.Failure == "", Reason: oneLine(t.Failure)}
}

// output notes a unit; err is why it could not be sent.
func (s *state) output(u *transport.RedactedUnit, counts wire.Counts, selfTest *transport.SelfTest, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	s.heard = now
	s.s.Epoch, s.s.Width, s.s.Height = u.Epoch, u.Width, u.Height
	s.life = counts
	s.s.SelfTest = selfTest
	n := &s.s.Counters
	if u.State == transport.StateLive {
		n.Pictures++
		n.Regions += uint64(len(u.Regions))
		s.times = append(s.times, now)
		s.prune(now)
		s.set(transport.StateLive, "")
	} else {
		n.Slates++
		reason := u.Reason
		if s.reason != "" {
			reason = s.reason
		}
		s.set(transport.StateObscured, reason)
	}
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
func (s *state) set(to transport.State, reason string) {
	if s.s.State == to && s.s.Reason == reason {
		return
	}
	s.s.State, s.s.Reason = to, reason
	select {
	case s.changed <- struct{}{}:
	default:
	}
}

// report publishes the status every second, and with an event on every change.
func (s *state) report(ctx context.Context) error {
	tick := time.NewTicker(statusInterval)
	defer tick.Stop()
	s.publish()
	for {
		select {
		case <-s.changed:
			now := s.publish()
			s.c.log.Info("camera's state", "state", now.State, "reason", now.Reason)
			err := s.c.o.Sink.PublishEvent(transport.Event{
				Site: now.Site, Camera: now.Camera, Time: now.Updated, State: now.State, Reason: now.Reason,
			})
			if err != nil {
				s.c.log.Debug("event cannot be sent", "error", err)
			}
		case now := <-tick.C:
			s.listen(now)
			s.publish()
		case <-ctx.Done():
			return nil
		}
	}
}

// listen notes that a redactor sends nothing although it lives.
func (s *state) listen(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if (s.s.State == transport.StateLive || s.s.State == transport.StateObscured) && now.Sub(s.heard) > quiet {
		s.set(transport.StateFailed, "redactor sends nothing")
	}
}

func (s *state) publish() transport.Status {
	now := s.snapshot()
	if err := s.c.o.Sink.PublishStatus(now); err != nil && !errors.Is(err, context.Canceled) {
		s.c.log.Debug("status cannot be sent", "error", err)
	}
	return now
}

func regions(in []wire.Region) []transport.Region {
	out := make([]transport.Region, 0, len(in))
	for _, r := range in {
		out = append(out, transport.Region{
			Rect: image.Rect(r.Rect[0], r.Rect[1], r.Rect[0]+r.Rect[2], r.Rect[1]+r.Rect[3]),
			Face: transport.Box(r.Face), Score: r.Score, Source: r.Source, Track: r.Track,
		})
	}
	return out
}

// oneLine makes one bounded line of what another process, or a camera through
// it, has said.
func oneLine(text string) string {
	text = strings.Join(strings.FieldsFunc(text, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) }), " ")
	if r := []rune(text); len(r) > maxReason {
		return string(r[:maxReason-1]) + "…"
	}
	return text
}
