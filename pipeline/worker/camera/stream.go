package camera

import (
	"time"

	"scrim/transport"
)

// maxAhead is by how much a redactor's clock may be ahead, in ticks.
const maxAhead = 24 * 60 * 60 * transport.ClockRate

// stream makes one stream of what several have made: one redactor, the next, and
// slates between them. Epochs grow, numbers have no gaps, time goes on, and a change
// from one to the other is a new epoch.
type stream struct {
	camera    string
	lastEpoch uint64 // epoch that was given to a redactor or used

	// Of what was published last: who made it, its numbers, and when.
	process      int // the number of a process; 0: a slate
	processEpoch uint64
	form         slateForm // of the slate that was published last
	epoch, seq   uint64
	pts, shift   int64 // shift is added to the maker's
	lastAt       time.Time
}

// follow goes on where another stream has ended.
func (s *stream) continueFrom(b *stream) {
	s.lastEpoch, s.epoch, s.pts, s.lastAt = b.lastEpoch, b.epoch, b.pts, b.lastAt
}

// nextEpoch returns an epoch that no redactor of this camera has used, also
// before a restart of this program, as long as the clock is about right.
func (s *stream) nextEpoch(now time.Time) uint64 {
	s.lastEpoch = max(s.lastEpoch+1, uint64(max(now.UnixMilli(), 1))) //nolint:gosec // positive
	return s.lastEpoch
}

// continues reports whether a unit of a maker goes on from the last one.
func (s *stream) continues(maker int, epoch uint64) bool {
	return s.process == maker && s.processEpoch == epoch
}

// slate appends a slate.
func (s *stream) appendSlate(u *transport.RedactedUnit, form slateForm, now time.Time) {
	if s.process != 0 || s.epoch == 0 || s.form != form {
		s.process, s.processEpoch, s.epoch, s.seq, s.form = 0, 0, s.nextEpoch(now), 0, form
	}
	u.PTS = s.ptsAt(now)
	s.append(u, now)
}

// made appends what a redactor has made.
func (s *stream) appendOutput(u *transport.RedactedUnit, maker int, now time.Time) {
	if !s.continues(maker, u.Epoch) {
		s.process, s.processEpoch, s.epoch, s.seq, s.shift = maker, u.Epoch, max(s.epoch+1, u.Epoch), 0, 0
		s.lastEpoch = max(s.lastEpoch, s.epoch)
		if u.PTS <= s.pts {
			s.shift = s.pts + 1 - u.PTS
		}
	}
	u.PTS += s.shift
	if u.PTS < 0 || u.PTS > s.ptsAt(now)+maxAhead { // else nothing could come after it
		s.shift += s.pts + 1 - u.PTS
		u.PTS = s.pts + 1
	}
	s.append(u, now)
}

// due is the PTS of what is made now, however the wall clock was set meanwhile.
func (s *stream) ptsAt(now time.Time) int64 {
	if s.lastAt.IsZero() {
		return max(now.UnixMilli()*(transport.ClockRate/1000), 1)
	}
	return s.pts + now.Sub(s.lastAt).Microseconds()*transport.ClockRate/1_000_000
}

// append gives a unit its numbers.
func (s *stream) append(u *transport.RedactedUnit, now time.Time) {
	s.seq++
	u.Camera, u.Rendition = s.camera, transport.MainRendition
	u.Epoch, u.Seq, u.PTS = s.epoch, s.seq, max(u.PTS, s.pts+1)
	s.pts, s.lastAt = u.PTS, now
}
