package camera

import (
	"log/slog"
	"slices"
	"strings"
	"time"

	"scrim/pipeline/ipc"
	"scrim/redact/zone"
	"scrim/transport"
)

const (
	// maxReason bounds a reason, in bytes.
	maxReason = 300
	// maxProtections bounds what is said of a sandbox.
	maxProtections = 16
	// delayStep is what a delay is told in: not every status shall differ.
	delayStep = 50 * time.Millisecond
)

// status is what is told of a camera.
type status struct {
	s             transport.Status
	history       StateHistory
	delay         time.Duration // from arrival to the sink, smoothed
	notice        string        // see Camera.Notice
	counts        ipc.Counts    // of this life of the redactor
	earlierCounts ipc.Counts    // of those before
	shownRate     rateMeter
	arrivedRate   rateMeter
}

func newStatus(r *ipc.Config, source string) status {
	return status{history: StateHistory{state: transport.StateStarting}, s: transport.Status{
		Site: r.Site, Camera: r.Camera,
		Style: r.Obscure.Style, Cosmetic: r.Obscure.Cosmetic, Lookahead: r.Lookahead, Source: source,
		Ignored: ignored(r.Zones),
	}}
}

// ignored names the zones where no faces are looked for.
func ignored(zones []ipc.ZoneConfig) (out []string) {
	for _, z := range zones {
		if z.Kind == string(zone.Ignore) {
			out = append(out, zone.Zone{Name: z.Name, Reason: z.Reason}.String())
		}
	}
	return out
}

// maxTimes is what comes within fpsWindow at transport.MaxFPS.
const maxTimes = transport.MaxFPS * int(fpsWindow/time.Second)

// rateMeter counts what comes within fpsWindow, and not more than maxTimes of it.
type rateMeter struct{ times []time.Time }

func (r *rateMeter) add(now time.Time) {
	if r.prune(now); len(r.times) < maxTimes {
		r.times = append(r.times, now)
	}
}

func (r *rateMeter) prune(now time.Time) {
	i := 0
	for i < len(r.times) && now.Sub(r.times[i]) > fpsWindow {
		i++
	}
	r.times = slices.Delete(r.times, 0, i)
}

// perSecond is the rate.
func (r *rateMeter) perSecond(now time.Time) float64 {
	r.prune(now)
	return float64(len(r.times)) / fpsWindow.Seconds()
}

// at returns the status at a time.
func (s *status) at(now time.Time) transport.Status {
	out := s.s
	out.State, out.Reason, out.Fault = s.history.state, s.history.reason, s.history.fault
	out.Counters.Faults = s.history.Faults()
	out.DelayMS = int(s.delay.Round(delayStep) / time.Millisecond)
	out.FPS, out.ExpectedFPS = s.shownRate.perSecond(now), s.arrivedRate.perSecond(now)
	out.Updated = now
	if s.notice != "" {
		out.Warning = oneLine(strings.TrimPrefix(out.Warning+"; "+s.notice, "; "))
	}
	out.Counters.UnitsDropped += s.earlierCounts.UnitsDropped + s.counts.UnitsDropped
	out.Counters.PicturesDropped = s.earlierCounts.PicturesDropped + s.counts.PicturesDropped
	out.Counters.PicturesWithheld = s.earlierCounts.PicturesWithheld + s.counts.PicturesWithheld
	return out
}

// hello notes that a redactor has come up.
func (s *status) redactorReady(h *ipc.Hello) {
	s.s.Detector, s.s.Warning = oneLine(h.Detector), oneLine(h.Warning)
	s.s.Sandbox, s.s.SandboxMissing = lines(h.Sandbox.Holding()), lines(h.Sandbox.Missing())
}

// ended adds up what a redactor has counted that has ended.
func (s *status) processEnded() {
	s.earlierCounts.UnitsDropped += s.counts.UnitsDropped
	s.earlierCounts.PicturesDropped += s.counts.PicturesDropped
	s.earlierCounts.PicturesWithheld += s.counts.PicturesWithheld
	s.counts = ipc.Counts{}
}

// selfTestOf is what a redactor has said of its self-test.
func selfTestOf(t *ipc.SelfTest) *transport.SelfTest {
	if t == nil {
		return nil
	}
	return &transport.SelfTest{At: time.Unix(0, t.At), OK: t.Failure == "", Reason: oneLine(t.Failure)}
}

// output notes a redactor's unit.
func (s *status) output(now time.Time, u *transport.RedactedUnit, o *ipc.Output) {
	s.counts = o.Counts
	s.s.SelfTest = selfTestOf(o.SelfTest)
	if u.State == transport.StateLive {
		s.s.Counters.Pictures++
		s.s.Counters.Regions += uint64(len(u.Regions))
		s.shownRate.add(now)
		s.trackDelay(o.Record.Stages)
	} else {
		s.s.Counters.Slates++
	}
	s.published(u)
}

// late follows the delay of pictures.
func (s *status) trackDelay(t ipc.Stages) {
	d := time.Duration(t.Queue + t.Decode + t.Wait + t.Detect + t.Track + t.Obscure + t.Encode)
	if d < 0 || d > time.Minute { // clocks were set
		return
	}
	if s.delay == 0 {
		s.delay = d
	}
	s.delay += (d - s.delay) / 8
}

// published notes what goes out.
func (s *status) published(u *transport.RedactedUnit) {
	s.s.Epoch, s.s.Width, s.s.Height = u.Epoch, u.Width, u.Height
}

// reporter says when what is known of a camera is told, and what could not be sent.
type reporter struct {
	enabled bool // somebody takes it
	pending bool // the last report is not taken yet
	last    time.Time
	changed bool

	unitsLost  int // units that could not be sent since that was logged
	lossLogged time.Time
}

// due reports, once in every statusInterval, that it is time to tell the status.
func (r *reporter) due(now time.Time) bool {
	if !r.enabled || now.Sub(r.last) < statusInterval {
		return false
	}
	r.last = now
	return true
}

// lose notes that a unit could not be sent.
func (r *reporter) unitLost(now time.Time, log logger, why string) {
	if r.unitsLost++; now.Sub(r.lossLogged) >= lossInterval {
		log(slog.LevelWarn, "redacted video cannot be sent", "error", why, "units_lost", r.unitsLost)
		r.lossLogged, r.unitsLost = now, 0
	}
}
