package depacketize

import (
	"sync"
	"time"

	"github.com/pion/rtcp"

	"scrim/transport"
)

// Limits of trust in a camera's clock.
const (
	// maxCaptureAge is the longest time from capture to arrival. More than that is a
	// wrong clock.
	maxCaptureAge = 10 * time.Second
	// maxReportAge is how long a sender report is used. A camera's clock drifts by
	// about 50 ppm, which is 3 ms a minute.
	maxReportAge = time.Minute
	// maxStep is the largest step between the timestamps of two access units that
	// counts as passed time.
	maxStep = 5 * time.Second
)

// ntpEpoch is 1 January 1900 in Unix seconds (RFC 5905, section 6).
const ntpEpoch = -2208988800

// ntpTime converts the 64-bit NTP timestamp of a sender report: seconds in the upper
// half, a binary fraction of a second in the lower. Quirk (gortsplib v4.16.2): it adds
// the fraction as nanoseconds, which is wrong by up to 3.3 s, so its PacketNTP is not
// used; see docs/quirks.md.
func ntpTime(v uint64) time.Time {
	return time.Unix(int64(v>>32)+ntpEpoch, int64((v&0xffffffff)*uint64(time.Second)>>32))
}

// senderClock turns RTP timestamps into wall-clock time by the latest RTCP sender
// report (RFC 3550, section 6.4.1). With UDP, reports and packets arrive on different
// goroutines.
type senderClock struct {
	mu      sync.Mutex
	known   bool
	ssrc    uint32
	rtp     uint32
	ntp     time.Time
	arrived time.Time
}

// report stores a sender report.
func (c *senderClock) report(sr *rtcp.SenderReport, arrived time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	// Cameras without a clock send 0 (RFC 3550, section 6.4.1).
	c.known = sr.NTPTime != 0
	c.ssrc, c.rtp, c.ntp, c.arrived = sr.SSRC, sr.RTPTime, ntpTime(sr.NTPTime), arrived
}

// forget drops the report after a jump of the timestamps.
func (c *senderClock) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.known = false
}

// captured returns the capture time of the picture with RTP timestamp ts. It returns
// arrived if the camera does not report a plausible time.
func (c *senderClock) captured(ssrc, ts uint32, arrived time.Time) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.known || c.ssrc != ssrc || arrived.Sub(c.arrived) > maxReportAge {
		return arrived
	}
	t := c.ntp.Add(ticks(int64(int32(ts - c.rtp))))
	if t.After(arrived) || arrived.Sub(t) > maxCaptureAge {
		return arrived
	}
	return t
}

// ticks converts 90 kHz ticks.
func ticks(n int64) time.Duration {
	return time.Duration(n * int64(time.Second) / transport.ClockRate)
}
