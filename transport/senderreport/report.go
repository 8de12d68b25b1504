// Package senderreport makes RTCP sender reports (RFC 3550, section 6.4.1), which tell
// a receiver when each picture was captured. Quirk (gortsplib v4.16.2): its own reports
// put nanoseconds where the binary fraction of a second belongs, so its clock jumps by
// up to three quarters of a second; see docs/quirks.md.
package senderreport

import (
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
)

// Interval is the time between two reports.
const Interval = 5 * time.Second

// ntpOffset is the time from 1 January 1900 to 1970, in seconds (RFC 5905, section 6).
const ntpOffset = 2208988800

// NTP returns t as the 64-bit NTP timestamp of RFC 3550, section 4: seconds in
// the upper half, a binary fraction of a second in the lower.
func NTP(t time.Time) uint64 {
	seconds := uint64(t.Unix() + ntpOffset)                             //nolint:gosec // after 1900
	return seconds<<32 | uint64(t.Nanosecond())<<32/uint64(time.Second) //nolint:gosec // below a second
}

// Sender counts the packets of one stream and reports on them. The zero value is ready.
// It is not safe for concurrent use.
type Sender struct {
	packets, octets uint32
	reported        time.Time
}

// Sent counts a packet.
func (s *Sender) Sent(p *rtp.Packet) {
	s.packets++
	s.octets += uint32(len(p.Payload)) //nolint:gosec // wraps by design
}

// Due reports whether a picture captured at this time needs a report: the first one,
// after Interval, and after the clock was set back.
func (s *Sender) Due(captured time.Time) bool {
	since := captured.Sub(s.reported)
	return since >= Interval || since < 0
}

// Report returns a report that maps the RTP timestamp of a picture to its capture time.
func (s *Sender) Report(ssrc, stamp uint32, captured time.Time) *rtcp.SenderReport {
	s.reported = captured
	return &rtcp.SenderReport{SSRC: ssrc, NTPTime: NTP(captured), RTPTime: stamp, PacketCount: s.packets, OctetCount: s.octets}
}
