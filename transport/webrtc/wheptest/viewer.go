// Package wheptest watches a camera as a browser does: over WHEP
// (draft-ietf-wish-whep) and WebRTC. It serves tests and measurements.
package wheptest

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/webrtc/v3"
)

const (
	// absCaptureTimeURI names the header extension with a picture's capture time.
	absCaptureTimeURI = "http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time"
	// closeTimeout bounds the request that ends a session.
	closeTimeout = 2 * time.Second
	// maxAnswer bounds the gateway's answer in bytes.
	maxAnswer = 1 << 20
)

// Packet is a received RTP packet of the camera.
type Packet struct {
	*rtp.Packet
	Arrived time.Time
	// Captured is the capture time of its picture, in the first packet of a picture;
	// zero in others.
	Captured time.Time
}

// Viewer watches one camera.
type Viewer struct {
	pc       *webrtc.PeerConnection
	location string
	track    *webrtc.TrackRemote
	ended    chan struct{} // closed after the last packet
}

// Watch opens a session on base, such as "http://127.0.0.1:8080", and returns when
// there is video. The caller closes it. Until the session ends, each is called with
// every packet, on one goroutine.
func Watch(ctx context.Context, base, camera string, each func(Packet)) (*Viewer, error) {
	api, err := newAPI()
	if err != nil {
		return nil, fmt.Errorf("watch %s: %w", camera, err)
	}
	pc, err := api.NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		return nil, fmt.Errorf("watch %s: %w", camera, err)
	}
	v := &Viewer{pc: pc, ended: make(chan struct{})}
	if err := v.open(ctx, base, camera, each); err != nil {
		v.Close()
		return nil, fmt.Errorf("watch %s: %w", camera, err)
	}
	return v, nil
}

func newAPI() (*webrtc.API, error) {
	var engine webrtc.MediaEngine
	if err := engine.RegisterDefaultCodecs(); err != nil {
		return nil, err
	}
	capture := webrtc.RTPHeaderExtensionCapability{URI: absCaptureTimeURI}
	if err := engine.RegisterHeaderExtension(capture, webrtc.RTPCodecTypeVideo, webrtc.RTPTransceiverDirectionRecvonly); err != nil {
		return nil, err
	}
	var settings webrtc.SettingEngine
	settings.SetIncludeLoopbackCandidate(true)
	return webrtc.NewAPI(webrtc.WithMediaEngine(&engine), webrtc.WithSettingEngine(settings)), nil
}

func (v *Viewer) open(ctx context.Context, base, camera string, each func(Packet)) error {
	tracks := make(chan *webrtc.TrackRemote, 1)
	v.pc.OnTrack(func(track *webrtc.TrackRemote, r *webrtc.RTPReceiver) {
		defer close(v.ended)
		tracks <- track
		receive(track, captureID(r), each)
	})
	receiveOnly := webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly}
	if _, err := v.pc.AddTransceiverFromKind(webrtc.RTPCodecTypeVideo, receiveOnly); err != nil {
		return err
	}
	offer, err := v.pc.CreateOffer(nil)
	if err != nil {
		return err
	}
	gathered := webrtc.GatheringCompletePromise(v.pc)
	if err := v.pc.SetLocalDescription(offer); err != nil {
		return err
	}
	select {
	case <-gathered:
	case <-ctx.Done():
		return ctx.Err()
	}
	answer, err := v.post(ctx, base, camera)
	if err != nil {
		return err
	}
	if err := v.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer}); err != nil {
		return err
	}
	select {
	case v.track = <-tracks:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("no video: %w (connection %s)", ctx.Err(), v.pc.ConnectionState())
	}
}

// post sends the offer and returns the answer.
func (v *Viewer) post(ctx context.Context, base, camera string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, base+"/whep/"+camera, strings.NewReader(v.pc.LocalDescription().SDP))
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", "application/sdp")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer func() { _ = res.Body.Close() }()
	answer, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil {
		return "", err
	}
	location := res.Header.Get("Location")
	if res.StatusCode != http.StatusCreated || location == "" {
		return "", fmt.Errorf("%s: %.200s", res.Status, answer)
	}
	v.location, err = absolute(base, location)
	return string(answer), err
}

// absolute returns the address of a session on base, from the Location in the answer to
// base/whep/<camera> (RFC 3986, section 5).
func absolute(base, location string) (string, error) {
	opened, err := url.Parse(base + "/whep/")
	if err != nil {
		return "", err
	}
	ref, err := url.Parse(location)
	if err != nil {
		return "", err
	}
	return opened.ResolveReference(ref).String(), nil
}

// receive reads packets until the track ends.
func receive(track *webrtc.TrackRemote, capture uint8, each func(Packet)) {
	for {
		p, _, err := track.ReadRTP()
		if err != nil {
			return
		}
		packet := Packet{Packet: p, Arrived: time.Now()}
		if raw := p.GetExtension(capture); capture != 0 && raw != nil {
			var ext rtp.AbsCaptureTimeExtension
			if ext.Unmarshal(raw) == nil {
				packet.Captured = ext.CaptureTime()
			}
		}
		each(packet)
	}
}

// captureID is the identifier of the extension; 0 when it was not agreed on.
func captureID(r *webrtc.RTPReceiver) uint8 {
	for _, e := range r.GetParameters().HeaderExtensions {
		if e.URI == absCaptureTimeURI && e.ID > 0 && e.ID < 15 {
			return uint8(e.ID)
		}
	}
	return 0
}

// State returns the state of the connection, for people.
func (v *Viewer) State() string { return v.pc.ConnectionState().String() }

// Ended is closed after the last packet.
func (v *Viewer) Ended() <-chan struct{} { return v.ended }

// Close ends the session. No packet follows.
func (v *Viewer) Close() {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	if v.location != "" {
		if req, err := http.NewRequestWithContext(ctx, http.MethodDelete, v.location, http.NoBody); err == nil {
			if res, err := http.DefaultClient.Do(req); err == nil {
				_ = res.Body.Close()
			}
		}
	}
	_ = v.pc.Close()
	if v.track != nil {
		<-v.ended
	}
}
