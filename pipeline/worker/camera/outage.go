package camera

import (
	"fmt"
	"log/slog"
	"time"

	"scrim/transport"
)

// maxLogError bounds an error in the log, in bytes. Whatever it quotes is bounded already;
// the advice at its end must be there.
const maxLogError = 1000

// logger is where log lines go.
type logger func(level slog.Level, msg string, args ...any)

// connectionOutage logs that a camera, which is tried again every second or so, cannot be
// reached, and that it is back.
type connectionOutage struct {
	log      logger
	repeat   repeatLog
	attempts int // since it was logged
}

// attemptFailed notes that an attempt to connect failed, or that a connection ended.
func (c *connectionOutage) attemptFailed(now time.Time, reason string, delay time.Duration) {
	c.attempts++
	lasted := c.repeat.markBad(now)
	args := []any{"error", reason, "retry_in", delay.Round(time.Millisecond)}
	if lasted > 0 {
		args = append(args, "away", roughly(lasted), "attempts", c.attempts)
	}
	level := c.repeat.level(now, reason)
	if level == slog.LevelWarn {
		c.attempts = 0
	}
	c.log(level, "no video from the camera", args...)
}

func (c *connectionOutage) unitArrived(now time.Time) {
	if lasted, due := c.repeat.markGood(now); due {
		c.log(slog.LevelInfo, "video from the camera again", "away", roughly(lasted))
		c.attempts = 0
	}
}

// roughly rounds a duration for people.
func roughly(d time.Duration) time.Duration {
	if d < time.Minute {
		return d.Round(100 * time.Millisecond)
	}
	return d.Round(time.Second)
}

// pictureOutage logs that viewers have had no live picture for long, where no other line
// of the log says why: not every reason is an error of the camera or the end of a
// redactor.
type pictureOutage struct {
	log      logger
	repeat   repeatLog
	pictures uint64 // as of the last check
	// logged is the reason, as viewers get it, that another line gave last. Until then,
	// its logger tries to repair it.
	logged      string
	loggedUntil time.Time
}

// noteLogged notes that another line gives a reason, and that there is another attempt
// after the delay.
func (p *pictureOutage) noteLogged(now time.Time, reason string, delay time.Duration) {
	p.logged, p.loggedUntil = reason, now.Add(delay+repairTime)
}

func (p *pictureOutage) isLogged(now time.Time, reason string) bool {
	return reason == p.logged && now.Before(p.loggedUntil)
}

// check is called with the status every second or so. A camera that is offline or blind has
// a line of its own. It does not end an outage, unless there are pictures.
func (p *pictureOutage) check(now time.Time, s *transport.Status) {
	pictures := p.pictures
	p.pictures = s.Counters.Pictures
	out := s.State == transport.StateObscured || s.State == transport.StateFailed
	neutral := s.State == transport.StateOffline || s.State == transport.StateBlind
	if !neutral && !out || p.pictures != pictures { // there was one since the last check
		if lasted, due := p.repeat.markGood(now); due {
			p.log(slog.LevelInfo, "live picture restored", "none_for", roughly(lasted))
		}
	}
	if !out {
		return
	}
	lasted := p.repeat.markBad(now)
	if lasted < outageTime || p.isLogged(now, s.Reason) || !p.repeat.due(now, s.Reason) {
		return
	}
	p.log(slog.LevelWarn, "no live picture", "state", s.State, "fault", s.Fault, "reason", s.Reason, "none_for", roughly(lasted))
}

// noPictureError is why the worker ended a connection.
//
// Quirk (RTSP cameras): one may go on sending what no picture can be made of (another
// SSRC, slices without the key frame that was lost), and no timeout of the connection
// ends that. What counts is what is shown. A camera begins with a key frame when it is
// connected to, so that is what helps, also against whatever else shut the gate.
type noPictureError struct {
	camera, reason string
	after          time.Duration
	ownFault       bool
}

func (e *noPictureError) Error() string {
	advice := "if this repeats, set the camera's key-frame interval to 1 or 2 s and check its network for overload"
	if e.ownFault {
		advice = "if this does not help, see what its redactor has logged"
	}
	return fmt.Sprintf("camera %s: no picture could be shown for %v although it sends: %s; reconnecting to get a key frame; %s",
		e.camera, e.after.Round(time.Second), e.reason, advice)
}

func (e *noPictureError) Public() string { return "no picture can be shown: " + e.reason }

// noPicture measures for how long a camera that sends has had no picture shown.
type noPicture struct {
	since    time.Time     // zero: there is no redactor, no input, or a picture is shown
	lastUnit time.Time     // of the camera
	patience time.Duration // 0: noPictureTime
	ownFault bool          // the last fault was not one of what the camera sends
}

func (n *noPicture) shown() { n.since, n.patience = time.Time{}, 0 }

// reset is called when what the camera sends is not why no picture is shown.
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

// isSending reports whether units arrive.
func (n *noPicture) isSending(now time.Time) bool {
	return !n.lastUnit.IsZero() && now.Sub(n.lastUnit) <= sendingTime
}

// timedOut reports whether no picture was shown for too long, and for how long. The limit
// doubles each time.
func (n *noPicture) timedOut(now time.Time, lookahead int) (time.Duration, bool) {
	if !n.isSending(now) {
		n.reset()
	}
	n.patience = max(n.patience, noPictureTime+time.Duration(lookahead)*slowPicture)
	limit := n.patience
	if n.ownFault {
		limit = max(limit, ownFaultTime)
	}
	after := now.Sub(n.since)
	if n.since.IsZero() || after < limit {
		return 0, false
	}
	n.patience = max(n.patience, min(2*limit, maxNoPictureTime))
	n.reset()
	return after, true
}
