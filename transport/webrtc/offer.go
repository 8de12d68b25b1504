package webrtc

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/pion/sdp/v3"

	"scrim/transport"
)

// refusal is an error for a client, with its HTTP status.
type refusal struct {
	status int
	msg    string
}

// Error is one line.
func (r *refusal) Error() string { return r.msg }

func refuse(status int, format string, args ...any) error {
	return &refusal{status: status, msg: fmt.Sprintf(format, args...)}
}

// offer is a checked SDP offer.
type offer struct {
	sdp        string
	ufrag      string // of ICE
	candidates int
}

// parseOffer checks an offer of at most maxOfferBytes: one video section that can
// receive the H.264 of this gateway, any audio (refused in the answer), nothing else.
// In the result, the video is recvonly and has one format.
func parseOffer(raw []byte) (*offer, error) {
	if len(strings.TrimSpace(string(raw))) == 0 {
		return nil, refuse(http.StatusNotAcceptable, "the body is empty; send an SDP offer: offers by the server are not supported")
	}
	// Parsers differ in whether a single CR ends a line. The next parser must read
	// what was checked here.
	if strings.ContainsFunc(strings.ReplaceAll(string(raw), "\r\n", "\n"), isControl) {
		return nil, refuse(http.StatusBadRequest, "the body is not an SDP offer: it contains a control character; end lines with CR LF")
	}
	var d sdp.SessionDescription
	if err := d.Unmarshal(raw); err != nil {
		return nil, refuse(http.StatusBadRequest, "the body is not an SDP offer: %s", brief(err))
	}
	video, err := sections(&d)
	if err != nil {
		return nil, err
	}
	o := &offer{candidates: countCandidates(&d)}
	if o.candidates > maxCandidates {
		return nil, refuse(http.StatusBadRequest, "the offer has %d candidates; at most %d are allowed", o.candidates, maxCandidates)
	}
	if o.ufrag, err = credentials(&d, video); err != nil {
		return nil, err
	}
	format, ok := chooseFormat(video)
	if !ok {
		return nil, refuse(http.StatusNotAcceptable,
			"the offer has no suitable H.264: packetization-mode=1 with profile-level-id 42e0xx, 42c0xx or 4200xx is required")
	}
	if err := receiveOnly(&d, video); err != nil {
		return nil, err
	}
	keepFormat(video, format)
	out, err := d.Marshal()
	if err != nil {
		return nil, refuse(http.StatusBadRequest, "the offer cannot be read: %s", brief(err))
	}
	o.sdp = string(out)
	return o, nil
}

// isControl reports whether a character is not allowed in a line (RFC 8866, section 9:
// byte-string) and does not end one.
func isControl(r rune) bool { return r < ' ' && r != '\t' && r != '\n' || r == 0x7f }

// brief returns an error in one line of bounded length.
func brief(err error) string { return transport.Plain(err.Error(), 200) }

func sections(d *sdp.SessionDescription) (video *sdp.MediaDescription, err error) {
	if len(d.MediaDescriptions) > maxSections {
		return nil, refuse(http.StatusBadRequest, "the offer has %d media sections; at most %d are allowed", len(d.MediaDescriptions), maxSections)
	}
	for _, m := range d.MediaDescriptions {
		switch kind := strings.ToLower(m.MediaName.Media); kind {
		case "audio":
		case "video":
			if video != nil {
				return nil, refuse(http.StatusBadRequest, "the offer has more than one video section; open a session for each video")
			}
			video = m
		default:
			return nil, refuse(http.StatusBadRequest, "the offer has a section %.20q; only video is sent, and there is no data channel", kind)
		}
	}
	if video == nil {
		return nil, refuse(http.StatusBadRequest, "the offer has no video section")
	}
	if video.MediaName.Port.Value == 0 {
		return nil, refuse(http.StatusBadRequest, "the video section is disabled by port 0")
	}
	return video, nil
}

func countCandidates(d *sdp.SessionDescription) int {
	n := 0
	count := func(attributes []sdp.Attribute) {
		for _, a := range attributes {
			if a.Key == "candidate" {
				n++
			}
		}
	}
	count(d.Attributes)
	for _, m := range d.MediaDescriptions {
		count(m.Attributes)
	}
	return n
}

// credentials checks that ICE and DTLS credentials are present, of the video section or
// the session. It returns the user name fragment.
func credentials(d *sdp.SessionDescription, video *sdp.MediaDescription) (ufrag string, err error) {
	for _, key := range []string{"ice-ufrag", "ice-pwd", "fingerprint"} {
		v, ok := video.Attribute(key)
		if !ok {
			v, ok = d.Attribute(key)
		}
		if !ok || v == "" {
			return "", refuse(http.StatusBadRequest, "the offer has no %s", key)
		}
		if key == "ice-ufrag" {
			ufrag = v
		}
	}
	return ufrag, nil
}

// chooseFormat returns the payload type of m that matches codec best, if any.
func chooseFormat(m *sdp.MediaDescription) (pt string, ok bool) {
	rank := map[string]int{} // of payload types with matching parameters
	for _, a := range m.Attributes {
		if pt, parameters, ok := strings.Cut(a.Value, " "); a.Key == "fmtp" && ok {
			if r := fits(parameters); r >= 0 {
				rank[pt] = r
			}
		}
	}
	best := len(profiles)
	for _, a := range m.Attributes {
		candidate, name, found := strings.Cut(a.Value, " ")
		if a.Key != "rtpmap" || !found || !slices.Contains(m.MediaName.Formats, candidate) {
			continue
		}
		if r, known := rank[candidate]; known && r < best && strings.EqualFold(strings.TrimSpace(name), "H264/90000") {
			pt, best, ok = candidate, r, true
		}
	}
	return pt, ok
}

// fits returns the index in profiles of the parameters' profile (RFC 6184, section
// 8.1). It returns -1 for another profile or packetization mode.
func fits(parameters string) int {
	mode, profile := false, -1
	for p := range strings.SplitSeq(parameters, ";") {
		key, value, _ := strings.Cut(strings.TrimSpace(p), "=")
		switch strings.ToLower(key) {
		case "packetization-mode":
			mode = value == "1"
		case "profile-level-id":
			if len(value) == 6 {
				profile = slices.Index(profiles, strings.ToLower(value[:4]))
			}
		}
	}
	if !mode {
		return -1
	}
	return profile
}

// keepFormat removes all other formats from m. The answer then names only the format
// that is sent: some clients (go2rtc) assume the first format of an answer.
func keepFormat(m *sdp.MediaDescription, pt string) {
	m.MediaName.Formats = []string{pt}
	m.Attributes = slices.DeleteFunc(m.Attributes, func(a sdp.Attribute) bool {
		if a.Key != "rtpmap" && a.Key != "fmtp" && a.Key != "rtcp-fb" {
			return false
		}
		of, _, _ := strings.Cut(a.Value, " ")
		return of != pt && of != "*"
	})
}

// receiveOnly sets the direction of the video to recvonly, the only one that is
// answered.
func receiveOnly(d *sdp.SessionDescription, video *sdp.MediaDescription) error {
	dir := cmp.Or(direction(video.Attributes), direction(d.Attributes), "sendrecv") // RFC 8866, section 6.7
	if dir != "recvonly" && dir != "sendrecv" {
		return refuse(http.StatusBadRequest, "the video section is %s; a viewer must offer recvonly", dir)
	}
	video.Attributes = slices.DeleteFunc(video.Attributes, func(a sdp.Attribute) bool { return isDirection(a.Key) })
	video.WithPropertyAttribute("recvonly")
	return nil
}

// direction returns the first direction in attributes; empty if there is none.
func direction(attributes []sdp.Attribute) string {
	for _, a := range attributes {
		if isDirection(a.Key) {
			return a.Key
		}
	}
	return ""
}

func isDirection(key string) bool {
	return key == "recvonly" || key == "sendrecv" || key == "sendonly" || key == "inactive"
}
