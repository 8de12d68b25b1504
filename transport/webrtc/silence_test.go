package webrtc

import (
	"net/http"
	"testing"
	"time"

	pion "github.com/pion/webrtc/v3"
	"github.com/stretchr/testify/require"
)

// ended waits until the client notices that its connection is over.
func (c *client) ended(t *testing.T) {
	t.Helper()
	eventually(t, func() bool { return c.pc.ConnectionState() != pion.PeerConnectionStateConnected }, "the client hears of it")
}

func TestSilenceEndsTheSessionsOfACamera(t *testing.T) {
	g := start(t, Options{}, func(g *Gateway) { g.times.silence = 50 * time.Millisecond })
	gone, other := watch(t, g, camera), watch(t, g, camera)
	eventually(t, func() bool { return g.hubViewers(camera) == 2 }, "both joined")
	g.source.put(camera, unit(camera, 1, true, 100))
	require.EqualValues(t, 1, gone.next(t).n)
	// From here on nothing comes: no worker, or no bus.
	gone.ended(t)
	other.ended(t)
	eventually(t, func() bool { return g.Counts().Sessions == 0 }, "places are free")
	require.EqualValues(t, 2, g.Counts().Silent)
	res, _ := do(t, http.MethodDelete, gone.location, "")
	require.Equal(t, http.StatusNotFound, res.StatusCode)

	// A new one may be opened, waits longer, and plays when the camera is back.
	back := watch(t, g, camera)
	eventually(t, func() bool { return g.hubViewers(camera) == 1 }, "joins")
	g.source.put(camera, unit(camera, 2, true, 100))
	require.EqualValues(t, 2, back.next(t).n)
}

func TestASessionWithoutAnyUnitEnds(t *testing.T) {
	g := start(t, Options{}, func(g *Gateway) { g.times.first = 50 * time.Millisecond })
	c := watch(t, g, camera)
	eventually(t, func() bool { return g.Counts().Sessions == 0 }, "session ends")
	require.EqualValues(t, 1, g.Counts().Silent)
	c.ended(t)
}

func TestUnitsOfAnotherCameraAreSilence(t *testing.T) {
	g := start(t, Options{}, func(g *Gateway) { g.times.first = 50 * time.Millisecond })
	watch(t, g, camera)
	n := uint64(0)
	eventually(t, func() bool {
		n++
		g.source.put(camera, unit("yard", n, true, 100))
		return g.Counts().Sessions == 0
	}, "session ends")
}

func TestPatience(t *testing.T) {
	now := time.Now()
	h := testHub(newMemory(camera))
	h.silence, h.first = 5*time.Second, 10*time.Second
	h.born = now
	at := func(s float64) time.Time { return now.Add(time.Duration(s * float64(time.Second))) }
	require.Equal(t, 10*time.Second, h.patience(at(1), at(1)), "nothing ever came")
	require.Equal(t, time.Second, h.patience(at(1), at(10)))
	h.heard(at(11))
	require.Equal(t, 4*time.Second, h.patience(at(1), at(12)), "a unit came")
	require.Negative(t, h.patience(at(1), at(16.5)))
	require.Equal(t, 9*time.Second, h.patience(at(12), at(13)), "who comes after the last unit waits longer")
}
