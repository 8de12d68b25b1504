package webrtc

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pion/ice/v2"
	"github.com/pion/interceptor"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/rtp/codecs"
	pion "github.com/pion/webrtc/v3"
	"github.com/stretchr/testify/require"

	"scrim/transport/transporttest"
)

// sample is one access unit as a viewer got it.
type sample struct {
	n        uint64 // of the unit
	key      bool
	stamp    uint32 // 90 kHz
	captured time.Time
	delay    []byte // playout delay
}

// client is a viewer as a browser is one.
type client struct {
	pc       *pion.PeerConnection
	base     string
	token    string
	location string
	etag     string
	header   http.Header
	answer   string
	samples  chan sample
	track    chan *pion.TrackRemote

	mu   sync.Mutex
	seqs []uint16
}

// newClient prepares a peer connection.
func newClient(t *testing.T) *client {
	t.Helper()
	var media pion.MediaEngine
	require.NoError(t, media.RegisterDefaultCodecs())
	for _, uri := range []string{playoutDelayURI, absCaptureTimeURI} {
		require.NoError(t, media.RegisterHeaderExtension(pion.RTPHeaderExtensionCapability{URI: uri}, pion.RTPCodecTypeVideo))
	}
	var settings pion.SettingEngine
	settings.SetIncludeLoopbackCandidate(true)
	settings.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	// A viewer whose gateway is gone notices it in a second, not in five.
	settings.SetICETimeouts(time.Second, 30*time.Second, 200*time.Millisecond)
	settings.LoggerFactory = pionLogs{slog.New(slog.DiscardHandler)}
	// No interceptors: what comes is what was sent.
	api := pion.NewAPI(pion.WithMediaEngine(&media), pion.WithSettingEngine(settings), pion.WithInterceptorRegistry(&interceptor.Registry{}))
	pc, err := api.NewPeerConnection(pion.Configuration{})
	require.NoError(t, err)
	c := &client{pc: pc, samples: make(chan sample, 4096), track: make(chan *pion.TrackRemote, 1)}
	var reading sync.WaitGroup
	pc.OnTrack(func(track *pion.TrackRemote, r *pion.RTPReceiver) {
		reading.Add(1)
		defer reading.Done()
		c.track <- track
		c.receive(t, track, negotiatedBy(r))
	})
	t.Cleanup(func() {
		_ = pc.GracefulClose()
		reading.Wait()
	})
	return c
}

func negotiatedBy(r *pion.RTPReceiver) extensions {
	return negotiated(pion.RTPSendParameters{RTPParameters: r.GetParameters()})
}

// offer makes an offer with all candidates.
func (c *client) offer(t *testing.T) string {
	t.Helper()
	if len(c.pc.GetTransceivers()) == 0 {
		_, err := c.pc.AddTransceiverFromKind(pion.RTPCodecTypeVideo, pion.RTPTransceiverInit{Direction: pion.RTPTransceiverDirectionRecvonly})
		require.NoError(t, err)
	}
	o, err := c.pc.CreateOffer(nil)
	require.NoError(t, err)
	gathered := pion.GatheringCompletePromise(c.pc)
	require.NoError(t, c.pc.SetLocalDescription(o))
	<-gathered
	return c.pc.LocalDescription().SDP
}

// post sends an offer and takes the answer.
func (c *client) post(t *testing.T, base, camera, offer string) {
	t.Helper()
	c.base = base
	res, body := do(t, http.MethodPost, base+"/whep/"+camera, offer, "Content-Type", mimeSDP, "Authorization", "Bearer "+c.token)
	require.Equal(t, http.StatusCreated, res.StatusCode, body)
	c.header, c.answer = res.Header, body
	c.location, c.etag = resource(t, base+"/whep/"+camera, res), res.Header.Get("ETag")
	require.NoError(t, c.pc.SetRemoteDescription(pion.SessionDescription{Type: pion.SDPTypeAnswer, SDP: body}))
}

// watch opens a session and waits until it is connected.
func watch(t *testing.T, g *rig, camera string) *client {
	t.Helper()
	c := newClient(t)
	connected := c.whenConnected()
	c.post(t, g.url, camera, c.offer(t))
	await(t, connected)
	return c
}

func (c *client) whenConnected() <-chan struct{} {
	connected := make(chan struct{})
	var once sync.Once
	c.pc.OnConnectionStateChange(func(s pion.PeerConnectionState) {
		if s == pion.PeerConnectionStateConnected {
			once.Do(func() { close(connected) })
		}
	})
	return connected
}

func await(t *testing.T, ch <-chan struct{}) {
	t.Helper()
	select {
	case <-ch:
	case <-transporttest.Context(t).Done():
		require.Fail(t, "it did not happen")
	}
}

// receive turns packets into access units.
func (c *client) receive(t *testing.T, track *pion.TrackRemote, ext extensions) {
	var depacketise codecs.H264Packet
	var data []byte
	var now sample
	for {
		p, _, err := track.ReadRTP()
		if err != nil {
			close(c.samples)
			return
		}
		c.mu.Lock()
		c.seqs = append(c.seqs, p.SequenceNumber)
		c.mu.Unlock()
		part, err := depacketise.Unmarshal(p.Payload)
		if err != nil {
			t.Errorf("packet %d: %v", p.SequenceNumber, err)
			return
		}
		data = append(data, part...)
		now.stamp = p.Timestamp
		c.extensions(&now, p, ext)
		if p.Marker {
			now.n, now.key = transporttest.Number(t, data)
			c.samples <- now
			data, now = nil, sample{}
		}
	}
}

func (c *client) extensions(s *sample, p *rtp.Packet, ext extensions) {
	if b := p.GetExtension(ext.captureTime); b != nil {
		s.captured = ntp(b)
	}
	s.delay = p.GetExtension(ext.playoutDelay)
}

// next waits for an access unit.
func (c *client) next(t *testing.T) sample {
	t.Helper()
	select {
	case s, ok := <-c.samples:
		require.True(t, ok, "the track ended")
		return s
	case <-transporttest.Context(t).Done():
		require.Fail(t, "no access unit", "connection is %s", c.pc.ConnectionState())
		return sample{}
	}
}

func (c *client) media(t *testing.T) *pion.TrackRemote {
	t.Helper()
	select {
	case track := <-c.track:
		c.track <- track
		return track
	case <-transporttest.Context(t).Done():
		require.Fail(t, "no track")
		return nil
	}
}

func (c *client) pli(t *testing.T) {
	t.Helper()
	require.NoError(t, c.pc.WriteRTCP([]rtcp.Packet{&rtcp.PictureLossIndication{MediaSSRC: uint32(c.media(t).SSRC())}}))
}

// reply is an answer to a request without its body.
type reply struct {
	StatusCode int
	Header     http.Header
}

// do makes a request; headers come in pairs.
func do(t *testing.T, method, url, body string, headers ...string) (reply, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(transporttest.Context(t), method, url, strings.NewReader(body))
	require.NoError(t, err)
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	tr := &http.Transport{}
	defer tr.CloseIdleConnections()
	res, err := (&http.Client{Transport: tr}).Do(req)
	require.NoError(t, err)
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return reply{StatusCode: res.StatusCode, Header: res.Header}, string(b)
}

// open makes a session that nobody connects to, and returns its address.
func open(t *testing.T, g *rig, camera string) (location, etag string) {
	t.Helper()
	res, body := do(t, http.MethodPost, g.url+"/whep/"+camera, sdpOffer(), "Content-Type", mimeSDP)
	require.Equal(t, http.StatusCreated, res.StatusCode, body)
	return resource(t, g.url+"/whep/"+camera, res), res.Header.Get("ETag")
}

// resource is the address of a session that was opened at another address.
func resource(t *testing.T, opened string, res reply) string {
	t.Helper()
	base, err := url.Parse(opened)
	require.NoError(t, err)
	at, err := base.Parse(res.Header.Get("Location"))
	require.NoError(t, err)
	return at.String()
}

// sdpOffer is the offer of a browser, without candidates. Lines that begin with
// one of drop are left out, and add goes to the end of the video section.
func sdpOffer(change ...string) string {
	lines := []string{
		"v=0", "o=- 4611731400430051336 2 IN IP4 127.0.0.1", "s=-", "t=0 0", "a=group:BUNDLE 0", "a=msid-semantic: WMS",
		"m=video 9 UDP/TLS/RTP/SAVPF 96 103 104 107 109 114", "c=IN IP4 0.0.0.0", "a=rtcp:9 IN IP4 0.0.0.0",
		"a=ice-ufrag:EsAw", "a=ice-pwd:bP+XJMM09aR8AiX1jdukzR6Y", "a=ice-options:trickle",
		"a=fingerprint:sha-256 0F:74:31:25:CB:A2:13:EC:28:6F:6D:2C:61:FF:5D:C2:BC:B9:DB:3D:98:14:8D:1A:BB:EA:33:0C:A4:60:A8:8E",
		"a=setup:actpass", "a=mid:0", "a=extmap:3 " + playoutDelayURI, "a=recvonly", "a=rtcp-mux", "a=rtcp-rsize",
		"a=rtpmap:96 VP8/90000", "a=rtcp-fb:96 nack", "a=rtcp-fb:96 nack pli",
		"a=rtpmap:103 H264/90000", "a=rtcp-fb:103 nack", "a=rtcp-fb:103 nack pli",
		"a=fmtp:103 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42001f", "a=rtpmap:104 rtx/90000", "a=fmtp:104 apt=103",
		"a=rtpmap:107 H264/90000", "a=fmtp:107 level-asymmetry-allowed=1;packetization-mode=0;profile-level-id=42001f",
		"a=rtpmap:109 H264/90000", "a=rtcp-fb:109 nack", "a=rtcp-fb:109 nack pli", "a=rtcp-fb:109 ccm fir",
		"a=fmtp:109 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f", "a=rtpmap:114 rtx/90000", "a=fmtp:114 apt=109",
	}
	sdp := strings.Join(lines, "\r\n") + "\r\n"
	for i := 0; i+1 < len(change); i += 2 {
		if !strings.Contains(sdp, change[i]) {
			panic(fmt.Sprintf("offer does not contain %q", change[i]))
		}
		sdp = strings.ReplaceAll(sdp, change[i], change[i+1])
	}
	return sdp
}
