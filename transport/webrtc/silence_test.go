package webrtc

import (
	"net/http"
	"testing"
	"time"

	pion "github.com/pion/webrtc/v3"
	"github.com/stretchr/testify/require"

	"scrim/transport/transporttest"
)

// ended waits until the client notices that its connection is over.
func (c *client) ended(t *testing.T) {
	t.Helper()
	transporttest.Eventually(t, func() bool { return c.pc.ConnectionState() != pion.PeerConnectionStateConnected }, "the client hears of it")
}

func TestSilenceEndsTheSessionsOfACamera(t *testing.T) {
	g := start(t, Options{}, func(g *Gateway) { g.hubs.Times.Silence = 50 * time.Millisecond })
	gone, other := watch(t, g, camera), watch(t, g, camera)
	transporttest.Eventually(t, func() bool { return g.hubViewers(camera) == 2 }, "both joined")
	g.source.Send(camera, transporttest.Unit(camera, 1, true, 100))
	require.EqualValues(t, 1, gone.next(t).n)
	// From here on nothing comes: no worker, or no bus.
	gone.ended(t)
	other.ended(t)
	transporttest.Eventually(t, func() bool { return g.Counts().Sessions == 0 }, "places are free")
	require.EqualValues(t, 2, g.Counts().Silent)
	res, _ := do(t, http.MethodDelete, gone.location, "")
	require.Equal(t, http.StatusNotFound, res.StatusCode)

	// A new one may be opened, waits longer, and plays when the camera is back.
	back := watch(t, g, camera)
	transporttest.Eventually(t, func() bool { return g.hubViewers(camera) == 1 }, "joins")
	g.source.Send(camera, transporttest.Unit(camera, 2, true, 100))
	require.EqualValues(t, 2, back.next(t).n)
}

func TestASessionWithoutAnyUnitEnds(t *testing.T) {
	g := start(t, Options{}, func(g *Gateway) { g.hubs.Times.First = 50 * time.Millisecond })
	c := watch(t, g, camera)
	transporttest.Eventually(t, func() bool { return g.Counts().Sessions == 0 }, "session ends")
	require.EqualValues(t, 1, g.Counts().Silent)
	c.ended(t)
}

func TestUnitsOfAnotherCameraAreSilence(t *testing.T) {
	g := start(t, Options{}, func(g *Gateway) { g.hubs.Times.First = 50 * time.Millisecond })
	watch(t, g, camera)
	n := uint64(0)
	transporttest.Eventually(t, func() bool {
		n++
		g.source.Send(camera, transporttest.Unit("yard", n, true, 100))
		return g.Counts().Sessions == 0
	}, "session ends")
}
