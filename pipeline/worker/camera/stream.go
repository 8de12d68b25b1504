package camera

import (
	"time"

	"scrim/transport"
)

// maxAhead is how far a redactor's clock may be ahead, in units of ClockRate.
const maxAhead = 24 * 60 * 60 * transport.ClockRate

// stream joins the output of several processes, and slates between them, to one stream.
// Epochs increase, sequence numbers have no gaps, PTS increase, and each change of the
// source begins an epoch.
type stream struct {
	camera    string
	lastEpoch uint64 // last that was given to a redactor, or used

	// Of the unit that was published last:
	process      int // 0: it is a slate
	processEpoch uint64
	form         slateForm // if it is a slate
	epoch, seq   uint64
	pts, shift   int64 // shift is added to the process's PTS
	lastAt       time.Time
}

// continueFrom continues a stream that has ended.
func (s *stream) continueFrom(b *stream) {
	s.lastEpoch, s.epoch, s.pts, s.lastAt = b.lastEpoch, b.epoch, b.pts, b.lastAt
}

// nextEpoch returns an epoch that no redactor of this camera has used. That includes
// those before a restart of this program, if the clock is about right.
func (s *stream) nextEpoch(now time.Time) uint64 {
	s.lastEpoch = max(s.lastEpoch+1, uint64(max(now.UnixMilli(), 1))) //nolint:gosec // positive
	return s.lastEpoch
}

// continues reports whether a unit of a process is in the same epoch as the last one.
func (s *stream) continues(maker int, epoch uint64) bool {
	return s.process == maker && s.processEpoch == epoch
}

// appendSlate appends a prepared slate.
func (s *stream) appendSlate(u *transport.RedactedUnit, form slateForm, now time.Time) {
	if s.process != 0 || s.epoch == 0 || s.form != form {
		s.process, s.processEpoch, s.epoch, s.seq, s.form = 0, 0, s.nextEpoch(now), 0, form
	}
	u.PTS = s.ptsAt(now)
	s.append(u, now)
}

// appendOutput appends a redactor's output.
func (s *stream) appendOutput(u *transport.RedactedUnit, maker int, now time.Time) {
	if !s.continues(maker, u.Epoch) {
		s.process, s.processEpoch, s.epoch, s.seq, s.shift = maker, u.Epoch, max(s.epoch+1, u.Epoch), 0, 0
		s.lastEpoch = max(s.lastEpoch, s.epoch)
		if u.PTS <= s.pts {
			s.shift = s.pts + 1 - u.PTS
		}
	}
	u.PTS += s.shift
	if u.PTS < 0 || u.PTS > s.ptsAt(now)+maxAhead { // nothing could follow it
		s.shift += s.pts + 1 - u.PTS
		u.PTS = s.pts + 1
	}
	s.append(u, now)
}

// ptsAt is the PTS of a unit that is made now, even if the wall clock was set.
func (s *stream) ptsAt(now time.Time) int64 {
	if s.lastAt.IsZero() {
		return max(now.UnixMilli()*(transport.ClockRate/1000), 1)
	}
	return s.pts + now.Sub(s.lastAt).Microseconds()*transport.ClockRate/1_000_000
}

// append sets the unit's numbers.
func (s *stream) append(u *transport.RedactedUnit, now time.Time) {
	s.seq++
	u.Camera, u.Rendition = s.camera, transport.MainRendition
	u.Epoch, u.Seq, u.PTS = s.epoch, s.seq, max(u.PTS, s.pts+1)
	s.pts, s.lastAt = u.PTS, now
}
