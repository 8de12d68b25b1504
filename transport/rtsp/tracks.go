package rtsp

import (
	"encoding/base64"
	"strconv"
	"strings"
)

// maxTracks bounds the tracks that are listed.
const maxTracks = 16

// Track is one of those that a camera offers.
type Track struct {
	// Kind is video, audio, application or "back channel".
	Kind string `json:"kind"`
	// Codec is its name, as people know it.
	Codec string `json:"codec"`
}

// readTracks lists what a session description offers.
func readTracks(body []byte) []Track {
	var out []Track
	_, sections := splitSections(body)
	for _, s := range sections {
		t := Track{Kind: s.kind}
		if s.sendOnly {
			t.Kind = "back channel"
		}
		for _, pt := range s.payloadTypes() {
			if t.Codec = s.codec(pt); s.kind == "audio" {
				t.Codec = s.audio(pt)
			}
			if len(out) < maxTracks {
				out = append(out, t)
			}
		}
	}
	return out
}

// audio names an audio codec: those below 19 have no rtpmap line (RFC 3551).
func (s *section) audio(pt uint8) string {
	for _, a := range s.rtpmap {
		if a.payloadType == pt {
			return s.codec(pt)
		}
	}
	switch pt {
	case 0:
		return "PCMU"
	case 8:
		return "PCMA"
	case 9:
		return "G722"
	}
	return s.codec(pt)
}

// describeOther is for a camera without H.264: a session description of its first
// video track, for looking at its packets only.
func describeOther(body []byte) (sdp []byte, codec string, sets [][]byte) {
	control, sections := splitSections(body)
	for _, s := range sections {
		if s.kind != "video" || s.sendOnly {
			continue
		}
		for _, pt := range s.payloadTypes() {
			if codec = s.codec(pt); codec == "MJPEG" {
				codec = "JPEG"
			}
			fmtp := s.parameters(pt)
			for _, key := range []string{"sprop-vps", "sprop-sps", "sprop-pps"} {
				if raw, err := base64.StdEncoding.DecodeString(fmtp[key]); err == nil && len(raw) > 2 && len(raw) <= maxParameterSetSize {
					sets = append(sets, raw)
				}
			}
			// A name that gortsplib does not know: it hands the packets on as they are.
			text := string(writeDescription(control, s.control, pt))
			num := strconv.Itoa(int(pt))
			text = strings.Replace(text, "a=rtpmap:"+num+" H264/90000", "a=rtpmap:"+num+" SCRIM/90000", 1)
			text = strings.Replace(text, "a=fmtp:"+num+" packetization-mode=1\r\n", "", 1)
			return []byte(text), codec, sets
		}
	}
	return nil, "", nil
}
