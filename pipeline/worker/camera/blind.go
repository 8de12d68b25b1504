package camera

import (
	"cmp"
	"log/slog"
	"maps"
	"math"
	"time"

	"scrim/transport"
)

// unproved returns why the detector may not see what viewers are shown, or would be; empty:
// it sees, or nothing is known.
func (m *machine) unproved() transport.BlindReason {
	if m.fallback() != nil || m.input.offline(m.now) != "" {
		return ""
	}
	return m.view.unproved
}

// coveredBy returns what hides people in the redactor's output. The redactor decides that
// by the same settings: see redact.Redactor.
func (m *machine) coveredBy() transport.CoveredBy {
	cover := transport.CoveredBy(cmp.Or(m.config.Cover.Mode, string(transport.CoveredByFaces)))
	whenBlind := transport.CoveredBy(cmp.Or(m.config.Sight.WhenBlind, string(transport.CoveredByMotion)))
	switch v := &m.view; {
	case !v.picture:
		return transport.CoveredBySlate
	case v.unproved != "" && whenBlind == transport.CoveredByMotion:
		return transport.CoveredByMotion
	}
	return cover
}

// blindness logs that a camera is blind, and that it sees again.
type blindness struct {
	log    logger
	repeat repeatLog
}

// checkBlindness is called at changes of state, and every second or so. A camera that is
// not blind need not see: it may be offline.
func (m *machine) checkBlindness() {
	b, reason := &m.blindness, m.status.history.reason
	switch m.status.history.state {
	case transport.StateBlind:
		lasted := b.repeat.markBad(m.now)
		if !b.repeat.due(m.now, reason) {
			return
		}
		args := []any{"reason", reason, "covered_by", m.status.coveredBy}
		if lasted > 0 {
			args = append(args, "blind_for", roughly(lasted))
		}
		b.log(slog.LevelWarn, "camera is blind: the detector may miss faces in its pictures", args...)
	case transport.StateLive:
		if lasted, due := b.repeat.markGood(m.now); due {
			b.log(slog.LevelInfo, "camera sees again", "blind_for", roughly(lasted))
		}
	}
}

const (
	// The last day is kept in parts, which leave it one by one.
	dayLength = 24 * time.Hour
	dayPart   = 15 * time.Minute
	dayParts  = int(dayLength / dayPart)
	// blindStep is the unit of a day's seconds in statuses, so that not every status
	// differs.
	blindStep = 10 * time.Second
)

// blindSums are durations by reason.
type blindSums map[transport.BlindReason]time.Duration

// blindTime adds up for how long it was not proved that the detector sees, by reason: in
// all, and in each part of the last day. Its owner gives it the time.
type blindTime struct {
	at    time.Time // up to which the time was counted
	total blindSums
	parts [dayParts]blindPart
}

// blindPart is a part of a day.
type blindPart struct {
	number int64 // since 1970
	sums   blindSums
}

// partNumber returns the number of the part that a time is in.
func partNumber(at time.Time) int64 { return at.Unix() / int64(dayPart/time.Second) }

// continueFrom takes over the last day of a camera that has ended.
func (b *blindTime) continueFrom(before *blindTime) { b.parts = before.parts }

// pass counts the time that has passed, for which the reason was this one; empty: none.
func (b *blindTime) pass(now time.Time, reason transport.BlindReason) {
	passed := now.Sub(b.at)
	if b.at.IsZero() {
		passed = 0
	}
	b.at = now
	if reason == "" || passed <= 0 {
		return
	}
	if b.total == nil {
		b.total = make(blindSums)
	}
	b.total[reason] += passed
	number := partNumber(now)
	part := &b.parts[number%int64(dayParts)]
	if part.number != number || part.sums == nil {
		*part = blindPart{number, make(blindSums)}
	}
	part.sums[reason] += passed
}

// seconds returns the seconds in all; nil: there are none.
func (b *blindTime) seconds() map[transport.BlindReason]float64 {
	return inSeconds(b.total, time.Millisecond)
}

// lastDay returns the seconds of the last day, to the part; nil: there are none.
func (b *blindTime) lastDay(now time.Time) map[transport.BlindReason]float64 {
	var sums blindSums
	for i := range b.parts {
		if p := &b.parts[i]; len(p.sums) > 0 && p.number > partNumber(now)-int64(dayParts) {
			if sums == nil {
				sums = maps.Clone(p.sums)
				continue
			}
			for reason, d := range p.sums {
				sums[reason] += d
			}
		}
	}
	return inSeconds(sums, blindStep)
}

// inSeconds returns durations in seconds, rounded up to a step: none that is there becomes 0.
func inSeconds(sums blindSums, step time.Duration) map[transport.BlindReason]float64 {
	if len(sums) == 0 {
		return nil
	}
	out := make(map[transport.BlindReason]float64, len(sums))
	for reason, d := range sums {
		out[reason] = math.Ceil(float64(d)/float64(step)) * step.Seconds()
	}
	return out
}
