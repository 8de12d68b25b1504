package webrtc

import (
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pion/rtcp"
	pion "github.com/pion/webrtc/v3"
	"github.com/stretchr/testify/require"

	"scrim/transport"
	"scrim/transport/transporttest"
)

// begin waits until the viewer is served, by way of a key frame with the number n.
func begin(t *testing.T, g *rig, c *client, viewers int, n uint64) {
	t.Helper()
	transporttest.Eventually(t, func() bool { return g.Counts().Viewers == viewers && g.hubViewers(camera) == viewers }, "viewer joins")
	transporttest.Eventually(t, func() bool { open, _, _ := g.source.Counts(camera); return open == 1 }, "camera subscribed")
	g.source.Send(camera, transporttest.Unit(camera, n, true, 100))
	s := c.next(t)
	require.Equal(t, n, s.n)
	require.True(t, s.key)
}

func (r *rig) hubViewers(camera string) int { return r.hubs.Viewers(camera) }

func TestUnitsArriveInOrderWithTheirStamps(t *testing.T) {
	g := start(t, Options{})
	c := watch(t, g, camera)
	begin(t, g, c, 1, 1)
	const last, batch = 60, 10 // as much at once as a socket's buffer holds
	for first := uint64(2); first <= last; first += batch {
		for n := first; n < first+batch; n++ {
			size := 300
			if n%20 == 0 {
				size = 50_000 // many packets
			}
			g.source.Send(camera, transporttest.Unit(camera, n, n%20 == 0, size))
		}
		for n := first; n < first+batch; n++ {
			want := transporttest.Unit(camera, n, false, 0)
			s := c.next(t)
			require.Equal(t, n, s.n)
			require.Equal(t, n%20 == 0, s.key)
			require.Equal(t, uint32(want.PTS), s.stamp)
			require.WithinDuration(t, want.Captured, s.captured, time.Microsecond, "unit %d", n)
			require.Equal(t, []byte{0, 0, 0}, s.delay)
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := 1; i < len(c.seqs); i++ {
		require.Equal(t, c.seqs[i-1]+1, c.seqs[i], "gap in sequence numbers")
	}
	transporttest.Eventually(t, func() bool { return g.Counts().Packets == uint64(len(c.seqs)) }, "packets are counted")
}

func TestViewersShareASubscription(t *testing.T) {
	g := start(t, Options{}, func(g *Gateway) { g.hubs.Times.Linger = time.Millisecond })
	a := watch(t, g, camera)
	begin(t, g, a, 1, 1)
	b := watch(t, g, camera)
	transporttest.Eventually(t, func() bool { return g.hubViewers(camera) == 2 }, "second viewer joins")
	g.source.Send(camera, transporttest.Unit(camera, 2, false, 100), transporttest.Unit(camera, 3, true, 100), transporttest.Unit(camera, 4, false, 100))
	for _, n := range []uint64{2, 3, 4} {
		require.Equal(t, n, a.next(t).n)
	}
	for _, n := range []uint64{3, 4} { // from the key frame on
		require.Equal(t, n, b.next(t).n)
	}
	open, ever, _ := g.source.Counts(camera)
	require.Equal(t, 1, open)
	require.Equal(t, 1, ever)
	require.EqualValues(t, 4, g.Counts().Units, "each unit is packetised once")

	for _, c := range []*client{a, b} {
		res, _ := do(t, http.MethodDelete, c.location, "")
		require.Equal(t, http.StatusOK, res.StatusCode)
	}
	transporttest.Eventually(t, func() bool { open, _, _ := g.source.Counts(camera); return open == 0 }, "subscription ends after the last viewer")
	transporttest.Eventually(t, func() bool { c := g.Counts(); return c.Sessions == 0 && c.Viewers == 0 && c.Subscriptions == 0 }, "nothing is left")
}

func TestCameraThatSendsNothing(t *testing.T) {
	g := start(t, Options{})
	c := watch(t, g, camera) // connects all the same
	begin(t, g, c, 1, 7)
}

func TestUnitOfAnotherCameraIsDropped(t *testing.T) {
	g := start(t, Options{})
	c := watch(t, g, camera)
	begin(t, g, c, 1, 1)
	g.source.Send(camera, transporttest.Unit("yard", 2, false, 100), transporttest.Unit("yard", 3, true, 100), transporttest.Unit(camera, 4, false, 100))
	require.EqualValues(t, 4, c.next(t).n)
	require.EqualValues(t, 2, g.Counts().WrongCamera)
}

func TestPictureLossAsksForAKeyFrame(t *testing.T) {
	for _, fir := range []bool{false, true} {
		g := start(t, Options{}, func(g *Gateway) { g.hubs.Times.Keyframe = time.Millisecond })
		c := watch(t, g, camera)
		begin(t, g, c, 1, 1)
		_, _, before := g.source.Counts(camera)
		if fir {
			ssrc := uint32(c.media(t).SSRC())
			require.NoError(t, c.pc.WriteRTCP([]rtcp.Packet{&rtcp.FullIntraRequest{MediaSSRC: ssrc, FIR: []rtcp.FIREntry{{SSRC: ssrc}}}}))
		} else {
			c.pli(t)
		}
		transporttest.Eventually(t, func() bool { _, _, k := g.source.Counts(camera); return k > before }, "request goes out")
	}
}

func TestKeyFrameRequestsAreCombined(t *testing.T) {
	// With an interval that does not end, the first is the only one.
	g := start(t, Options{}, func(g *Gateway) { g.hubs.Times.Keyframe = time.Hour })
	a, b := watch(t, g, camera), watch(t, g, camera)
	begin(t, g, a, 2, 1)
	require.EqualValues(t, 1, b.next(t).n)
	for range 50 {
		a.pli(t)
		b.pli(t)
	}
	// What comes after the indications shows that they have been read.
	h := g.hubs.Acquire(camera)
	defer g.hubs.Release(h)
	transporttest.Eventually(t, h.KeyframePending, "indications arrive")
	_, _, k := g.source.Counts(camera)
	require.Equal(t, 1, k)
	require.EqualValues(t, 1, g.Counts().KeyframeRequests)
	g.source.Send(camera, transporttest.Unit(camera, 2, true, 100))
	require.EqualValues(t, 2, a.next(t).n)
}

func TestSubscriptionIsTriedAgain(t *testing.T) {
	g := start(t, Options{})
	c := watch(t, g, camera)
	begin(t, g, c, 1, 1)
	g.source.Fail(errBroken)
	g.source.Break(camera, errBroken)
	transporttest.Eventually(t, func() bool { return g.Counts().Resubscribed >= 2 }, "tries again")
	g.source.Fail(nil)
	transporttest.Eventually(t, func() bool { open, _, _ := g.source.Counts(camera); return open == 1 }, "subscribed")
	// What continues nothing is not shown, whatever the source says.
	g.source.Send(camera, transporttest.Unit(camera, 2, false, 100), transporttest.Unit(camera, 3, true, 100))
	require.EqualValues(t, 3, c.next(t).n)
}

func TestLostPacketsAreSentAgain(t *testing.T) {
	g := start(t, Options{})
	c := watch(t, g, camera)
	begin(t, g, c, 1, 1)
	c.mu.Lock()
	seq := c.seqs[0]
	c.mu.Unlock()
	require.NoError(t, c.pc.WriteRTCP([]rtcp.Packet{&rtcp.TransportLayerNack{
		MediaSSRC: uint32(c.media(t).SSRC()), Nacks: []rtcp.NackPair{{PacketID: seq}},
	}}))
	transporttest.Eventually(t, func() bool { return g.Counts().Retransmitted == 1 }, "packet is sent again")
}

func TestViewerThatNeverConnectsIsClosed(t *testing.T) {
	g := start(t, Options{}, func(g *Gateway) { g.times.connect, g.hubs.Times.Linger = 50*time.Millisecond, time.Millisecond })
	location, _ := open(t, g, camera)
	transporttest.Eventually(t, func() bool { c := g.Counts(); return c.TimedOut == 1 && c.Sessions == 0 && c.Subscriptions == 0 }, "session ends")
	res, _ := do(t, http.MethodDelete, location, "")
	require.Equal(t, http.StatusNotFound, res.StatusCode)
}

func TestDeleteEndsTheSession(t *testing.T) {
	g := start(t, Options{})
	c := watch(t, g, camera)
	begin(t, g, c, 1, 1)
	res, _ := do(t, http.MethodDelete, c.location, "")
	require.Equal(t, http.StatusOK, res.StatusCode)
	transporttest.Eventually(t, func() bool { return g.Counts().Sessions == 0 }, "session ends")
	res, _ = do(t, http.MethodDelete, c.location, "")
	require.Equal(t, http.StatusNotFound, res.StatusCode)
}

func TestViewerThatGoesAwayIsNoticed(t *testing.T) {
	g := start(t, Options{}, func(g *Gateway) {
		g.times.iceDisconnected, g.times.iceFailed = 300*time.Millisecond, 700*time.Millisecond
		var err error
		g.api, err = g.newAPI()
		require.NoError(t, err)
	})
	c := watch(t, g, camera)
	begin(t, g, c, 1, 1)
	require.NoError(t, c.pc.Close()) // without DELETE: only silence tells
	transporttest.Eventually(t, func() bool { return g.Counts().Sessions == 0 }, "session ends")
}

func TestCloseEndsEverything(t *testing.T) {
	source := transporttest.NewSource(camera, "yard")
	g, err := New(Options{Source: source, Log: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	r := start(t, Options{Source: source})
	for range 3 {
		watch(t, r, camera)
	}
	_, _ = open(t, r, "yard") // not connected
	require.NoError(t, r.Close())
	c := r.Counts()
	require.Zero(t, c.Sessions)
	require.Zero(t, c.Viewers)
	require.Zero(t, c.Subscriptions)
	for _, name := range []string{camera, "yard"} {
		n, _, _ := source.Counts(name)
		require.Zero(t, n, "subscriptions to %s", name)
	}
	res, body := do(t, http.MethodPost, r.url+"/whep/"+camera, sdpOffer(), "Content-Type", mimeSDP)
	require.Equal(t, http.StatusServiceUnavailable, res.StatusCode, body)
	res, _ = do(t, http.MethodGet, r.url+"/api/events", "")
	require.Equal(t, http.StatusServiceUnavailable, res.StatusCode)
	require.NoError(t, g.Close(), "one that was never used")
	require.NoError(t, r.Close(), "again")
}

func TestOneUDPPortForAll(t *testing.T) {
	port := freePort(t)
	g := start(t, Options{UDPPort: port})
	a, b := watch(t, g, camera), watch(t, g, camera)
	begin(t, g, a, 2, 1)
	require.EqualValues(t, 1, b.next(t).n)
	require.Equal(t, []int{port}, hostPorts(t, a.answer))
	_, err := New(Options{Source: g.source, UDPPort: port, Log: slog.New(slog.DiscardHandler)})
	require.ErrorContains(t, err, "UDP port")
}

func TestPublicAddresses(t *testing.T) {
	public := mustAddr(t, "192.0.2.7")
	port := freePort(t)
	g := start(t, Options{UDPPort: port, PublicIPs: public})
	c := watch(t, g, camera) // the gateway's own addresses still work
	begin(t, g, c, 1, 1)
	if strings.Contains(stripLoopback(c.answer), " typ host") {
		require.Contains(t, c.answer, "192.0.2.7 "+itoa(port)+" typ srflx")
	}
}

func TestTrickledCandidates(t *testing.T) {
	g := start(t, Options{})
	c := newClient(t)
	connected := c.whenConnected()
	full := c.offer(t)
	var bare, candidates []string
	for line := range strings.SplitSeq(strings.TrimSpace(full), "\r\n") {
		switch {
		case strings.HasPrefix(line, "a=candidate"):
			candidates = append(candidates, line)
		case line != "a=end-of-candidates":
			bare = append(bare, line)
		}
	}
	require.NotEmpty(t, candidates)
	c.post(t, g.url, camera, strings.Join(bare, "\r\n")+"\r\n")
	body := "a=mid:0\r\n" + strings.Join(candidates, "\r\n") + "\r\na=end-of-candidates\r\n"
	res, text := do(t, http.MethodPatch, c.location, body, "Content-Type", mimeFragment, "If-Match", c.etag)
	require.Equal(t, http.StatusNoContent, res.StatusCode, text)
	await(t, connected)
	begin(t, g, c, 1, 1)
}

func TestAudioIsRefusedAndVideoPlays(t *testing.T) {
	for _, first := range []pion.RTPCodecType{pion.RTPCodecTypeAudio, pion.RTPCodecTypeVideo} {
		g := start(t, Options{})
		c := newClient(t)
		kinds := []pion.RTPCodecType{pion.RTPCodecTypeAudio, pion.RTPCodecTypeVideo}
		if first == pion.RTPCodecTypeVideo {
			slices.Reverse(kinds)
		}
		for _, kind := range kinds {
			_, err := c.pc.AddTransceiverFromKind(kind, pion.RTPTransceiverInit{Direction: pion.RTPTransceiverDirectionRecvonly})
			require.NoError(t, err)
		}
		connected := c.whenConnected()
		c.post(t, g.url, camera, c.offer(t))
		require.Contains(t, c.answer, "m=audio 0 ")
		await(t, connected)
		begin(t, g, c, 1, 1)
	}
}

func TestSlateIsSentToo(t *testing.T) {
	g := start(t, Options{})
	c := watch(t, g, camera)
	begin(t, g, c, 1, 1)
	u := transporttest.Unit(camera, 2, true, 100)
	u.State, u.Reason = transport.StateObscured, "detector failed"
	g.source.Send(camera, u)
	require.EqualValues(t, 2, c.next(t).n)
}
