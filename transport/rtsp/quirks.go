package rtsp

import (
	"net/netip"
	"strconv"
	"strings"

	"github.com/bluenviron/gortsplib/v4/pkg/base"

	"scrim/transport/auth/digest"
)

// maxSessionSeconds bounds the session timeout that a camera may set. Quirk (gortsplib
// v4.16.2): it computes the keep-alive period from it unchecked, and an overflow would
// send keep-alives in a tight loop; see docs/quirks.md.
const maxSessionSeconds = 3600

func (s *session) onRequest(req *base.Request) {
	s.method = req.Method
	s.authorize(req)
	s.loginSent = s.loginSent || len(req.Header["Authorization"]) > 0
	switch req.Method {
	case base.Setup:
		s.stage = stageSetup
	case base.Play:
		s.stage = stagePlay
	}
}

// authorize answers a challenge with a quality of protection. Quirk (gortsplib
// v4.16.2): its own answer follows RFC 2069, which most cameras accept with MD5 and
// hardly any with SHA-256; see docs/quirks.md.
func (s *session) authorize(req *base.Request) {
	if s.digest == nil || !s.digest.QOP() || len(req.Header["Authorization"]) == 0 {
		return
	}
	password, _ := s.url.User.Password()
	uri := req.URL.CloneWithoutCredentials().String()
	req.Header["Authorization"] = base.HeaderValue{s.digest.Answer(string(req.Method), uri, s.url.User.Username(), password)}
}

// onResponse repairs a response before gortsplib reads it.
func (s *session) onResponse(res *base.Response) {
	if res.Header == nil {
		res.Header = base.Header{}
	}
	repairSession(res.Header)
	if s.method == base.Setup {
		repairTransport(res.Header)
	}
	switch {
	case res.StatusCode == base.StatusUnauthorized:
		s.challenge = chooseChallenge(res.Header["WWW-Authenticate"], s.client.cfg.AllowBasic || s.url.Scheme == "rtsps")
		res.Header["WWW-Authenticate"] = s.challenge.keep
		s.digest = digest.Choose(s.challenge.keep)
	case res.StatusCode == base.StatusForbidden:
	case s.method == base.Options:
		// Cameras without OPTIONS answer in many ways. Quirk (gortsplib v4.16.2): it
		// accepts 404, but then repeats the request in the wrong state and cannot PLAY.
		res.StatusCode = base.StatusOK
	case s.method == base.Describe && res.StatusCode == base.StatusOK:
		s.repairDescription(res)
	case s.method == base.Describe && res.StatusCode > 300 && res.StatusCode < 400:
		s.setRedirect(res)
	case s.method == base.Setup && res.StatusCode == base.StatusUnsupportedTransport:
		s.transportRefused = true
	case s.method == base.Setup:
		s.noGroup = s.proto == TransportMulticast && res.StatusCode == base.StatusOK && !namesGroup(res.Header)
		if s.noGroup { // join nothing, listen nowhere
			delete(res.Header, "Transport")
		}
	case s.method == base.Play && res.StatusCode == base.StatusOK:
		s.stage = stageStream
	}
}

func (s *session) repairDescription(res *base.Response) {
	s.described = true
	s.desc = readDescription(res.Body)
	res.Body = s.desc.SDP
	// Some cameras send no type, or another.
	res.Header["Content-Type"] = base.HeaderValue{"application/sdp"}
	// gortsplib refuses a camera with an unreadable Content-Base. The URL of the
	// request serves as well (RFC 2326, appendix C.1.1).
	cb := res.Header["Content-Base"]
	if len(cb) > 0 {
		v := strings.TrimSpace(cb[0])
		if strings.HasPrefix(v, "/") && validControl(v) || strings.HasPrefix(v, "rtsp") && validSessionControl(v) {
			res.Header["Content-Base"] = base.HeaderValue{v}
		} else {
			delete(res.Header, "Content-Base")
		}
	}
}

// setRedirect stores where a camera redirects the client. gortsplib would follow any
// redirect, without end, with the password. Only the same host is allowed (SSRF), and
// never a change from TLS to plain.
func (s *session) setRedirect(res *base.Response) {
	loc := res.Header["Location"]
	delete(res.Header, "Location")
	if len(loc) != 1 {
		return
	}
	s.location = RedactURL(loc[0])
	u, err := parseURL(loc[0])
	if err != nil || !strings.EqualFold(u.Hostname(), s.url.Hostname()) || (s.url.Scheme == "rtsps" && u.Scheme != "rtsps") {
		return
	}
	u.User = s.url.User
	s.redirect = u
}

// repairSession keeps the session's id, and its timeout if that is valid.
func repairSession(h base.Header) {
	v := h["Session"]
	if len(v) == 0 {
		return
	}
	id, rest, _ := strings.Cut(v[0], ";")
	timeout := ""
	for p := range strings.SplitSeq(rest, ";") {
		key, val, _ := strings.Cut(p, "=")
		n, err := strconv.ParseUint(strings.TrimSpace(val), 10, 31)
		if strings.EqualFold(strings.TrimSpace(key), "timeout") && err == nil && n >= 1 && n <= maxSessionSeconds {
			timeout = ";timeout=" + strconv.FormatUint(n, 10)
			break
		}
	}
	h["Session"] = base.HeaderValue{strings.TrimSpace(id) + timeout}
}

// namesGroup reports whether a camera sends to an IPv4 multicast group.
func namesGroup(h base.Header) bool {
	for _, v := range h["Transport"] {
		for p := range strings.SplitSeq(v, ";") {
			key, value, _ := strings.Cut(strings.TrimSpace(p), "=")
			if strings.EqualFold(key, "destination") {
				ip, err := netip.ParseAddr(value)
				return err == nil && ip.Is4() && ip.IsMulticast()
			}
		}
	}
	return false
}

// repairTransport removes the source address. Quirk (gortsplib v4.16.2): it sends UDP
// packets to any host that the camera names there; see docs/quirks.md.
func repairTransport(h base.Header) {
	v := h["Transport"]
	if len(v) == 0 {
		return
	}
	var keep []string
	for p := range strings.SplitSeq(v[0], ";") {
		if !strings.HasPrefix(strings.ToLower(strings.TrimSpace(p)), "source=") {
			keep = append(keep, p)
		}
	}
	h["Transport"] = base.HeaderValue{strings.Join(keep, ";")}
}
