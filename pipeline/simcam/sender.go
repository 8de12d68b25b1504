package simcam

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/bluenviron/gortsplib/v4/pkg/description"
	"github.com/bluenviron/gortsplib/v4/pkg/format"
	"github.com/bluenviron/gortsplib/v4/pkg/format/rtph264"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"

	"scrim/pipeline/internal/x264"
	"scrim/redact/yuv"
	"scrim/transport"
	"scrim/transport/report"
)

// payloadType is the dynamic RTP payload type of the video (RFC 3551).
const payloadType = 96

// sender codes pictures of one size and sends them.
type sender struct {
	enc           *x264.Encoder
	width, height int
	rtp           *rtph264.Encoder
	media         *description.Media
	epoch         time.Time // PTS 0
	reports       report.Sender
	ssrc          uint32
}

// pts is a picture's time in ticks. The first picture has 0.
func (s *sender) pts(captured time.Time) int64 {
	if s.epoch.IsZero() {
		s.epoch = captured
	}
	return int64(captured.Sub(s.epoch)) * transport.ClockRate / int64(time.Second)
}

// send codes and sends one picture. Its PTS is its time of capture.
func (s *sender) send(c *Camera, im *yuv.Image, captured time.Time) error {
	pts := s.pts(captured)
	greet := !c.silent.Load() && c.greet.Load() > 0
	unit, err := s.enc.Encode(im, pts, c.key.Swap(false) || greet)
	if err != nil {
		return err
	}
	var nalus h264.AnnexB
	if err := nalus.Unmarshal(unit.Data); err != nil {
		return fmt.Errorf("encoder's output: %w", err)
	}
	return s.transmit(c, nalus, pts, captured, greet)
}

// transmit sends one coded picture.
func (s *sender) transmit(c *Camera, nalus [][]byte, pts int64, captured time.Time, greet bool) error {
	if s.rtp == nil {
		if err := s.announce(c, nalus); err != nil {
			return err
		}
	}
	jump := time.Duration(c.jump.Load())
	stamp := uint32(pts + int64(jump.Seconds()*transport.ClockRate)) //nolint:gosec // wraps by design
	captured = captured.Add(jump)
	packets, err := s.rtp.Encode(nalus)
	if err != nil {
		return fmt.Errorf("RTP: %w", err)
	}
	for _, p := range packets {
		p.Timestamp = stamp
		if c.silent.Load() {
			continue
		}
		if c.drop.Load() > 0 {
			c.drop.Add(-1)
			continue
		}
		if lose := math.Float64frombits(c.lose.Load()); lose > 0 && rand.Float64() < lose { //nolint:gosec // no secret
			continue
		}
		if err := c.stream.WritePacketRTPWithNTP(s.media, p, captured); err != nil {
			return fmt.Errorf("RTP: %w", err)
		}
		s.reports.Sent(p)
	}
	c.frames.Add(1)
	if c.silent.Load() {
		return nil
	}
	if greet {
		c.greet.Add(-1)
	}
	return s.report(c, stamp, captured, greet)
}

// announce opens the stream with the parameter sets of the first picture.
func (s *sender) announce(c *Camera, nalus [][]byte) error {
	f := &format.H264{PayloadTyp: payloadType, PacketizationMode: 1}
	for _, n := range nalus {
		switch h264.NALUType(n[0] & 0x1f) {
		case h264.NALUTypeSPS:
			f.SPS = n
		case h264.NALUTypePPS:
			f.PPS = n
		}
	}
	rtp, err := f.CreateEncoder()
	if err != nil {
		return fmt.Errorf("RTP: %w", err)
	}
	s.rtp, s.media = rtp, &description.Media{Type: description.MediaTypeVideo, Formats: []format.Format{f}}
	if err := c.open(&description.Session{Medias: []*description.Media{s.media}}); err != nil {
		return err
	}
	s.learn(c, s.media)
	return nil
}

// waitUntil waits for a time; it returns false when ctx ended first.
func waitUntil(ctx context.Context, at time.Time) bool {
	t := time.NewTimer(time.Until(at))
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
