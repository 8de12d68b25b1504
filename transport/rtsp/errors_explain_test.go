package rtsp

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"

	"github.com/bluenviron/gortsplib/v4/pkg/base"
	"github.com/bluenviron/gortsplib/v4/pkg/liberrors"
	"github.com/stretchr/testify/require"

	"scrim/transport"
	"scrim/transport/rtsp/depacketize"
	"scrim/transport/tlstrust"
)

// TestFailuresSayMuchToTheLogAndLittleToViewers goes through every way in which
// a session can fail.
func TestFailuresSayMuchToTheLogAndLittleToViewers(t *testing.T) {
	status := func(code base.StatusCode, message string) error {
		return liberrors.ErrClientBadStatusCode{Code: code, Message: message}
	}
	dial := func(err error) func(*session) { return func(s *session) { s.dialErr = err } }
	described := func(d videoDescription) func(*session) {
		return func(s *session) { s.described, s.desc = true, d }
	}
	udp := func(s *session) { s.proto = TransportUDP }
	const said = "c4mera s4ys s3cret"
	for _, tt := range []struct {
		name          string
		scheme        string
		set           func(*session)
		err           error
		class         error
		public        string
		advice, avoid string
	}{
		{name: "refused", set: dial(&net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}), class: ErrUnreachable, public: "connection refused"},
		{name: "dial timeout", set: dial(context.DeadlineExceeded), class: ErrUnreachable, public: "no answer"},
		{name: "name", set: dial(&net.DNSError{Name: "s3cret.example"}), class: ErrUnreachable, public: "name not found"},
		{name: "no route", set: dial(&net.OpError{Op: "dial", Err: syscall.EHOSTUNREACH}), class: ErrUnreachable, public: "camera unreachable"},
		{name: "other dial error", set: dial(errors.New(said)), class: ErrUnreachable, public: "camera unreachable"},
		{name: "certificate", set: dial(&tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}), class: ErrUnreachable,
			public: "certificate not trusted", advice: "tls.fingerprint", avoid: "TLS settings"},
		{name: "no TLS", set: dial(tls.RecordHeaderError{}), class: ErrUnreachable, public: "no TLS"},
		{name: "silent", err: errSilent, class: ErrStalled, public: "stream stalled"},
		{name: "foreign", err: errForeign, class: ErrStalled, public: "stream restarted"},
		{name: "no units", err: fmt.Errorf("%w: %s", depacketize.ErrNoPicture, said), class: ErrProtocol, public: "no complete picture"},
		{name: "wrong password", err: status(401, ""), class: ErrCredentials, public: "wrong user or password"},
		{name: "forbidden", err: status(403, ""), class: ErrCredentials, public: "wrong user or password"},
		{name: "no password", set: func(s *session) { s.url = s.url.CloneWithoutCredentials() }, err: status(401, ""),
			class: ErrCredentials, public: "no user and password"},
		{name: "basic", set: func(s *session) { s.challenge.basicRefused = true }, err: liberrors.ErrClientAuthSetup{Err: errors.New(said)},
			class: ErrCredentials, public: "only insecure login offered"},
		{name: "scheme", set: func(s *session) { s.challenge.unsupported = true }, err: liberrors.ErrClientAuthSetup{Err: errors.New(said)},
			class: ErrCredentials, public: "login scheme not supported"},
		{name: "refused, and then an odd challenge", set: func(s *session) { s.challenge.unsupported, s.loginSent = true, true }, err: status(401, ""),
			class: ErrCredentials, public: "wrong user or password"},
		{name: "stale", set: func(s *session) { s.challenge.stale = true }, err: status(401, ""), class: ErrProtocol, public: "login expired"},
		{name: "not found", err: status(404, said), class: ErrNotFound, public: "stream not found"},
		{name: "redirect", set: func(s *session) { s.location = "rtsp://s3cret/" }, err: status(302, said), class: ErrProtocol,
			public: "stream moved elsewhere"},
		{name: "TCP refused", err: status(461, said), class: ErrProtocol, public: "transport refused", advice: "set `transport: udp`"},
		{name: "UDP refused", set: udp, err: status(461, said), class: ErrProtocol, public: "transport refused", advice: "set `transport: tcp`"},
		{name: "TCP refused with TLS", scheme: "rtsps", err: status(461, said), class: ErrProtocol, public: "transport refused",
			advice: "turn on RTP over RTSP", avoid: "udp"},
		{name: "UDP demanded", err: liberrors.ErrClientServerRequestedUDP{}, class: ErrProtocol, public: "transport refused",
			advice: "set `transport: udp`"},
		{name: "TCP demanded", set: udp, err: liberrors.ErrClientServerRequestedTCP{}, class: ErrProtocol, public: "transport refused",
			advice: "set `transport: tcp`"},
		{name: "busy", err: status(453, said), class: ErrUnreachable, public: "camera busy"},
		{name: "other status", err: status(500, said), class: ErrProtocol, public: "request refused"},
		{name: "AV1", set: described(videoDescription{Video: []string{"AV1"}}), err: errors.New(said), class: ErrUnsupportedCodec,
			public: "unsupported codec AV1"},
		{name: "several", set: described(videoDescription{Video: []string{"AV1", said, "VP9"}}), err: errors.New(said),
			class: ErrUnsupportedCodec, public: "unsupported codec AV1, VP9"},
		{name: "codec that is none", set: described(videoDescription{Video: []string{said}}), err: errors.New(said),
			class: ErrUnsupportedCodec, public: "unsupported codec"},
		{name: "interleaved", set: described(videoDescription{Interleaved: "H.264"}), err: errors.New(said), class: ErrUnsupportedCodec,
			public: "unsupported packetization mode"},
		{name: "audio", set: described(videoDescription{Other: []string{said}}), err: errors.New(said), class: ErrNoVideo, public: "no video track"},
		{name: "no answer", err: liberrors.ErrClientRequestTimedOut{}, class: ErrUnreachable, public: "no answer"},
		{name: "no packets", err: liberrors.ErrClientTCPTimeout{}, class: ErrStalled, public: "stream stalled", avoid: "transport"},
		{name: "no packets over UDP", set: udp, err: liberrors.ErrClientUDPTimeout{}, class: ErrStalled, public: "stream stalled",
			advice: "set `transport: tcp`"},
		{name: "closed", err: io.EOF, class: ErrUnreachable, public: "connection lost"},
		{name: "nonsense", err: errors.New(said), class: ErrProtocol, public: "protocol error"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.scheme == "" {
				tt.scheme = "rtsp"
			}
			c, err := NewClient(Config{Camera: "front", URL: tt.scheme + "://admin:hunter2@10.11.12.13:8554/live/s3cret"})
			require.NoError(t, err)
			s := newSession(c, c.url, TransportTCP, func(transport.CameraUnit) {})
			if tt.set != nil {
				tt.set(s)
			}
			e, ok := errors.AsType[*Error](s.failure(tt.err))
			require.True(t, ok)
			require.ErrorIs(t, e, tt.class)
			require.Equal(t, tt.public, e.Public())
			for _, secret := range []string{"s3cret", "s4ys", "10.11.12.13", "8554", "admin", "hunter2"} {
				require.NotContains(t, e.Public(), secret)
			}
			text := e.Error()
			require.Contains(t, text, "camera front: ")
			require.Contains(t, text, "10.11.12.13:8554/live/s3cret", "the log names the camera")
			require.NotContains(t, text, "hunter2")
			require.NotContains(t, text, "\n")
			require.NotEmpty(t, e.Advice)
			require.Contains(t, e.Advice, tt.advice)
			require.NotContains(t, text, "auto", "the configuration knows tcp and udp")
			if tt.avoid != "" {
				require.NotContains(t, e.Advice, tt.avoid)
			}
		})
	}
}

// TestErrorsAreShortHoweverMuchACameraSays: the advice at their end must be visible.
func TestErrorsAreShortHoweverMuchACameraSays(t *testing.T) {
	c, err := NewClient(Config{Camera: strings.Repeat("c", transport.MaxNameBytes), URL: "rtsp://host/" + strings.Repeat("p", 200)})
	require.NoError(t, err)
	var names []string
	for i := range maxListedCodecs {
		names = append(names, quote(fmt.Sprint(i, strings.Repeat("x", 1000))))
	}
	long := strings.Repeat("long ", 1000)
	pinned := tlstrust.Trust{Fingerprint: strings.Repeat("0", 64)}.ClientConfig("host").
		VerifyConnection(tls.ConnectionState{PeerCertificates: []*x509.Certificate{{}}})
	for what, end := range map[string]struct {
		set func(*session)
		err error
	}{
		"codecs":   {func(s *session) { s.described, s.desc = true, videoDescription{Video: names} }, io.EOF},
		"others":   {func(s *session) { s.described, s.desc = true, videoDescription{Other: names} }, io.EOF},
		"redirect": {func(s *session) { s.location = long }, liberrors.ErrClientBadStatusCode{Code: 302, Message: long}},
		"status":   {nil, liberrors.ErrClientBadStatusCode{Code: 599, Message: long}},
		"dial":     {func(s *session) { s.dialErr = errors.New(long) }, io.EOF},
		"pin":      {func(s *session) { s.dialErr = pinned }, io.EOF},
		"nonsense": {nil, errors.New(long)},
	} {
		s := newSession(c, c.url, TransportTCP, func(transport.CameraUnit) {})
		if end.set != nil {
			end.set(s)
		}
		require.Less(t, len(s.failure(end.err).Error()), 800, what)
	}
}

func TestEveryClassHasWordsForViewers(t *testing.T) {
	for _, class := range []error{
		ErrConfig, ErrUnreachable, ErrCredentials, ErrNotFound, ErrNoVideo, ErrUnsupportedCodec, ErrStalled, ErrProtocol,
	} {
		said := (&Error{Camera: "front", Class: class, Reason: "rtsp://h/s3cret", Advice: "s3cret"}).Public()
		require.NotEqual(t, (&Error{}).Public(), said, class)
		require.NotContains(t, said, "s3cret")
		require.Less(t, len(strings.Fields(said)), 6)
	}
	require.Equal(t, "connection to the camera failed", (&Error{}).Public())
}
