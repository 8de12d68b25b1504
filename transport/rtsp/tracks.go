package rtsp

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

// describeOther is for a camera whose video cannot be read: a session description of
// its first video track, for looking at its packets only.
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
