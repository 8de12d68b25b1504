package rtsp

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"regexp"
	"strings"
	"syscall"
	"time"

	"github.com/bluenviron/gortsplib/v4/pkg/base"
	"github.com/bluenviron/gortsplib/v4/pkg/liberrors"

	"scrim/transport/rtsp/depacketize"
	"scrim/transport/tlstrust"
)

// Errors of the watchdog and of SETUP.
var (
	errSilent  = errors.New("no complete picture")
	errForeign = errors.New("only packets of another stream")
	errNoGroup = errors.New("no multicast group")
)

// dropReason returns the text of the Gap for a packet that gortsplib dropped.
func dropReason(err error) string {
	// The error does not have a type of its own.
	if strings.Contains(err.Error(), "wrong SSRC") {
		return depacketize.ReasonNewSSRC
	}
	return "undecodable packet"
}

// failure turns the error that ended a session into the error that Run returns.
func (s *session) failure(err error) error {
	if err == nil {
		err = io.EOF
	}
	e := s.explain(err)
	e.Camera = s.client.cfg.Camera
	if e.Delivered = s.units.Load(); e.Delivered > 0 {
		e.Lasted = time.Since(s.start) - time.Duration(s.firstUnit.Load())
	}
	return e
}

func (s *session) explain(err error) *Error {
	var (
		at      = string(s.stage) + " " + redact(s.url) + ": "
		status  liberrors.ErrClientBadStatusCode
		authErr liberrors.ErrClientAuthSetup
		netErr  net.Error
		limit   = s.client.cfg.StallTimeout
	)
	switch {
	case s.dialErr != nil:
		return s.explainDial(at)
	case s.foreign() != "":
		return &Error{Class: ErrProtocol, short: "no RTSP", Reason: at + "the server at port " + port(s.url) + " speaks " + s.foreign(),
			Advice: "check the camera's RTSP port (usually 554)"}
	case errors.Is(err, errSilent):
		return &Error{Class: ErrStalled, Reason: at + fmt.Sprintf("no complete picture for %s", limit),
			Advice: "check that the camera shows a picture elsewhere and its network is not overloaded"}
	case errors.Is(err, errForeign):
		return &Error{Class: ErrStalled, short: "stream restarted", Reason: at + "the camera restarted its stream (SSRC changed)", Advice: "reconnecting"}
	case errors.Is(err, depacketize.ErrNoPicture):
		return &Error{Class: ErrProtocol, short: "no complete picture", Reason: at + s.client.quote(err.Error()),
			Advice: "restart the camera, or check its network for packet loss"}
	case errors.As(err, &status):
		return s.explainStatus(at, status)
	case errors.As(err, &authErr):
		return s.explainCredentials(at)
	case s.described && s.desc.SDP == nil:
		return s.explainDescription(at)
	case errors.As(err, new(liberrors.ErrClientServerRequestedUDP)):
		s.transportRefused = true
		return &Error{Class: ErrProtocol, short: "transport refused", Reason: at + "the camera refuses TCP", Advice: s.otherTransport()}
	case errors.As(err, new(liberrors.ErrClientServerRequestedTCP)):
		return &Error{Class: ErrProtocol, short: "transport refused", Reason: at + "the camera refuses UDP", Advice: s.otherTransport()}
	case errors.As(err, new(liberrors.ErrClientTransportHeaderInvalidDelivery)), errors.Is(err, errNoGroup):
		way := "multicast, which was not requested"
		if s.proto == TransportMulticast {
			way = "no multicast"
		}
		return &Error{Class: ErrProtocol, short: "transport refused", Reason: at + "the camera offers " + way, Advice: s.otherTransport()}
	case errors.As(err, new(liberrors.ErrClientRequestTimedOut)):
		return &Error{Class: ErrUnreachable, short: "no answer", Reason: at + fmt.Sprintf("no answer within %s", s.client.cfg.ReadTimeout),
			Advice: "check that this is the RTSP port, and restart the camera"}
	case errors.As(err, new(liberrors.ErrClientTCPTimeout)), errors.As(err, new(liberrors.ErrClientUDPTimeout)):
		return &Error{Class: ErrStalled, Reason: at + "no packets", Advice: "check that the network lets them through" + s.orTCP()}
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.As(err, &netErr), errors.Is(err, net.ErrClosed),
		errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return &Error{Class: ErrUnreachable, short: "connection lost", Reason: at + "the camera closed the connection",
			Advice: "check whether it is restarting or has too many viewers"}
	default:
		return &Error{Class: ErrProtocol, Reason: at + s.client.quote(err.Error()), Advice: "check that this is the camera's RTSP port"}
	}
}

// foreign names the protocol of the other side if it is not RTSP; empty: it is RTSP, or
// nothing was received.
func (s *session) foreign() string {
	if s.conn == nil {
		return ""
	}
	switch s.conn.protocol.Load() {
	case protocolHTTP:
		return "HTTP, not RTSP"
	case protocolOther:
		return "another protocol, not RTSP"
	}
	return ""
}

func (s *session) explainDial(at string) *Error {
	e := &Error{Class: ErrUnreachable, Advice: "check the address and port, and that the camera is on"}
	var (
		dns *net.DNSError
		op  *net.OpError
		rec tls.RecordHeaderError
	)
	refused := tlstrust.Refused(s.dialErr)
	switch err := s.dialErr; {
	case refused != nil && refused.Pinned:
		e.short, e.Reason, e.Advice = "certificate mismatch", refused.Reason, tlstrust.MismatchAdvice
	case refused != nil:
		e.short, e.Reason = "certificate not trusted", s.client.quote(refused.Reason)
		e.Advice = "pin its certificate with `tls.fingerprint` (scrim probe shows it), or set its certificate authority with `tls.ca`"
	case errors.As(err, &rec):
		e.short, e.Reason, e.Advice = "no TLS", "no TLS on this port", "use rtsp:// or the camera's RTSPS port"
	case errors.Is(err, context.DeadlineExceeded):
		limit := s.client.cfg.ReadTimeout // of TLS
		if errors.As(err, &op) && op.Op == "dial" {
			limit = min(limit, maxDialTime)
		}
		e.short, e.Reason = "no answer", fmt.Sprintf("no connection within %s", limit)
	case errors.Is(err, syscall.ECONNREFUSED):
		e.short, e.Reason = "connection refused", "connection refused"
	case errors.As(err, &dns):
		e.short, e.Reason = "name not found", "its name cannot be resolved"
	case errors.As(err, &op):
		e.Reason = s.client.quote(op.Err.Error())
	default:
		e.Reason = s.client.quote(err.Error())
	}
	e.Reason = at + e.Reason
	return e
}

func (s *session) explainStatus(at string, st liberrors.ErrClientBadStatusCode) *Error {
	code := fmt.Sprintf("%d", st.Code)
	if m, ok := base.StatusMessages[st.Code]; ok {
		code += " " + m
	}
	switch {
	case st.Code == base.StatusUnauthorized && s.challenge.stale:
		return &Error{Class: ErrProtocol, short: "login expired", Reason: at + "the camera let its login challenge expire", Advice: "reconnecting"}
	case st.Code == base.StatusUnauthorized, st.Code == base.StatusForbidden:
		e := s.explainCredentials(at)
		e.Reason += " (" + code + ")"
		return e
	case st.Code == base.StatusNotFound:
		return &Error{Class: ErrNotFound, Reason: at + "the camera has no stream at this path (" + code + ")",
			Advice: "correct the path of the camera's url (its manual names it)"}
	case s.location != "":
		return &Error{Class: ErrProtocol, short: "stream moved elsewhere", Reason: at + "the camera redirects to " + quote(s.location) + " (" + code + ")",
			Advice: "if that is right, set it as the camera's url: redirects to other hosts are not followed"}
	case st.Code == base.StatusUnsupportedTransport:
		return &Error{Class: ErrProtocol, short: "transport refused",
			Reason: at + "the camera refuses transport " + string(s.proto) + " (" + code + ")", Advice: s.otherTransport()}
	case st.Code == base.StatusNotEnoughBandwidth, st.Code == base.StatusServiceUnavailable:
		return &Error{Class: ErrUnreachable, short: "camera busy", Reason: at + "the camera is busy (" + code + ")",
			Advice: "check whether it has too many viewers"}
	default:
		return &Error{Class: ErrProtocol, short: "request refused", Reason: at + "the camera answers " + code + " (" + s.client.quote(st.Message) + ")",
			Advice: "check the url, and restart the camera"}
	}
}

// otherTransport returns the advice for a camera that refuses the current transport.
func (s *session) otherTransport() string {
	switch {
	case s.proto != TransportTCP:
		return "set `transport: tcp`"
	case s.url.Scheme == "rtsps": // UDP would be unencrypted
		return "turn on RTP over RTSP (TCP) in the camera"
	default:
		return "set `transport: udp`"
	}
}

// orTCP returns additional advice if UDP is in use.
func (s *session) orTCP() string {
	if s.proto != TransportTCP {
		return ", or set `transport: tcp`"
	}
	return ""
}

// shortCodecs names codecs for viewers if the camera's names look like names of codecs.
func shortCodecs(names []string) string {
	var plain []string
	for _, n := range names {
		if codecRE.MatchString(n) && len(plain) < 3 {
			plain = append(plain, n)
		}
	}
	return strings.TrimSpace("unsupported codec " + strings.Join(plain, ", "))
}

// codecRE matches names such as H265, MJPEG and VP8.
var codecRE = regexp.MustCompile(`^[A-Z][A-Z0-9-]{1,11}$`)

// lockOut is part of the advice for every refused login.
const lockOut = "the next attempt follows in a minute or later, because cameras lock accounts after about 5 failed logins"

func (s *session) explainCredentials(at string) *Error {
	e := &Error{Class: ErrCredentials, LoginRefused: s.loginSent}
	switch {
	case s.challenge.basicRefused:
		e.short = "only insecure login offered"
		e.Reason = at + "the camera offers only Basic authentication, which would send the password in clear"
		e.Advice = "turn on Digest in the camera, or use rtsps, or set allow_basic"
	case s.challenge.unsupported && !s.loginSent:
		e.short = "login scheme not supported"
		e.Reason = at + "login scheme not supported: the camera offers no Basic login and no Digest login with MD5 or SHA-256 and qop auth or none"
		e.Advice = "turn on Digest in the camera"
	case s.url.User == nil:
		e.short = "no user and password"
		e.Reason = at + "the camera requires user and password, and none are set"
		e.Advice = "set the camera's user and password"
	default:
		e.Reason = at + "the camera refuses user or password"
		e.Advice = "correct the camera's user and password; " + lockOut
	}
	return e
}

func (s *session) explainDescription(at string) *Error {
	switch {
	case s.desc.Interleaved != "":
		return &Error{Class: ErrUnsupportedCodec, short: "unsupported packetization mode",
			Reason: at + "the camera sends " + s.desc.Interleaved + " in interleaved packetization mode",
			Advice: "choose packetization mode 1 in the camera"}
	case len(s.desc.Video) > 0:
		return &Error{Class: ErrUnsupportedCodec, short: shortCodecs(s.desc.Video), Reason: at + "the camera sends " + quote(strings.Join(s.desc.Video, ", ")),
			Advice: "choose H.264, H.265 or MJPEG in the camera's video settings"}
	default:
		what := "nothing"
		if len(s.desc.Other) > 0 {
			what = "only " + quote(strings.Join(s.desc.Other, ", "))
		}
		return &Error{Class: ErrNoVideo, Reason: at + "there is no video track (it offers " + what + ")",
			Advice: "correct the path of the camera's url, or turn video on in the camera"}
	}
}
