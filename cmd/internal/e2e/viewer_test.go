package e2e

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/pion/rtp/codecs"
	"github.com/pion/webrtc/v3"
	"github.com/pion/webrtc/v3/pkg/media/samplebuilder"
	"github.com/stretchr/testify/require"
)

// sample is one access unit as a viewer got it.
type sample struct {
	data    []byte // Annex B
	ts      uint32 // RTP timestamp, 90 kHz
	lost    uint16 // packets lost before it
	arrived time.Time
}

// viewer watches one camera over WHEP, as a browser does.
type viewer struct {
	pc       *webrtc.PeerConnection
	location string
	samples  chan sample
	track    *webrtc.TrackRemote
}

// watch opens a WHEP session on base (such as "http://127.0.0.1:8080") and
// ends it with the test.
func watch(ctx context.Context, t *testing.T, base, camera string) *viewer {
	t.Helper()
	var engine webrtc.MediaEngine
	require.NoError(t, engine.RegisterDefaultCodecs())
	var settings webrtc.SettingEngine
	settings.SetIncludeLoopbackCandidate(true)
	pc, err := webrtc.NewAPI(webrtc.WithMediaEngine(&engine), webrtc.WithSettingEngine(settings)).
		NewPeerConnection(webrtc.Configuration{})
	require.NoError(t, err)
	v := &viewer{pc: pc, samples: make(chan sample, 1024)}
	tracks := make(chan *webrtc.TrackRemote, 1)
	pc.OnTrack(func(track *webrtc.TrackRemote, _ *webrtc.RTPReceiver) {
		tracks <- track
		v.receive(track)
	})
	_, err = pc.AddTransceiverFromKind(webrtc.RTPCodecTypeVideo, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly})
	require.NoError(t, err)
	offer, err := pc.CreateOffer(nil)
	require.NoError(t, err)
	gathered := webrtc.GatheringCompletePromise(pc)
	require.NoError(t, pc.SetLocalDescription(offer))
	<-gathered

	req, err := http.NewRequestWithContext(ctx, http.MethodPost, base+"/whep/"+camera, strings.NewReader(pc.LocalDescription().SDP))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/sdp")
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer func() { _ = res.Body.Close() }()
	answer, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusCreated, res.StatusCode, string(answer))
	v.location = res.Header.Get("Location")
	require.NotEmpty(t, v.location)
	require.NoError(t, pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: string(answer)}))
	t.Cleanup(func() {
		del, err := http.NewRequestWithContext(context.Background(), http.MethodDelete, absolute(base, v.location), http.NoBody)
		if err == nil {
			if res, err := http.DefaultClient.Do(del); err == nil {
				_ = res.Body.Close()
			}
		}
		_ = pc.Close()
	})
	select {
	case v.track = <-tracks:
	case <-ctx.Done():
		t.Fatalf("no video track: %v (connection %s)", ctx.Err(), pc.ConnectionState())
	}
	return v
}

// absolute is the address of a session on base: what a WHEP client makes of the
// Location that it got from base/whep/<camera> (RFC 3986, section 5).
func absolute(base, location string) string {
	opened, err := url.Parse(base + "/whep/")
	if err != nil {
		return location
	}
	ref, err := url.Parse(location)
	if err != nil {
		return location
	}
	return opened.ResolveReference(ref).String()
}

// receive turns packets into access units until the track ends.
func (v *viewer) receive(track *webrtc.TrackRemote) {
	defer close(v.samples)
	builder := samplebuilder.New(256, &codecs.H264Packet{}, track.Codec().ClockRate)
	for {
		p, _, err := track.ReadRTP()
		if err != nil {
			return
		}
		builder.Push(p)
		for {
			s := builder.Pop()
			if s == nil {
				break
			}
			select {
			case v.samples <- sample{data: s.Data, ts: s.PacketTimestamp, lost: s.PrevDroppedPackets, arrived: time.Now()}:
			default: // a test that does not read loses what it does not want
			}
		}
	}
}

// next waits for an access unit.
func (v *viewer) next(ctx context.Context) (sample, error) {
	select {
	case s, ok := <-v.samples:
		if !ok {
			return sample{}, io.EOF
		}
		return s, nil
	case <-ctx.Done():
		return sample{}, fmt.Errorf("wait for an access unit: %w (connection %s)", ctx.Err(), v.pc.ConnectionState())
	}
}
