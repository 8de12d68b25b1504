package rtsp

import (
	"net/netip"
	"strconv"
	"strings"

	"github.com/bluenviron/gortsplib/v4/pkg/base"

	"scrim/transport/auth/digest"
)

// maxSessionSeconds bounds the session timeout that a camera may name. gortsplib
// computes the keep-alive period from it without a check: an overflow would
// send keep-alives in a tight loop.
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

// authorize answers a challenge that asks for a quality of protection. TRAPS:
// gortsplib's own answer is that of RFC 2069, which most cameras take for MD5 and
// hardly any for SHA-256.
func (s *session) authorize(req *base.Request) {
	if s.digest == nil || !s.digest.QOP() || len(req.Header["Authorization"]) == 0 {
		return
	}
	password, _ := s.url.User.Password()
	uri := req.URL.CloneWithoutCredentials().String()
	req.Header["Authorization"] = base.HeaderValue{s.digest.Answer(string(req.Method), uri, s.url.User.Username(), password)}
}

// onResponse mends a response before gortsplib reads it.
func (s *session) onResponse(res *base.Response) {
	if res.Header == nil {
		res.Header = base.Header{}
	}
	mendSession(res.Header)
	if s.method == base.Setup {
		mendTransport(res.Header)
	}
	switch {
	case res.StatusCode == base.StatusUnauthorized:
		s.challenge = chooseChallenge(res.Header["WWW-Authenticate"], s.client.cfg.AllowBasic || s.url.Scheme == "rtsps")
		res.Header["WWW-Authenticate"] = s.challenge.keep
		s.digest = digest.Choose(s.challenge.keep)
	case res.StatusCode == base.StatusForbidden:
	case s.method == base.Options:
		// Cameras that do not know OPTIONS say so in many ways. gortsplib lets 404
		// pass, but then cannot PLAY, because it asks again and is in the wrong state.
		res.StatusCode = base.StatusOK
	case s.method == base.Describe && res.StatusCode == base.StatusOK:
		s.mendDescription(res)
	case s.method == base.Describe && res.StatusCode > 300 && res.StatusCode < 400:
		s.follow(res)
	case s.method == base.Setup && res.StatusCode == base.StatusUnsupportedTransport:
		s.transportRefused = true
	case s.method == base.Setup:
		s.noGroup = s.proto == TransportMulticast && res.StatusCode == base.StatusOK && !namesGroup(res.Header)
		if s.noGroup { // nothing else is joined or listened at
			delete(res.Header, "Transport")
		}
	case s.method == base.Play && res.StatusCode == base.StatusOK:
		s.stage = stageStream
	}
}

func (s *session) mendDescription(res *base.Response) {
	s.described = true
	s.desc = readDescription(res.Body)
	res.Body = s.desc.SDP
	// Some cameras name no type, or another.
	res.Header["Content-Type"] = base.HeaderValue{"application/sdp"}
	// A Content-Base that cannot be read makes gortsplib refuse the camera; the
	// request's own URL does as well (RFC 2326, appendix C.1.1).
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

// follow notes where a camera sends the client. gortsplib would go anywhere,
// without end, and take the password along; here it is the same host or nothing
// (SSRF), and never from TLS to plain.
func (s *session) follow(res *base.Response) {
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

// mendSession keeps the session's id, and its timeout where that is sane.
func mendSession(h base.Header) {
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

// mendTransport takes out the source address: gortsplib sends UDP packets to
// whatever host the camera names there.
func mendTransport(h base.Header) {
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
