package camera

import (
	"cmp"
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
	// maxProtections bounds how many protections of a sandbox are listed.
	maxProtections = 16
	// delayStep is the unit of delays in statuses, so that not every status differs.
	delayStep = 50 * time.Millisecond
)

// status is what is published about a camera.
type status struct {
	s           transport.Status
	history     StateHistory
	coveredBy   transport.CoveredBy
	blind       blindTime
	sight       sightReport
	delay       time.Duration // from arrival to output, smoothed
	notice      string        // see Camera.Notice
	counts      ipc.Counts    // of the current redactor; those of earlier ones are in s
	shownRate   rateMeter
	arrivedRate rateMeter
}

func newStatus(r *ipc.Config, source string) status {
	var ignored []string // zones
	for _, z := range r.Zones {
		if z.Kind == zone.Ignore {
			ignored = append(ignored, z.String())
		}
	}
	return status{history: StateHistory{state: transport.StateStarting}, s: transport.Status{
		Site: r.Site, Camera: r.Camera, Style: r.Obscure.Style, Cosmetic: r.Obscure.Cosmetic,
		Lookahead: r.Lookahead, Source: source, Ignored: ignored,
	}}
}

// maxTimes is how many events fit into fpsWindow at transport.MaxFPS.
const maxTimes = transport.MaxFPS * int(fpsWindow/time.Second)

// rateMeter measures a rate over fpsWindow. It counts at most maxTimes events.
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

func (r *rateMeter) perSecond(now time.Time) float64 {
	r.prune(now)
	return float64(len(r.times)) / fpsWindow.Seconds()
}

// at returns the status at a time.
func (s *status) at(now time.Time) transport.Status {
	out := s.s
	out.State, out.Reason, out.Fault, out.CoveredBy = s.history.state, s.history.reason, s.history.fault, s.coveredBy
	out.Counters.Faults = s.history.Faults()
	out.Counters.BlindSeconds, out.BlindLastDay = s.blind.seconds(), s.blind.lastDay(now)
	if out.Sight = s.sight.at(now); out.Sight != nil && out.Sight.Warning != "" {
		warn(&out, out.Sight.Warning)
	}
	if out.NeedIsRisky() {
		warn(&out, transport.RiskyNeedText)
	}
	out.DelayMS = int(s.delay.Round(delayStep) / time.Millisecond)
	out.FPS, out.ExpectedFPS = s.shownRate.perSecond(now), s.arrivedRate.perSecond(now)
	out.Updated = now
	if s.notice != "" {
		warn(&out, s.notice)
	}
	addCounts(&out.Counters, s.counts)
	return out
}

// warn adds a warning to a status.
func warn(s *transport.Status, text string) {
	s.Warning = oneLine(strings.TrimPrefix(s.Warning+"; "+text, "; "))
}

func (s *status) redactorReady(h *ipc.Hello) {
	s.s.Detector, s.s.Warning = oneLine(h.Detector), oneLine(h.Warning)
	s.s.Sandbox, s.s.SandboxMissing = lines(h.Sandbox.Holding()), lines(h.Sandbox.Missing())
}

func addCounts(to *transport.Counters, c ipc.Counts) {
	to.UnitsDropped += c.UnitsDropped
	to.PicturesDropped += c.PicturesDropped
	to.PicturesWithheld += c.PicturesWithheld
}

// processEnded keeps the counts of a redactor that has ended.
func (s *status) processEnded() {
	addCounts(&s.s.Counters, s.counts)
	s.counts = ipc.Counts{}
}

// output notes a redactor's output.
func (s *status) output(now time.Time, u *transport.RedactedUnit, o *ipc.Output) {
	s.counts = o.Counts
	s.s.SelfTest = nil
	if t := o.SelfTest; t != nil {
		s.s.SelfTest = &transport.SelfTest{At: time.Unix(0, t.At), OK: t.Failure == "", Reason: oneLine(t.Failure)}
	}
	if o.Record != nil {
		s.s.Counters.Pictures++
		s.s.Counters.Regions += uint64(len(u.Regions))
		s.shownRate.add(now)
		s.trackDelay(o.Record.Stages)
	} else {
		s.s.Counters.Slates++
	}
	s.published(u)
}

func (s *status) trackDelay(t ipc.Stages) {
	d := time.Duration(t.Queue + t.Decode + t.Wait + t.Detect + t.Track + t.Obscure + t.Encode)
	if d < 0 || d > time.Minute { // a clock was set
		return
	}
	s.delay = cmp.Or(s.delay, d)
	s.delay += (d - s.delay) / 8
}

func (s *status) published(u *transport.RedactedUnit) {
	s.s.Epoch, s.s.Width, s.s.Height = u.Epoch, u.Width, u.Height
}

// reporter decides when the status is published, and when losses are logged.
type reporter struct {
	enabled bool // somebody accepts reports
	pending bool // the last report is not accepted yet
	changed bool // the state
	last    time.Time

	unitsLost  int // since that was logged
	lossLogged time.Time
}

// due reports, once in every statusInterval, that the status is due.
func (r *reporter) due(now time.Time) bool {
	if !r.enabled || now.Sub(r.last) < statusInterval {
		return false
	}
	r.last = now
	return true
}

// unitLost notes that a unit could not be sent.
func (r *reporter) unitLost(now time.Time, log logger, why string) {
	if r.unitsLost++; now.Sub(r.lossLogged) >= lossInterval {
		log(slog.LevelWarn, "redacted video cannot be sent", "error", why, "units_lost", r.unitsLost)
		r.lossLogged, r.unitsLost = now, 0
	}
}
