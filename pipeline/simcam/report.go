package simcam

import (
	"fmt"
	"time"

	"github.com/bluenviron/gortsplib/v4/pkg/description"
	"github.com/pion/rtcp"
)

// reportInterval is the time between RTCP sender reports.
const reportInterval = 5 * time.Second

// ntpOffset is 1 January 1900 to 1970 in seconds (RFC 5905, section 6).
const ntpOffset = 2208988800

// ntpTimestamp returns t as the 64-bit NTP timestamp of RFC 3550, section 4:
// seconds in the upper half, a binary fraction of a second in the lower.
func ntpTimestamp(t time.Time) uint64 {
	seconds := uint64(t.Unix() + ntpOffset)                             //nolint:gosec // after 1900
	return seconds<<32 | uint64(t.Nanosecond())<<32/uint64(time.Second) //nolint:gosec // below a second
}

// report sends a sender report when one is due: every few seconds, and for
// every new viewer. gortsplib's own are off, because it writes nanoseconds
// where the binary fraction of a second belongs, so that its clock jumps by
// up to three quarters of a second.
func (s *sender) report(c *Camera, ts uint32, captured time.Time, greet bool) error {
	if !greet && captured.Sub(s.reported) < reportInterval {
		return nil
	}
	s.reported = captured
	err := c.stream.WritePacketRTCP(s.media, &rtcp.SenderReport{
		SSRC: s.ssrc, NTPTime: ntpTimestamp(captured), RTPTime: ts, PacketCount: s.packets, OctetCount: s.octets,
	})
	if err != nil {
		return fmt.Errorf("RTCP: %w", err)
	}
	return nil
}

// learn notes the SSRC that gortsplib has chosen for the stream.
func (s *sender) learn(c *Camera, media *description.Media) {
	for _, f := range c.stream.Stats().Medias[media].Formats {
		s.ssrc = f.LocalSSRC
	}
}
