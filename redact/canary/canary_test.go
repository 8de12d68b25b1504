package canary

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"scrim/redact/detect"
	"scrim/redact/face"
	"scrim/redact/obscure"
	"scrim/redact/yuv"
)

// scripted is a detector and obscurer whose faults a test chooses.
type scripted struct {
	faces [][]face.Face
	err   error
	calls int
	apply error
}

func (s *scripted) Detect(*yuv.Image) ([]face.Face, error) {
	f := s.faces[min(s.calls, len(s.faces)-1)]
	s.calls++
	return f, s.err
}

func (s *scripted) Apply(*yuv.Image, []face.Region) error { return s.apply }

func TestCheckNoticesADetectorOrObscurerThatDoesNotWork(t *testing.T) {
	im, err := yuv.New(640, 360)
	require.NoError(t, err)
	box, err := Draw(im)
	require.NoError(t, err)
	there, nothing := []face.Face{{Box: box, Score: 0.9}}, []face.Face(nil)
	aside := []face.Face{{Box: face.Box{X: 10, Y: 10, W: box.W, H: box.H}, Score: 0.9}}
	for name, c := range map[string]struct {
		s    scripted
		want error
	}{
		"works":                {scripted{faces: [][]face.Face{there, nothing}}, nil},
		"other faces do no":    {scripted{faces: [][]face.Face{there, aside}}, nil},
		"finds nothing":        {scripted{faces: [][]face.Face{nothing}}, ErrNotFound},
		"finds something else": {scripted{faces: [][]face.Face{aside}}, ErrNotFound},
		"finds it afterwards":  {scripted{faces: [][]face.Face{there, there}}, ErrVisible},
		"detector fails":       {scripted{faces: [][]face.Face{there}, err: errors.New("no")}, ErrFailed},
		"obscurer fails":       {scripted{faces: [][]face.Face{there}, apply: errors.New("no")}, ErrFailed},
	} {
		t.Run(name, func(t *testing.T) {
			err := Check(&c.s, &c.s, 640, 360)
			if c.want == nil {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, c.want)
			require.ErrorIs(t, err, ErrFailed)
		})
	}
}

// The real detector finds the face at every size, and none afterwards,
// whatever the style.
func TestCheckPassesWithTheRealParts(t *testing.T) {
	var path string
	for _, dir := range []string{os.Getenv("SCRIM_MODELS"), "../../../shared/models"} {
		p := filepath.Join(dir, "face_detection_yunet_n.onnx")
		if _, err := os.Stat(p); dir != "" && err == nil {
			path = p
		}
	}
	if path == "" {
		t.Skip("no YuNet model; set SCRIM_MODELS, or run `scrim models pull yunet-n`")
	}
	d, err := detect.Open(detect.Config{Model: path, Size: 640, Threshold: 0.3})
	require.NoError(t, err)
	defer func() { require.NoError(t, d.Close()) }()
	for _, style := range []obscure.Style{obscure.Veil, obscure.Blur, obscure.Mosaic, obscure.Fill} {
		o, err := obscure.New(obscure.Options{Style: style})
		require.NoError(t, err)
		for _, size := range [][2]int{{320, 180}, {640, 360}, {641, 361}, {1080, 1920}, {1920, 1080}, {4096, 2304}, {100, 100}, {16, 16}} {
			require.NoError(t, Check(d, o, size[0], size[1]), "%s at %v", style, size)
		}
	}
}

// The cascades, the last resort, find it as well.
func TestCheckPassesWithCascades(t *testing.T) {
	d, err := detect.Open(detect.Config{CascadeDir: "/usr/share/opencv4/haarcascades", Size: 640, Threshold: 0.3})
	if err != nil {
		t.Skip("no cascades here: " + err.Error())
	}
	defer func() { require.NoError(t, d.Close()) }()
	o, err := obscure.New(obscure.Options{Style: obscure.Veil})
	require.NoError(t, err)
	for _, size := range [][2]int{{320, 180}, {640, 360}, {1920, 1080}} {
		require.NoError(t, Check(d, o, size[0], size[1]), "%v", size)
	}
}

func TestDrawStaysWithinThePicture(t *testing.T) {
	for _, size := range [][2]int{{1, 1}, {2, 2}, {33, 17}, {100, 2000}} {
		im, err := yuv.New(size[0], size[1])
		require.NoError(t, err)
		box, err := Draw(im)
		require.NoError(t, err)
		require.False(t, math.IsNaN(box.X+box.Y+box.W+box.H))
	}
}
