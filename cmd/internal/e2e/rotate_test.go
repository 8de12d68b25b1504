package e2e

import (
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"scrim/pipeline/scene"
	"scrim/pipeline/simcam"
	"scrim/redact/geom"
	"scrim/transport"
)

// The published pictures of a camera that hangs on its side are compared with the upright
// scene: their stamps are legible, and its faces obscured.
func TestCameraOnItsSideIsPublishedUprightAndRedacted(t *testing.T) {
	drawn, err := scene.New(codedScene)
	require.NoError(t, err)
	lying := codedScene
	lying.Rotate, lying.Width, lying.Height = geom.Turned90, codedScene.Height, codedScene.Width
	cam, err := simcam.Start(simcam.Options{Listen: "127.0.0.1:0", Replay: filmOf(t, lying, "h265.mp4"), Log: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	t.Cleanup(cam.Close)
	s := siteOf(t, cam.URL(), "    rotate: 90\n", cam)
	judgePublished(deadline(t, time.Minute), t, s, drawn)
}

// Sizes are those of what viewers see, and the sight test passes with either view.
func TestCameraOnItsSideSeesWithEitherView(t *testing.T) {
	lying := drawnScene
	lying.Rotate, lying.Width, lying.Height = geom.Turned270, drawnScene.Height, drawnScene.Width
	var urls []any
	for range 2 {
		cam, err := simcam.Start(simcam.Options{Listen: "127.0.0.1:0", Scene: lying, Log: slog.New(slog.DiscardHandler)})
		require.NoError(t, err)
		t.Cleanup(cam.Close)
		urls = append(urls, cam.URL())
	}
	s := serveCameras(t, nil, fmt.Sprintf(
		"  - {name: turned, url: '%s', need: 36px, rotate: 270}\n  - {name: kept, url: '%s', need: 36px, rotate: 270, rotate_view: false}\n", urls...))
	ctx := deadline(t, waiting)
	for name, size := range map[string][2]int{"turned": {drawnScene.Width, drawnScene.Height}, "kept": {drawnScene.Height, drawnScene.Width}} {
		status := s.await(ctx, name, "proved to see", func(c transport.Status) bool {
			return c.State == transport.StateLive && c.Sight != nil && c.Sight.Proved && c.Sight.Size > 0
		})
		require.Equal(t, size, [2]int{status.Width, status.Height}, name)
	}
}
