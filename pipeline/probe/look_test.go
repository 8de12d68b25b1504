package probe

import (
	"log/slog"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"scrim/pipeline/ipc"
	"scrim/pipeline/scene"
	"scrim/pipeline/simcam"
	"scrim/redact/geom"
)

// redactor returns the path of the real redactor.
func redactor(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "scrim-redactor")
	build := exec.Command("go", "build", "-o", path, "scrim/cmd/scrim-redactor")
	build.Env = append(build.Environ(), "CGO_ENABLED=1")
	out, err := build.CombinedOutput()
	require.NoError(t, err, string(out))
	return path
}

// turnedCamera is a camera in whose pictures people lie.
func turnedCamera(t *testing.T, r geom.Rotation) *simcam.Camera {
	t.Helper()
	c, err := simcam.Start(simcam.Options{
		Listen: "127.0.0.1:0", Log: slog.New(slog.DiscardHandler), GOP: 500 * time.Millisecond,
		Scene: scene.Options{Width: 1280, Height: 720, FPS: 10, Seed: 5002, People: 6, MinFace: 40, MaxFace: 200, Rotate: r},
	})
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c
}

func TestRotationIsSuggestedForACameraInWhichPeopleLie(t *testing.T) {
	o := Options{Redactor: redactor(t), ONVIF: NoONVIF, For: 4 * time.Second, Detect: ipc.DetectConfig{Size: 640, Threshold: 0.3}}
	for _, r := range []geom.Rotation{geom.Upright, geom.Turned90, geom.Turned180} {
		o.Target = turnedCamera(t, r).URL()
		report := run(t, o)
		require.NotNil(t, report.Faces, "%+v", report.Problems)
		require.Positive(t, report.Faces.Pictures)
		require.Equal(t, r, report.Rotate, "%+v", report.Faces)
		if r == geom.Upright {
			require.NotContains(t, report.YAML, "rotate")
			continue
		}
		require.Contains(t, report.YAML, "    rotate: "+map[geom.Rotation]string{geom.Turned90: "90", geom.Turned180: "180"}[r]+"\n")
		require.True(t, slices.ContainsFunc(report.Problems, func(p Problem) bool {
			return p.Weight == Warning && strings.HasPrefix(p.What, "people lie in the picture")
		}), "%+v", report.Problems)
	}
}

func TestProbeWithoutARedactorOrWithABrokenOneStillReports(t *testing.T) {
	c := camera(t, simcam.Options{})
	o := Options{Target: c.URL(), ONVIF: NoONVIF, For: time.Second}
	r := run(t, o)
	require.Nil(t, r.Faces)
	require.NotEmpty(t, r.YAML)
	o.Redactor = "/bin/false"
	r = run(t, o)
	require.Nil(t, r.Faces)
	require.NotEmpty(t, r.YAML)
	var notes []string
	for _, p := range r.Problems {
		if p.Weight == Note {
			notes = append(notes, p.What)
		}
	}
	require.Contains(t, strings.Join(notes, "\n"), "it was not checked whether the camera hangs upright: ")
}

func TestRotationIsSuggestedOnlyIfFacesAgree(t *testing.T) {
	for _, c := range []struct {
		turned map[geom.Rotation]int
		want   geom.Rotation
	}{
		{nil, geom.Upright},
		{map[geom.Rotation]int{geom.Upright: 9, geom.Turned90: 1}, geom.Upright},
		{map[geom.Rotation]int{geom.Turned90: 2}, geom.Upright},
		{map[geom.Rotation]int{geom.Turned90: 3}, geom.Turned90},
		{map[geom.Rotation]int{geom.Upright: 3, geom.Turned90: 3}, geom.Upright},
		{map[geom.Rotation]int{geom.Turned90: 4, geom.Turned270: 3}, geom.Upright},
		{map[geom.Rotation]int{geom.Upright: 2, geom.Turned180: 10, geom.Turned270: 1}, geom.Turned180},
	} {
		f := Faces{Turned: c.turned}
		require.Equal(t, c.want, f.suggestion(), "%v", c.turned)
	}
}
