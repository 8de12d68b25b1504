package main

import (
	"image"
	"image/png"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"scrim/pipeline/ipc"
	"scrim/redact/geom"
	"scrim/redact/rotate"
	"scrim/redact/selftest"
	"scrim/redact/yuv"
	"scrim/redact/zone"
)

func TestRotationOfFilesIsThatOfFlagsOrTheCamera(t *testing.T) {
	file := filepath.Join(t.TempDir(), "scrim.yaml")
	require.NoError(t, os.WriteFile(file, []byte(`cameras:
  - name: side
    url: rtsp://192.0.2.1/a
    rotate: 90
    zones: [{kind: tiles, polygon: [[0, 0], [0.5, 0], [0.5, 0.25], [0, 0.25]]}]
  - {name: ceiling, url: "rtsp://192.0.2.2/", rotate: 180, rotate_view: false}
`), 0o600))
	log := slog.New(slog.DiscardHandler)
	settings := func(c RedactCmd, flag string) ipc.Files {
		if flag != "" {
			require.NoError(t, c.Rotate.UnmarshalText([]byte(flag)))
		}
		s, err := c.settings(log)
		require.NoError(t, err)
		return s
	}
	no := false
	for _, c := range []struct {
		cmd  RedactCmd
		flag string
		want ipc.RotateConfig
		all  bool
	}{
		{RedactCmd{}, "", ipc.RotateConfig{View: true}, true},
		{RedactCmd{}, "auto", ipc.RotateConfig{View: true}, true},
		{RedactCmd{}, "0", ipc.RotateConfig{View: true}, false},
		{RedactCmd{}, "270", ipc.RotateConfig{By: geom.Turned270, View: true}, false},
		{RedactCmd{RotateView: &no}, "270", ipc.RotateConfig{By: geom.Turned270}, false},
		{RedactCmd{Config: file, Camera: "side"}, "", ipc.RotateConfig{By: geom.Turned90, View: true}, false},
		{RedactCmd{Config: file, Camera: "side"}, "auto", ipc.RotateConfig{View: true}, true},
		{RedactCmd{Config: file, Camera: "side"}, "0", ipc.RotateConfig{View: true}, false},
		{RedactCmd{Config: file, Camera: "ceiling"}, "", ipc.RotateConfig{By: geom.Turned180}, false},
	} {
		s := settings(c.cmd, c.flag)
		require.Equal(t, c.want, s.Rotate, "%+v", c)
		require.Equal(t, c.all, s.AllWays, "%+v", c)
	}

	// The camera's zones lie in its upright video.
	s := settings(RedactCmd{Config: file, Camera: "side"}, "")
	require.Equal(t, [][4]float64{{0, 0, 0.5, 0.25}}, s.Detect.TileAreas)
	s = settings(RedactCmd{Config: file, Camera: "side", RotateView: &no}, "")
	require.Equal(t, [][4]float64{{0, 0.5, 0.25, 1}}, s.Detect.TileAreas)
	require.Equal(t, []zone.Point{{X: 0, Y: 1}, {X: 0, Y: 0.5}, {X: 0.25, Y: 0.5}, {X: 0.25, Y: 1}}, s.Zones[0].Polygon)
	for _, bad := range []string{"", "45", "-90", "Auto"} {
		var f RotateFlag
		require.Error(t, f.UnmarshalText([]byte(bad)), bad)
	}
}

// writeTurnedFaces writes an image of three drawn faces that lie so that it must be turned
// by r to be upright.
func writeTurnedFaces(t *testing.T, path string, r geom.Rotation) {
	t.Helper()
	const side = 240
	strip, err := yuv.New(3*side, side)
	require.NoError(t, err)
	for i := range 3 {
		one, err := yuv.New(side, side)
		require.NoError(t, err)
		_, err = selftest.Draw(one, side/2, side/2, 90)
		require.NoError(t, err)
		for y := range side {
			copy(strip.Y[y*strip.YStride+i*side:][:side], one.Y[y*one.YStride:])
		}
		for y := range side / 2 {
			copy(strip.U[y*strip.CStride+i*side/2:][:side/2], one.U[y*one.CStride:])
			copy(strip.V[y*strip.CStride+i*side/2:][:side/2], one.V[y*one.CStride:])
		}
	}
	lying, err := yuv.New(r.Size(strip.Width, strip.Height))
	require.NoError(t, err)
	require.NoError(t, rotate.By(r.Inverse()).Image(lying, strip))
	f, err := os.Create(path) //nolint:gosec // of the test
	require.NoError(t, err)
	require.NoError(t, png.Encode(f, &image.YCbCr{
		Y: lying.Y, Cb: lying.U, Cr: lying.V, YStride: lying.YStride, CStride: lying.CStride,
		SubsampleRatio: image.YCbCrSubsampleRatio420, Rect: lying.Bounds(),
	}))
	require.NoError(t, f.Close())
}

// Each file of a folder counts by itself.
func TestFilesWhoseFacesLieOnTheirSideAreReported(t *testing.T) {
	redactor := buildRedactor(t)
	in, out := t.TempDir(), filepath.Join(t.TempDir(), "out")
	writeTurnedFaces(t, filepath.Join(in, "upright.png"), geom.Upright)
	writeTurnedFaces(t, filepath.Join(in, "side.png"), geom.Turned90)
	writeTurnedFaces(t, filepath.Join(in, "ceiling.png"), geom.Turned180)
	report := filepath.Join(t.TempDir(), "report.jsonl")
	status, _, stderr := scrim(t, "redact", in, "-o", out, "--report", report, "--redactor", redactor)
	require.Zero(t, status, stderr)
	for name, want := range map[string]string{"side.png": "--rotate 90", "ceiling.png": "--rotate 180", "upright.png": ""} {
		found := ""
		for line := range strings.Lines(stderr) {
			if strings.Contains(line, filepath.Join(in, name)) && strings.Contains(line, "--rotate") {
				found = line
			}
		}
		if want == "" {
			require.Empty(t, found)
		} else {
			require.Contains(t, found, want, stderr)
		}
	}

	status, _, stderr = scrim(t, "redact", filepath.Join(in, "side.png"), "-o", filepath.Join(out, "turned.png"), "--rotate", "90", "--redactor", redactor)
	require.Zero(t, status, stderr)
	require.NotContains(t, stderr, "--rotate")
	f, err := os.Open(filepath.Join(out, "turned.png"))
	require.NoError(t, err)
	defer f.Close()
	c, err := png.DecodeConfig(f)
	require.NoError(t, err)
	require.Equal(t, [2]int{720, 240}, [2]int{c.Width, c.Height})
}
