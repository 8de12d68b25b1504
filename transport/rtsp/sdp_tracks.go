package rtsp

// maxTracks bounds the tracks that are listed.
const maxTracks = 16

// Track is a track that a camera offers.
type Track struct {
	// Kind is video, audio, application or "back channel".
	Kind string `json:"kind"`
	// Codec is its common name.
	Codec string `json:"codec"`
}

// readTracks lists the tracks of a session description.
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

// audio names an audio codec. Payload types below 19 have no rtpmap line (RFC 3551).
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

// describeOther makes a session description of the first video track, for measuring the
// packets of a codec that cannot be decoded.
func describeOther(body []byte) (sdp []byte, codec string) {
	control, sections := splitSections(body)
	for _, s := range sections {
		if s.kind != "video" || s.sendOnly {
			continue
		}
		for _, pt := range s.payloadTypes() {
			return writeDescription(control, s.control, pt, ""), s.codec(pt)
		}
	}
	return nil, ""
}
