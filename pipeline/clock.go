package pipeline

import (
	"time"

	"scrim/transport"
)

const (
	// maxSkew is how far the output's clock may be from the wall clock before it is
	// reset: the clocks of cameras drift, jump and wrap.
	maxSkew = 300 * time.Millisecond
	// 1/skewGain of the skew is corrected at each picture, which keeps the camera's
	// spacing.
	skewGain = 64
)

// timeline is the clock of a pipeline: the wall clock at its start, advanced by the
// monotonic clock. The wall clock is set now and then; a step must neither stop the
// output nor look like a stage that hangs.
type timeline struct {
	wall      func() time.Time
	monotonic func() time.Duration
	start     time.Time     // by the wall clock
	begun     time.Duration // by the monotonic one
}

// newTimeline returns a timeline that starts now.
func newTimeline(wall func() time.Time, monotonic func() time.Duration) *timeline {
	return &timeline{wall: wall, monotonic: monotonic, start: wall(), begun: monotonic()}
}

// systemTimeline returns one that uses the clocks of the system.
func systemTimeline() *timeline {
	start := time.Now()
	return newTimeline(time.Now, func() time.Duration { return time.Since(start) })
}

// now returns a time that never steps.
func (t *timeline) now() time.Time { return t.start.Add(t.monotonic() - t.begun) }

// clock makes the PTS of the output. The timeline determines the time, across slates,
// reconnects and restarts of the process. The camera's PTS determines the spacing while
// it is sane. The PTS never goes back.
type clock struct {
	last   int64
	offset int64
	set    bool
}

// wall returns t as 90 kHz ticks since the Unix epoch.
func wall(t time.Time) int64 {
	return t.Unix()*transport.ClockRate + int64(t.Nanosecond())*transport.ClockRate/int64(time.Second)
}

// picture returns the PTS for a picture that has the camera's pts and is sent now.
func (c *clock) picture(pts int64, now time.Time) int64 {
	w := wall(now)
	skew := w - (pts + c.offset)
	limit := int64(maxSkew.Seconds() * transport.ClockRate)
	if !c.set || skew > limit || skew < -limit {
		c.offset, c.set = w-pts, true
		skew = 0
	}
	c.offset += skew / skewGain
	return c.forward(pts + c.offset)
}

// slate returns the PTS for a slate that is sent now.
func (c *clock) slate(now time.Time) int64 {
	c.set = false
	return c.forward(wall(now))
}

func (c *clock) forward(pts int64) int64 {
	c.last = max(pts, c.last+1)
	return c.last
}
