package simcam

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/bluenviron/gortsplib/v4/pkg/description"
	"github.com/bluenviron/gortsplib/v4/pkg/format"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h265"
	"github.com/pion/rtp"

	"scrim/pipeline/internal/x264"
	"scrim/redact/yuv"
	"scrim/transport"
	"scrim/transport/senderreport"
)

// payloadType is the dynamic RTP payload type of the video (RFC 3551).
const payloadType = 96

// sender codes pictures of one size and sends them.
type sender struct {
	enc           *x264.Encoder
	codec         transport.Codec
	width, height int
	packetise     func(unit []byte) ([]*rtp.Packet, error) // nil before the first picture
	media         *description.Media
	epoch         time.Time // PTS 0
	reports       senderreport.Sender
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
	return s.transmit(c, unit.Data, pts, captured, greet)
}

// transmit sends one coded picture.
func (s *sender) transmit(c *Camera, unit []byte, pts int64, captured time.Time, greet bool) error {
	if s.packetise == nil {
		if err := s.announce(c, unit); err != nil {
			return err
		}
	}
	jump := time.Duration(c.jump.Load())
	stamp := uint32(pts + int64(jump.Seconds()*transport.ClockRate)) //nolint:gosec // wraps by design
	captured = captured.Add(jump)
	packets, err := s.packetise(unit)
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
		if err := c.forward(p, func(p *rtp.Packet) error { return c.stream.WritePacketRTPWithNTP(s.media, p, captured) }); err != nil {
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
func (s *sender) announce(c *Camera, unit []byte) error {
	var f format.Format
	var err error
	switch s.codec {
	case transport.MJPEG:
		mjpeg := &format.MJPEG{}
		enc, fail := mjpeg.CreateEncoder()
		f, s.packetise, err = mjpeg, func(unit []byte) ([]*rtp.Packet, error) { return enc.Encode(unit) }, fail
	case transport.H265:
		hevc := &format.H265{PayloadTyp: payloadType}
		err = ofType(unit, func(n []byte) byte { return n[0] >> 1 & 0x3f }, map[byte]*[]byte{
			byte(h265.NALUType_VPS_NUT): &hevc.VPS, byte(h265.NALUType_SPS_NUT): &hevc.SPS, byte(h265.NALUType_PPS_NUT): &hevc.PPS,
		})
		enc, fail := hevc.CreateEncoder()
		f, s.packetise, err = hevc, ofNALUs(enc.Encode), errors.Join(err, fail)
	default:
		avc := &format.H264{PayloadTyp: payloadType, PacketizationMode: 1}
		err = ofType(unit, func(n []byte) byte { return n[0] & 0x1f }, map[byte]*[]byte{
			byte(h264.NALUTypeSPS): &avc.SPS, byte(h264.NALUTypePPS): &avc.PPS,
		})
		enc, fail := avc.CreateEncoder()
		f, s.packetise, err = avc, ofNALUs(enc.Encode), errors.Join(err, fail)
	}
	if err != nil {
		return fmt.Errorf("RTP: %w", err)
	}
	s.media = &description.Media{Type: description.MediaTypeVideo, Formats: []format.Format{f}}
	if err := c.open(&description.Session{Medias: []*description.Media{s.media}}); err != nil {
		return err
	}
	s.learn(c, s.media)
	return nil
}

// ofType sets, for each type, the NAL unit of that type in an access unit.
func ofType(unit []byte, typeOf func([]byte) byte, sets map[byte]*[]byte) error {
	var nalus h264.AnnexB
	if err := nalus.Unmarshal(unit); err != nil {
		return err
	}
	for _, n := range nalus {
		if set := sets[typeOf(n)]; set != nil {
			*set = n
		}
	}
	return nil
}

// ofNALUs packetises access units in Annex B form by their NAL units.
func ofNALUs(encode func([][]byte) ([]*rtp.Packet, error)) func([]byte) ([]*rtp.Packet, error) {
	return func(unit []byte) ([]*rtp.Packet, error) {
		var nalus h264.AnnexB
		if err := nalus.Unmarshal(unit); err != nil {
			return nil, err
		}
		return encode(nalus)
	}
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
