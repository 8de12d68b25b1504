package rtsp

import (
	"slices"
	"strconv"
	"strings"

	"github.com/bluenviron/gortsplib/v4/pkg/base"

	"scrim/transport"
	"scrim/transport/rtsp/depacketize"
)

// Limits of what is read from a session description.
const (
	maxListedCodecs = 8
)

// Limits of the work for a session description, which a camera sends at every
// connection. The excess is ignored.
const (
	maxSections = 64
	// maxPayloadTypes bounds the payload types of a section.
	maxPayloadTypes = 32
	// maxFormatLines bounds the rtpmap lines and the fmtp lines of a section.
	maxFormatLines = 64
	maxRTPMapSize  = 256 // bytes of a line
	// maxFmtpSize bounds all fmtp lines of a section, in bytes.
	maxFmtpSize   = 32 << 10
	maxParameters = 256 // in all fmtp lines of a section
)

// videoDescription is the relevant content of a camera's session description (RFC
// 8866).
type videoDescription struct {
	// SDP is rewritten: one video section with one payload type, in lines that this
	// package has written. Nil without readable video.
	SDP []byte
	// Codec is the codec of that section.
	Codec transport.Codec
	// Video lists the codecs of all video sections that the camera would send, and
	// Other the kinds of the other sections.
	Video []string
	Other []string
	// Interleaved is the codec of video that is sent out of order with decoding order
	// numbers (H.264 packetization mode 2, H.265 sprop-max-don-diff), which is rare and
	// unsupported. Empty if there is other video.
	Interleaved string
	// Sets are the parameter sets; empty if the camera sent none that are valid.
	Sets depacketize.ParameterSets
}

// preference is the order in which codecs are chosen: H.264 is the cheapest to decode
// for its bit rate, MJPEG the most expensive.
var preference = []transport.Codec{transport.H264, transport.H265, transport.MJPEG}

// sdpNames are the encoding names in session descriptions.
var sdpNames = map[string]transport.Codec{"H264": transport.H264, "H265": transport.H265, "MJPEG": transport.MJPEG}

// section is one media section.
type section struct {
	kind         string
	formats      []string
	control      string
	rtpmap, fmtp []attribute
	sendOnly     bool
	fmtpSize     int // bytes of fmtp
	parameterN   int // parameters of fmtp that were read
}

// attribute is the value of an rtpmap or fmtp line.
type attribute struct {
	payloadType uint8
	value       string
}

// readDescription reads a session description leniently and writes a new one that
// gortsplib accepts. Quirk (gortsplib v4.16.2): one bad line anywhere ("c=IN ",
// "m=meta", "m=smart", a broken AAC fmtp next to good video) makes it refuse the
// camera, so no line is passed through; see docs/quirks.md. Audio, metadata and back
// channels never reach it and cannot be set up.
func readDescription(body []byte) videoDescription {
	return describe(splitSections(body))
}

// describe makes a description from sections.
func describe(control string, sections []*section) videoDescription {
	var d videoDescription
	for _, s := range sections {
		if s.kind != "video" {
			d.Other = appendNew(d.Other, s.kind)
			continue
		}
		// In a server's description sendonly marks a track that the *client* sends
		// (ONVIF streaming specification, section 5.3): a back channel.
		if s.sendOnly {
			d.Other = appendNew(d.Other, "back channel")
			continue
		}
		for _, pt := range s.payloadTypes() {
			name := s.codec(pt)
			d.Video = appendNew(d.Video, name)
			codec := sdpNames[name]
			rank := slices.Index(preference, codec)
			if rank < 0 || d.SDP != nil && slices.Index(preference, d.Codec) <= rank {
				continue
			}
			fmtp := s.parameters(pt)
			if fmtp["packetization-mode"] == "2" || codec == transport.H265 && interleaves(fmtp["sprop-max-don-diff"]) {
				d.Interleaved = codec.String()
				continue
			}
			d.Codec, d.Sets, d.SDP = codec, depacketize.ParseParameterSets(codec, fmtp), writeDescription(control, s.control, pt, codec)
		}
	}
	if d.SDP != nil {
		d.Interleaved = ""
	}
	return d
}

// interleaves reports whether sprop-max-don-diff (RFC 7798, section 7.1) allows NAL
// units out of order. Packets then contain decoding order numbers.
func interleaves(v string) bool { return strings.Trim(v, "0") != "" }

func splitSections(body []byte) (control string, sections []*section) {
	var cur *section
	for line := range strings.Lines(strings.ReplaceAll(string(body), "\r", "\n")) {
		line = strings.TrimSpace(line)
		if len(line) < 2 || line[1] != '=' {
			continue
		}
		value := strings.TrimSpace(line[2:])
		switch line[0] {
		case 'm':
			f := strings.Fields(value)
			cur = &section{}
			if len(f) > 0 {
				cur.kind = quote(strings.ToLower(f[0]))
			}
			if len(f) > 3 {
				cur.formats = f[3:]
			}
			if len(sections) < maxSections {
				sections = append(sections, cur)
			}
		case 'a':
			key, v, _ := strings.Cut(value, ":")
			key, v = strings.ToLower(strings.TrimSpace(key)), strings.TrimSpace(v)
			if cur != nil {
				cur.attribute(key, v)
			} else if key == "control" && validSessionControl(v) {
				control = v
			}
		}
	}
	return control, sections
}

func (s *section) attribute(key, v string) {
	switch key {
	case "control":
		if validControl(v) {
			s.control = v
		}
	case "sendonly":
		s.sendOnly = true
	case "rtpmap", "fmtp":
		num, rest, ok := strings.Cut(v, " ")
		pt, err := strconv.ParseUint(num, 10, 7)
		if !ok || err != nil {
			return
		}
		a := attribute{payloadType: uint8(pt), value: strings.TrimSpace(rest)}
		switch {
		case key == "rtpmap" && len(s.rtpmap) < maxFormatLines && len(a.value) <= maxRTPMapSize:
			s.rtpmap = append(s.rtpmap, a)
		case key == "fmtp" && len(s.fmtp) < maxFormatLines && s.fmtpSize+len(a.value) <= maxFmtpSize:
			s.fmtp = append(s.fmtp, a)
			s.fmtpSize += len(a.value)
		}
	}
}

// payloadTypes returns the payload types of the m line, without repetitions. If that
// has no number (some cameras send "smart/1/90000"), it returns those of the rtpmap
// lines.
func (s *section) payloadTypes() []uint8 {
	var pts []uint8
	add := func(pt uint8) {
		if len(pts) < maxPayloadTypes && !slices.Contains(pts, pt) {
			pts = append(pts, pt)
		}
	}
	for _, f := range s.formats {
		if pt, err := strconv.ParseUint(f, 10, 7); err == nil {
			add(uint8(pt))
		}
	}
	if len(pts) == 0 {
		for _, a := range s.rtpmap {
			add(a.payloadType)
		}
	}
	return pts
}

// codec returns the common name of a payload type.
func (s *section) codec(pt uint8) string {
	for _, a := range s.rtpmap {
		if a.payloadType != pt {
			continue
		}
		name, clock, _ := strings.Cut(a.value, "/")
		switch name = quote(strings.ToUpper(name)); name { // which may be empty
		case "HEVC":
			name = "H265"
		case "JPEG":
			name = "MJPEG"
		}
		switch {
		case sdpNames[name] != "" && clock != "" && strings.TrimSpace(clock) != "90000":
			return quote(name + " at " + clock + " Hz")
		case name == "":
			return "unnamed payload type " + strconv.Itoa(int(pt))
		default:
			return name
		}
	}
	switch pt { // static payload types of RFC 3551, section 6
	case 26:
		return "MJPEG"
	case 31:
		return "H261"
	case 32:
		return "MPEG-1/2 video"
	case 33:
		return "MPEG-TS"
	case 34:
		return "H263"
	}
	return "unnamed payload type " + strconv.Itoa(int(pt))
}

// parameters returns the fmtp parameters of a payload type, with keys in lower case.
func (s *section) parameters(pt uint8) map[string]string {
	m := make(map[string]string)
	for _, a := range s.fmtp {
		if a.payloadType != pt {
			continue
		}
		for kv := range strings.SplitSeq(a.value, ";") {
			if s.parameterN >= maxParameters {
				return m
			}
			s.parameterN++
			if k, v, ok := strings.Cut(kv, "="); ok {
				m[strings.ToLower(strings.TrimSpace(k))] = strings.TrimSpace(v)
			}
		}
	}
	return m
}

func writeDescription(sessionControl, control string, pt uint8, codec transport.Codec) []byte {
	num := strconv.Itoa(int(pt))
	lines := []string{"v=0", "o=- 0 0 IN IP4 127.0.0.1", "s= ", "c=IN IP4 0.0.0.0", "t=0 0"}
	if sessionControl != "" {
		lines = append(lines, "a=control:"+sessionControl)
	}
	lines = append(lines, "m=video 0 RTP/AVP "+num)
	if control != "" {
		lines = append(lines, "a=control:"+control)
	}
	switch codec {
	case transport.H264:
		lines = append(lines, "a=rtpmap:"+num+" H264/90000", "a=fmtp:"+num+" packetization-mode=1", "")
	case transport.H265:
		lines = append(lines, "a=rtpmap:"+num+" H265/90000", "")
	default: // gortsplib does not know this name and passes the packets through
		lines = append(lines, "a=rtpmap:"+num+" SCRIM/90000", "")
	}
	return []byte(strings.Join(lines, "\r\n"))
}

// validControl reports whether a section's control attribute forms a valid URL. Quirk
// (gortsplib v4.16.2): it ignores that error and dereferences nil, so "a=control:%zz"
// would end the worker; see docs/quirks.md.
func validControl(v string) bool {
	if v == "" || v == "*" || len(v) > maxURLBytes/2 || strings.ContainsFunc(v, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
		return false
	}
	if strings.HasPrefix(v, "rtsp://") || strings.HasPrefix(v, "rtsps://") {
		_, err := base.ParseURL(v)
		return err == nil
	}
	_, err := base.ParseURL("rtsp://host/" + v)
	return err == nil
}

// validSessionControl reports whether gortsplib can use a session's control attribute:
// it refuses a camera whose attribute is not an absolute URL.
func validSessionControl(v string) bool {
	return strings.HasPrefix(v, "rtsp") && validControl(v)
}

func appendNew(list []string, s string) []string {
	if slices.Contains(list, s) || len(list) >= maxListedCodecs {
		return list
	}
	return append(list, s)
}
