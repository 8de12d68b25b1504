package webrtc

import (
	"errors"
	"net/http"
	"strings"

	"github.com/pion/ice/v2"
	pion "github.com/pion/webrtc/v3"
)

// fragment is the content of an application/trickle-ice-sdpfrag body (RFC 8840, section
// 9).
type fragment struct {
	ufrag      string // empty: missing
	candidates []pion.ICECandidateInit
	listed     int  // candidates, of known and unknown kinds
	end        bool // no more candidates follow
}

// parseFragment reads a fragment of at most maxFragmentBytes. It ignores lines that do
// not concern ICE.
func parseFragment(raw []byte) (*fragment, error) {
	f := &fragment{}
	mid := ""
	understood := 0
	for line := range strings.Lines(string(raw)) {
		line = strings.TrimRight(line, "\r\n")
		if line == "" {
			continue
		}
		if len(line) < 2 || line[1] != '=' {
			return nil, refuse(http.StatusUnprocessableEntity, "invalid line of SDP: %.60q", line)
		}
		key, value, _ := strings.Cut(line, ":")
		switch {
		case key == "a=ice-ufrag":
			f.ufrag = value
		case key == "a=ice-pwd": // the session has it
		case key == "a=mid":
			mid = value
			continue
		case line == "a=end-of-candidates":
			f.end = true
		case key == "a=candidate":
			if f.listed++; f.listed > maxCandidates {
				return nil, refuse(http.StatusUnprocessableEntity, "more than %d candidates", maxCandidates)
			}
			c, known, err := parseCandidate(value, mid)
			if err != nil {
				return nil, err
			}
			if known {
				f.candidates = append(f.candidates, c)
			}
		default:
			continue
		}
		understood++
	}
	if understood == 0 {
		return nil, refuse(http.StatusUnprocessableEntity, "the body contains no ICE candidates and no credentials")
	}
	return f, nil
}

// parseCandidate reads the value of "a=candidate:". An unknown kind of candidate or
// transport is not an error (RFC 8839, section 5.1).
func parseCandidate(value, mid string) (init pion.ICECandidateInit, known bool, err error) {
	_, err = ice.UnmarshalCandidate(value)
	switch {
	case errors.Is(err, ice.ErrUnknownCandidateTyp), errors.Is(err, ice.ErrDetermineNetworkType):
		return init, false, nil
	case err != nil:
		return init, false, refuse(http.StatusUnprocessableEntity, "candidate %.80q: %s", value, brief(err))
	}
	init.Candidate = "candidate:" + value
	if mid != "" {
		init.SDPMid = &mid
	}
	return init, true, nil
}
