package webrtc

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/pion/sdp/v3"
)

// refusal is an error that a client gets to see, with the HTTP status that it
// stands for.
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

// parseOffer checks an offer of at most maxOfferBytes: one video section that
// can receive H.264 as it is sent here, any audio (which is refused in the
// answer), nothing else. What it returns differs from raw in that the direction
// of the video is recvonly.
func parseOffer(raw []byte) (*offer, error) {
	if len(strings.TrimSpace(string(raw))) == 0 {
		return nil, refuse(http.StatusNotAcceptable, "the body is empty; send an SDP offer: the mode in which the server offers is not supported")
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
	if !sendable(video) {
		return nil, refuse(http.StatusNotAcceptable,
			"the offer has no H.264 that can be sent: needed is packetization-mode=1 with profile-level-id 42e0xx, 42c0xx or 4200xx")
	}
	if err := receiveOnly(&d, video); err != nil {
		return nil, err
	}
	out, err := d.Marshal()
	if err != nil {
		return nil, refuse(http.StatusBadRequest, "the offer cannot be read: %s", brief(err))
	}
	o.sdp = string(out)
	return o, nil
}

// brief is the error in one line of bounded length.
func brief(err error) string {
	return fmt.Sprintf("%.200s", strings.Join(strings.Fields(err.Error()), " "))
}

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

// credentials checks that there are those of ICE and DTLS, of the video section
// or of the session, and returns the user name fragment.
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

// sendable reports whether one of the formats of m is what codec describes.
func sendable(m *sdp.MediaDescription) bool {
	mode := map[string]bool{} // payload types with a format that fits
	for _, a := range m.Attributes {
		if pt, parameters, ok := strings.Cut(a.Value, " "); a.Key == "fmtp" && ok {
			mode[pt] = fits(parameters)
		}
	}
	for _, a := range m.Attributes {
		pt, name, ok := strings.Cut(a.Value, " ")
		if a.Key != "rtpmap" || !ok || !slices.Contains(m.MediaName.Formats, pt) {
			continue
		}
		if strings.EqualFold(strings.TrimSpace(name), "H264/90000") && mode[pt] {
			return true
		}
	}
	return false
}

// fits reports whether the parameters (RFC 6184, section 8.1) are of a profile
// in profiles, with packetization mode 1.
func fits(parameters string) bool {
	mode, profile := false, false
	for p := range strings.SplitSeq(parameters, ";") {
		key, value, _ := strings.Cut(strings.TrimSpace(p), "=")
		switch strings.ToLower(key) {
		case "packetization-mode":
			mode = value == "1"
		case "profile-level-id":
			profile = len(value) == 6 && slices.Contains(profiles, strings.ToLower(value[:4]))
		}
	}
	return mode && profile
}

var errDirection = errors.New("no direction")

// receiveOnly sets the direction of the video to recvonly, which is all that is
// answered, and takes audio as something that is not sent.
func receiveOnly(d *sdp.SessionDescription, video *sdp.MediaDescription) error {
	dir, err := direction(video.Attributes)
	if errors.Is(err, errDirection) {
		if dir, err = direction(d.Attributes); err != nil {
			dir = "sendrecv" // RFC 8866, section 6.7
		}
	}
	if dir != "recvonly" && dir != "sendrecv" {
		return refuse(http.StatusBadRequest, "the video section is %s; a viewer must offer recvonly", dir)
	}
	video.Attributes = slices.DeleteFunc(video.Attributes, func(a sdp.Attribute) bool { return isDirection(a.Key) })
	video.WithPropertyAttribute("recvonly")
	return nil
}

func direction(attributes []sdp.Attribute) (string, error) {
	for _, a := range attributes {
		if isDirection(a.Key) {
			return a.Key, nil
		}
	}
	return "", errDirection
}

func isDirection(key string) bool {
	return key == "recvonly" || key == "sendrecv" || key == "sendonly" || key == "inactive"
}
