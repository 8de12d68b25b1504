package simcam

import (
	"fmt"
	"time"

	"github.com/bluenviron/gortsplib/v4/pkg/description"
)

// report sends a sender report when one is due: every few seconds, and for
// every new viewer. gortsplib's own are off; see package senderreport.
func (s *sender) report(c *Camera, ts uint32, captured time.Time, greet bool) error {
	if !greet && !s.reports.Due(captured) {
		return nil
	}
	if err := c.stream.WritePacketRTCP(s.media, s.reports.Report(s.ssrc, ts, captured)); err != nil {
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
