package rtspserver

import (
	"errors"
	"fmt"

	"github.com/bluenviron/gortsplib/v4/pkg/description"
	"github.com/bluenviron/gortsplib/v4/pkg/format"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"
)

// payloadType is the dynamic RTP payload type of the video (RFC 3551).
const payloadType = 96

type descriptionMedia = description.Media

// mediaOf describes H.264 video in packets that may be aggregated or fragmented (RFC
// 6184, packetization mode 1).
func mediaOf(sps, pps []byte) *description.Media {
	return &description.Media{
		Type: description.MediaTypeVideo, Control: "trackID=0",
		Formats: []format.Format{&format.H264{PayloadTyp: payloadType, PacketizationMode: 1, SPS: sps, PPS: pps}},
	}
}

// describe returns the SDP of a camera with the given key frame. gortsplib's own SDP
// requires SRTP with TLS, which few clients support and TLS makes unnecessary.
func describe(camera string, key []byte) ([]byte, error) {
	var nalus h264.AnnexB
	if err := nalus.Unmarshal(key); err != nil {
		return nil, fmt.Errorf("camera %s: key frame: %w", camera, err)
	}
	var sps, pps []byte
	for _, n := range nalus {
		if len(n) == 0 {
			continue
		}
		switch h264.NALUType(n[0] & 0x1f) {
		case h264.NALUTypeSPS:
			sps = n
		case h264.NALUTypePPS:
			pps = n
		}
	}
	if sps == nil || pps == nil {
		return nil, fmt.Errorf("camera %s: %w", camera, errors.New("key frame without parameter sets"))
	}
	d := &description.Session{Title: camera, Medias: []*description.Media{mediaOf(sps, pps)}}
	return d.Marshal(false)
}
