package pipeline

import (
	"testing"

	"github.com/stretchr/testify/require"

	"scrim/pipeline/internal/x264"
	"scrim/pipeline/ipc"
	"scrim/redact/geom"
	"scrim/redact/rotate"
	"scrim/redact/yuv"
	"scrim/redact/zone"
	"scrim/transport"
)

// lyingCamera shows what a testCamera draws as a camera does that hangs turned.
type lyingCamera struct {
	*testCamera
	by geom.Rotation
}

// newLyingCamera returns a camera whose pictures must be turned by r to be upright.
func newLyingCamera(t *testing.T, r geom.Rotation) *lyingCamera {
	w, h := r.Size(width, height)
	c := newCamera(t, w, h)
	c.w, c.h = width, height // what is drawn
	return &lyingCamera{testCamera: c, by: r.Inverse()}
}

func (c *lyingCamera) unit(key bool) transport.CameraUnit {
	im, now := c.draw()
	lying, err := yuv.New(c.by.Size(im.Width, im.Height))
	require.NoError(c.t, err)
	require.NoError(c.t, rotate.By(c.by).Image(lying, im))
	p, err := c.enc.Encode(lying, c.pts, key)
	require.NoError(c.t, err)
	return transport.CameraUnit{Codec: transport.H264, PTS: c.pts, Captured: now, Arrived: now, Data: p.Data}
}

// The detector of these tests finds the secret only where it is drawn upright, and the rig
// reads the stamp of every picture and looks for the secret.
func TestTurnedCameraComesOutUpright(t *testing.T) {
	for _, r := range geom.Rotations {
		rig := startWith(t, 0, func(p *Pipeline) { p.o.Rotate = r })
		c := newLyingCamera(t, r)
		for i := range 10 {
			rig.send(c.unit(i == 0))
			o := rig.untilLive(c.n)
			require.Equal(t, [2]int{width, height}, [2]int{o.Width, o.Height})
			require.NotEmpty(t, o.Record.Regions)
			require.Equal(t, secretBox, o.Record.Regions[0].Face)
		}
		rig.p.Input("the camera is off")
		o, _ := rig.next()
		for o.State == transport.StateLive {
			o, _ = rig.next()
		}
		require.Equal(t, [2]int{width, height}, [2]int{o.Width, o.Height}, "slates have the size of the upright picture")
		rig.end()
	}
}

func TestZonesOfATurnedCameraLieInTheUprightPicture(t *testing.T) {
	mask := zone.Zone{Kind: zone.Mask, Polygon: []zone.Point{{X: 0.75, Y: 0.75}, {X: 1, Y: 0.75}, {X: 1, Y: 1}, {X: 0.75, Y: 1}}}
	obscurer, detector := newParts(t)
	var regions []geom.RegionRecord
	p, err := New(Options{
		Camera: "door", Encode: ipc.EncodeConfig{Bitrate: legible}, Detector: detector, Tracker: newTracker(0), Obscurer: obscurer,
		Rotate: geom.Turned90, Zones: []zone.Zone{mask}, Log: noLog,
		Sink: func(head ipc.Output, _ []byte) error {
			if head.Record != nil {
				regions = head.Record.Regions
			}
			return nil
		},
	})
	require.NoError(t, err)
	done := make(chan error, 1)
	go func() { done <- p.Run(t.Context()) }()
	c := newLyingCamera(t, geom.Turned90)
	require.NoError(t, p.Unit(t.Context(), c.unit(true)))
	p.Close()
	require.NoError(t, <-done)
	require.Len(t, regions, 2)
	require.Equal(t, geom.Zone, regions[1].Source)
	require.Equal(t, [4]int{width * 3 / 4, height * 3 / 4, width / 4, height / 4}, [4]int{regions[1].X, regions[1].Y, regions[1].W, regions[1].H})
}

func TestTurnedPicturesMayBeHigherThanCamerasAre(t *testing.T) {
	e, err := x264.New(x264.Options{Width: yuv.MaxHeight, Height: yuv.MaxWidth})
	require.NoError(t, err)
	e.Close()
	_, err = x264.New(x264.Options{Width: yuv.MaxHeight + 2, Height: yuv.MaxWidth})
	require.ErrorIs(t, err, x264.ErrOptions)
}
