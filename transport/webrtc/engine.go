package webrtc

import (
	"context"
	"fmt"
	"net"
	"slices"
	"time"

	"github.com/pion/ice/v2"
	"github.com/pion/interceptor"
	"github.com/pion/interceptor/pkg/nack"
	"github.com/pion/interceptor/pkg/report"
	"github.com/pion/logging"
	"github.com/pion/rtp"
	pion "github.com/pion/webrtc/v3"

	"scrim/transport"
)

const (
	playoutDelayURI   = "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay"
	absCaptureTimeURI = "http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time"
)

// ICE: when a silent viewer counts as disconnected and as gone, and how often an idle
// viewer sends keep-alives.
const (
	iceDisconnected = 3 * time.Second
	iceFailed       = 7 * time.Second
	iceKeepAlive    = 2 * time.Second
)

const (
	// nackPackets are kept for each viewer for retransmission: about a second.
	nackPackets = 512
	// Kernel buffers of the shared UDP port, in bytes. It carries the bursts of all
	// viewers.
	udpReadBuffer  = 1 << 20
	udpWriteBuffer = 4 << 20
)

// profiles are the first two bytes of profile-level-id, in hexadecimal, of the H.264
// profiles whose decoders can decode the redactors' constrained baseline: constrained
// baseline, in both common spellings, and baseline.
var profiles = []string{"42e0", "42c0", "4200"}

// codec describes the video for a profile. The levels of both sides may differ (RFC
// 6184, section 8.1).
func codec(profile string) pion.RTPCodecCapability {
	return pion.RTPCodecCapability{
		MimeType:    pion.MimeTypeH264,
		ClockRate:   transport.ClockRate,
		SDPFmtpLine: "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=" + profile + "1f",
		RTCPFeedback: []pion.RTCPFeedback{
			{Type: "nack"}, {Type: "nack", Parameter: "pli"}, {Type: "ccm", Parameter: "fir"},
		},
	}
}

// newAPI returns what all peer connections share.
func (g *Gateway) newAPI() (*pion.API, error) {
	var media pion.MediaEngine
	for i, profile := range profiles {
		c := pion.RTPCodecParameters{RTPCodecCapability: codec(profile), PayloadType: pion.PayloadType(102 + 2*i)}
		if err := media.RegisterCodec(c, pion.RTPCodecTypeVideo); err != nil {
			return nil, fmt.Errorf("register H.264: %w", err)
		}
	}
	for _, uri := range []string{playoutDelayURI, absCaptureTimeURI} {
		if err := media.RegisterHeaderExtension(pion.RTPHeaderExtensionCapability{URI: uri},
			pion.RTPCodecTypeVideo, pion.RTPTransceiverDirectionSendonly); err != nil {
			return nil, fmt.Errorf("register header extension %s: %w", uri, err)
		}
	}
	var chain interceptor.Registry
	// The first interceptor is next to the network: it sees retransmissions too.
	chain.Add(&retransmitCap{count: &g.count})
	reports, err := report.NewSenderInterceptor(report.SenderLog(pionLog{log: g.log, scope: "report"}))
	if err != nil {
		return nil, fmt.Errorf("sender reports: %w", err)
	}
	responder, err := nack.NewResponderInterceptor(nack.ResponderSize(nackPackets), nack.ResponderLog(pionLog{log: g.log, scope: "nack"}))
	if err != nil {
		return nil, fmt.Errorf("retransmission: %w", err)
	}
	chain.Add(reports)
	chain.Add(responder)
	return pion.NewAPI(pion.WithMediaEngine(&media), pion.WithInterceptorRegistry(&chain), pion.WithSettingEngine(g.settings())), nil
}

func (g *Gateway) settings() pion.SettingEngine {
	var s pion.SettingEngine
	s.SetICETimeouts(g.times.iceDisconnected, g.times.iceFailed, iceKeepAlive)
	s.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	s.SetNetworkTypes([]pion.NetworkType{pion.NetworkTypeUDP4, pion.NetworkTypeUDP6})
	s.DisableActiveTCP(true)
	// A viewer on the same machine may have no other candidate.
	s.SetIncludeLoopbackCandidate(true)
	s.SetIPFilter(usable)
	s.SetDTLSConnectContextMaker(func() (context.Context, func()) { return context.WithTimeout(g.ctx, connectTimeout) })
	s.LoggerFactory = pionLogs{g.log}
	if g.mux != nil {
		s.SetICEUDPMux(g.mux)
	}
	return s
}

// usable excludes link-local addresses. They would need a zone, which an ICE candidate
// cannot contain.
func usable(ip net.IP) bool { return !ip.IsLinkLocalUnicast() }

// listenUDP opens the port on every interface. With one socket each, answers leave from
// the address that received the request.
func listenUDP(port int, log logging.LeveledLogger) (*ice.MultiUDPMuxDefault, error) {
	return ice.NewMultiUDPMuxFromPort(port,
		ice.UDPMuxFromPortWithLoopback(),
		ice.UDPMuxFromPortWithIPFilter(usable),
		ice.UDPMuxFromPortWithReadBufferSize(udpReadBuffer),
		ice.UDPMuxFromPortWithWriteBufferSize(udpWriteBuffer),
		ice.UDPMuxFromPortWithLogger(log))
}

// extensions are the identifiers of header extensions that a viewer has accepted; 0:
// not accepted.
type extensions struct{ playoutDelay, captureTime uint8 }

func negotiated(p pion.RTPSendParameters) extensions {
	find := func(uri string) uint8 {
		i := slices.IndexFunc(p.HeaderExtensions, func(e pion.RTPHeaderExtensionParameter) bool { return e.URI == uri })
		if i < 0 || p.HeaderExtensions[i].ID < 1 || p.HeaderExtensions[i].ID > 14 { // RFC 8285, one-byte form
			return 0
		}
		return uint8(p.HeaderExtensions[i].ID)
	}
	return extensions{playoutDelay: find(playoutDelayURI), captureTime: find(absCaptureTimeURI)}
}

// noDelay asks the browser to show each picture as soon as possible.
var noDelay = []byte{0, 0, 0}

// put adds the extensions to a packet's header. The first packet of a picture has its
// capture time.
func (e extensions) put(h *rtp.Header, first bool, captured time.Time) {
	if e.playoutDelay != 0 {
		_ = h.SetExtension(e.playoutDelay, noDelay) // cannot fail for these sizes and identifiers
	}
	if e.captureTime != 0 && first && !captured.IsZero() {
		if b, err := rtp.NewAbsCaptureTimeExtension(captured).Marshal(); err == nil {
			_ = h.SetExtension(e.captureTime, b)
		}
	}
}
