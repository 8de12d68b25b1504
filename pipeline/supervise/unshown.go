package supervise

import (
	"context"
	"errors"
	"fmt"
	"time"

	"scrim/transport"
)

// TRAPS: a camera may go on sending what no picture can be made of (another SSRC, slices
// without the key frame that was lost), and no timeout of the connection ends that. What
// counts is what is shown. A camera begins with a key frame when it is connected to, so
// that is what helps, also against whatever else shut the gate.
const (
	// unshownTime is for how long a camera that sends may have no picture shown before it
	// is connected to anew, and maxUnshownTime the longest that this gets: a
	// connection that helps nothing is tried half as often the next time. A camera whose
	// key frames are further apart, and that begins with none, would never be shown
	// otherwise.
	unshownTime    = 5 * time.Second
	maxUnshownTime = 80 * time.Second
	// ownTime is the least where what shut the gate is no fault of what the camera sends:
	// that has to be mended first, and only then is a key frame needed.
	ownTime = 30 * time.Second
	// slowPicture is what a picture of look-ahead may take: as long comes none.
	slowPicture = 200 * time.Millisecond
	// quietTime is after how long without a unit a camera does not send: for that there is
	// the source's own timeout.
	quietTime = 3 * time.Second
	// unshownTick is how often it is looked.
	unshownTick = 250 * time.Millisecond
)

// unshownError is why a connection was ended from which nothing could be shown.
type unshownError struct {
	camera, reason string
	after          time.Duration
	own            bool
}

func (e *unshownError) Error() string {
	advice := "if that happens often, set the camera's key-frame interval to 1 or 2 s and see whether its network is overloaded"
	if e.own {
		advice = "if that does not help, see what its redactor has logged"
	}
	return fmt.Sprintf("camera %s: it sends, and for %v no picture could be shown: %s; connecting anew, for a key frame; %s",
		e.camera, e.after.Round(time.Second), e.reason, advice)
}

func (e *unshownError) Public() string { return "no picture can be shown: " + e.reason }

// watched runs the source until ctx ends, the connection fails, or what it gives has
// shown no picture for too long.
func (c *Camera) watched(ctx context.Context) error {
	run, end := context.WithCancelCause(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(unshownTick)
		defer tick.Stop()
		for {
			select {
			case now := <-tick.C:
				if err := c.state.unshownSince(now); err != nil {
					end(err)
					return
				}
			case <-run.Done():
				return
			}
		}
	}()
	err := c.o.Source.Run(run, c.unit)
	end(err)
	<-ended
	if e, ok := errors.AsType[*unshownError](context.Cause(run)); ok {
		return e
	}
	return err
}

// unseen follows for how long a camera that sends has had no picture shown. It is part
// of state, and under its lock.
type unseen struct {
	since    time.Time     // zero: there is no redactor, no input, or it is shown
	came     time.Time     // the last unit
	patience time.Duration // 0: unshownTime
	own      bool          // the last fault was none of what the camera sends
}

func (u *unseen) shown() { u.since, u.patience = time.Time{}, 0 }

// paused: what is not shown now is no fault of what the camera sends.
func (u *unseen) paused() { u.since = time.Time{} }

func (u *unseen) hidden(now time.Time, fault transport.Fault) {
	switch fault {
	case "", transport.FaultCamera, transport.FaultStall, transport.FaultLoss, transport.FaultDamage, transport.FaultFormat:
		u.own = false
	default:
		u.own = true
	}
	if u.since.IsZero() {
		u.since = now
	}
}

// tooLong reports whether it has been for too long, and for how long; the next time it
// takes twice as long.
func (u *unseen) tooLong(now time.Time, lookahead int) (time.Duration, bool) {
	if now.Sub(u.came) > quietTime {
		u.paused()
	}
	u.patience = max(u.patience, unshownTime+time.Duration(lookahead)*slowPicture)
	need := u.patience
	if u.own {
		need = max(need, ownTime)
	}
	after := now.Sub(u.since)
	if u.since.IsZero() || after < need {
		return 0, false
	}
	u.patience = max(u.patience, min(2*need, maxUnshownTime))
	u.paused()
	return after, true
}

// unshownSince returns an error when no picture was shown for too long.
func (s *state) unshownSince(now time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	after, ok := s.unseen.tooLong(now, s.s.Lookahead)
	if !ok {
		return nil
	}
	return &unshownError{camera: s.s.Camera, reason: s.story.reason, after: after, own: s.unseen.own}
}

// seen notes what viewers got of the redactor. It is called with the lock held.
func (s *state) seen(now time.Time, to transport.State, fault transport.Fault) {
	switch {
	case to == transport.StateLive:
		s.unseen.shown()
	case s.reason != "":
		s.unseen.paused()
	default:
		s.unseen.hidden(now, fault)
	}
}
