package camera

import (
	"fmt"
	"log/slog"
	"slices"
	"time"

	"scrim/transport"
)

// maxLogError bounds an error in the log, in bytes. What it quotes of others was
// bounded where it was quoted; the advice at its end is to be there.
const maxLogError = 1000

// logger is where lines of the log go.
type logger func(level slog.Level, msg string, args ...any)

// connectionOutage logs that a camera, which is tried every second or so, cannot be
// reached, and that it is back.
type connectionOutage struct {
	log      logger
	repeat   repeatLog
	attempts int // since it was logged
}

// failed notes that an attempt has failed, or a connection ended.
func (c *connectionOutage) attemptFailed(now time.Time, reason string, delay time.Duration) {
	c.attempts++
	lasted := c.repeat.markBad(now)
	args := []any{"error", reason, "retry_in", delay.Round(time.Millisecond)}
	if lasted > 0 {
		args = append(args, "away", roughly(lasted), "attempts", c.attempts)
	}
	if !c.repeat.due(now, reason) {
		c.log(slog.LevelDebug, "no video from the camera", args...)
		return
	}
	c.log(slog.LevelWarn, "no video from the camera", args...)
	c.attempts = 0
}

// unit notes that something came of the camera.
func (c *connectionOutage) unitArrived(now time.Time) {
	if lasted, due := c.repeat.markGood(now); due {
		c.log(slog.LevelInfo, "video from the camera again", "away", roughly(lasted))
		c.attempts = 0
	}
}

// roughly is a duration as somebody wants to read it.
func roughly(d time.Duration) time.Duration {
	if d < time.Minute {
		return d.Round(100 * time.Millisecond)
	}
	return d.Round(time.Second)
}

// maxKnown bounds the reasons that are known from other lines of the log.
const maxLoggedReasons = 4

// pictureOutage logs that viewers have had no picture for long, where nothing else in
// the log says why: not every reason is an error of the camera or the end of a redactor.
type pictureOutage struct {
	log           logger
	repeat        repeatLog
	pictures      uint64 // as of the last look
	loggedReasons []loggedReason
}

// knownReason is one that was logged, as a warning or an error.
type loggedReason struct {
	reason string
	until  time.Time // whoever has logged it sees to it
}

// logged notes that somebody else has logged a reason, the one that viewers are told,
// and will try again after a delay.
func (p *pictureOutage) noteLogged(now time.Time, reason string, delay time.Duration) {
	k := loggedReason{reason, now.Add(delay + repairTime)}
	if i := slices.IndexFunc(p.loggedReasons, func(k loggedReason) bool { return k.reason == reason }); i >= 0 {
		p.loggedReasons[i] = k
		return
	}
	if len(p.loggedReasons) >= maxLoggedReasons {
		p.loggedReasons = slices.Delete(p.loggedReasons, 0, 1)
	}
	p.loggedReasons = append(p.loggedReasons, k)
}

// isKnown reports whether there is no need to log a reason.
func (p *pictureOutage) isLogged(now time.Time, reason string) bool {
	return slices.ContainsFunc(p.loggedReasons, func(k loggedReason) bool { return k.reason == reason && now.Before(k.until) })
}

// look looks at what viewers get, every second or so.
func (p *pictureOutage) check(now time.Time, s *transport.Status) {
	pictures := p.pictures
	p.pictures = s.Counters.Pictures
	out := s.State == transport.StateObscured || s.State == transport.StateFailed
	if !out || p.pictures != pictures { // there was one since the last look
		if lasted, due := p.repeat.markGood(now); due {
			p.log(slog.LevelInfo, "viewers get pictures again", "none_for", roughly(lasted))
		}
		if !out {
			return
		}
	}
	lasted := p.repeat.markBad(now)
	if lasted < outageTime || p.isLogged(now, s.Reason) || !p.repeat.due(now, s.Reason) {
		return
	}
	p.log(slog.LevelWarn, "viewers get no picture", "state", s.State, "fault", s.Fault, "reason", s.Reason, "none_for", roughly(lasted))
}

// noPictureError is why a connection was ended from which nothing could be shown.
//
// Quirk (RTSP cameras): one may go on sending what no picture can be made of (another
// SSRC, slices without the key frame that was lost), and no timeout of the connection
// ends that. What counts is what is shown. A camera begins with a key frame when it is
// connected to, so that is what helps, also against whatever else shut the gate.
type noPictureError struct {
	camera, reason string
	after          time.Duration
	own            bool
}

func (e *noPictureError) Error() string {
	advice := "if that happens often, set the camera's key-frame interval to 1 or 2 s and see whether its network is overloaded"
	if e.own {
		advice = "if that does not help, see what its redactor has logged"
	}
	return fmt.Sprintf("camera %s: it sends, and for %v no picture could be shown: %s; connecting anew, for a key frame; %s",
		e.camera, e.after.Round(time.Second), e.reason, advice)
}

func (e *noPictureError) Public() string { return "no picture can be shown: " + e.reason }

// noPicture follows for how long a camera that sends has had no picture shown.
type noPicture struct {
	since    time.Time     // zero: there is no redactor, no input, or it is shown
	lastUnit time.Time     // the last unit
	patience time.Duration // 0: noPictureTime
	ownFault bool          // the last fault was none of what the camera sends
}

func (n *noPicture) shown() { n.since, n.patience = time.Time{}, 0 }

// paused: what is not shown now is no fault of what the camera sends.
func (n *noPicture) reset() { n.since = time.Time{} }

func (n *noPicture) hidden(now time.Time, fault transport.Fault) {
	switch fault {
	case "", transport.FaultCamera, transport.FaultStall, transport.FaultLoss, transport.FaultDamage, transport.FaultFormat:
		n.ownFault = false
	default:
		n.ownFault = true
	}
	if n.since.IsZero() {
		n.since = now
	}
}

// sends reports whether units come.
func (n *noPicture) isSending(now time.Time) bool {
	return !n.lastUnit.IsZero() && now.Sub(n.lastUnit) <= sendingTime
}

// tooLong reports whether it has been for too long, and for how long; the next time it
// takes twice as long.
func (n *noPicture) timedOut(now time.Time, lookahead int) (time.Duration, bool) {
	if !n.isSending(now) {
		n.reset()
	}
	n.patience = max(n.patience, noPictureTime+time.Duration(lookahead)*slowPicture)
	need := n.patience
	if n.ownFault {
		need = max(need, ownFaultTime)
	}
	after := now.Sub(n.since)
	if n.since.IsZero() || after < need {
		return 0, false
	}
	n.patience = max(n.patience, min(2*need, maxNoPictureTime))
	n.reset()
	return after, true
}
