package detect

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"scrim/redact"
	"scrim/redact/face"
	"scrim/redact/geom"
	"scrim/redact/yuv"
)

// hat finds bright pixels that have a grey one above: heads with a hat, upright.
type hat struct {
	spot
	score float64
	weak  bool
	looks int
}

func (h *hat) Detect(im *yuv.Image) (faces []face.Face, err error) {
	h.looks++
	for y := 1; y < im.Height; y++ {
		for x := range im.Width {
			if im.Y[y*im.YStride+x] == 255 && im.Y[(y-1)*im.YStride+x] == 200 {
				faces = append(faces, face.Face{Box: geom.Box{X: float64(x), Y: float64(y), W: 1, H: 1}, Score: h.score, Weak: h.weak})
			}
		}
	}
	return faces, h.err
}

// aroundRig is a LookAround of hats, with a clock.
type aroundRig struct {
	*LookAround
	upright *hat
	others  []*hat
	clock   time.Time
	hangs   []geom.Rotation
}

func newAround(t *testing.T) *aroundRig {
	t.Helper()
	a := &aroundRig{upright: &hat{score: 0.9}, clock: time.Unix(1000, 0)}
	var err error
	a.LookAround, err = NewLookAround(a.upright, func() (redact.Detector, error) {
		h := &hat{score: 0.9}
		a.others = append(a.others, h)
		return h, nil
	}, func(r geom.Rotation) { a.hangs = append(a.hangs, r) })
	require.NoError(t, err)
	a.now = func() time.Time { return a.clock }
	return a
}

// see returns the faces in the next picture, in which a head lies so that the picture must be turned by r.
func (a *aroundRig) see(t *testing.T, r geom.Rotation) []face.Face {
	t.Helper()
	im, err := yuv.New(16, 12)
	require.NoError(t, err)
	im.Y[6*im.YStride+6] = 255
	switch r {
	case geom.Upright:
		im.Y[5*im.YStride+6] = 200
	case geom.Turned90: // turned clockwise, what is on the left is above
		im.Y[6*im.YStride+5] = 200
	case geom.Turned180:
		im.Y[7*im.YStride+6] = 200
	case geom.Turned270:
		im.Y[6*im.YStride+7] = 200
	}
	faces, err := a.Detect(im)
	require.NoError(t, err)
	a.clock = a.clock.Add(40 * time.Millisecond)
	return faces
}

func TestFacesOfATurnedCameraAreFoundFromTheFirstPictureOn(t *testing.T) {
	for _, r := range geom.Rotations {
		a := newAround(t)
		for range 100 {
			require.Equal(t, []face.Face{{Box: geom.Box{X: 6, Y: 6, W: 1, H: 1}, Score: 0.9, Rotation: r}}, a.see(t, r), "%v", r)
		}
		if r == geom.Upright {
			require.Empty(t, a.hangs)
		} else {
			require.Equal(t, []geom.Rotation{r}, a.hangs)
		}
	}
}

func TestUprightPicturesAreLookedAtOtherWaysOnceASecond(t *testing.T) {
	a := newAround(t)
	for range 250 { // ten seconds
		a.see(t, geom.Upright)
	}
	require.Equal(t, 250, a.upright.looks)
	require.InDelta(t, 3+10, a.others[0].looks+a.others[1].looks, 2)
}

func TestAFaceThatLiesIsFoundWithinThreeSecondsAndThenInEveryPicture(t *testing.T) {
	a := newAround(t)
	a.see(t, geom.Upright)
	missed := 0
	for len(a.see(t, geom.Turned270)) == 0 {
		missed++
	}
	require.LessOrEqual(t, missed, 75)
	for range 100 {
		require.Len(t, a.see(t, geom.Turned270), 1)
	}
}

func TestDoubtfulLyingFacesCountOnlyWhereTheCameraHangsSo(t *testing.T) {
	a := newAround(t)
	a.others[0].score = 0.35
	require.Empty(t, a.see(t, geom.Turned180))
	a.others[0].score = 0.9
	a.Reset()
	for range 20 {
		a.see(t, geom.Turned180)
	}
	a.others[0].score, a.others[0].weak = 0.2, true
	require.Len(t, a.see(t, geom.Turned180), 1)
}

func TestLookAroundFailsWhereOneOfItsDetectorsDoes(t *testing.T) {
	a := newAround(t)
	a.others[1].err = errors.New("no")
	im, err := yuv.New(16, 12)
	require.NoError(t, err)
	_, err = a.Detect(im)
	require.ErrorContains(t, err, "no")
	a.Reset()
	require.Equal(t, []int{1, 1, 1}, []int{a.upright.resets, a.others[0].resets, a.others[1].resets})
	require.NoError(t, a.Close())
	require.True(t, a.upright.closed && a.others[0].closed && a.others[1].closed)

	up := &hat{}
	_, err = NewLookAround(up, func() (redact.Detector, error) { return nil, errors.New("cannot open") }, nil)
	require.ErrorContains(t, err, "cannot open")
	require.True(t, up.closed)
}

// A hand or a collar scores as a face upside down now and then; people stand all the same.
func TestDoubtfulLyingFacesAmongStandingOnesAreLeftOut(t *testing.T) {
	a := newAround(t)
	a.others[0].score = 0.5
	both := func() (lying int) {
		im, err := yuv.New(16, 12)
		require.NoError(t, err)
		im.Y[6*im.YStride+6], im.Y[5*im.YStride+6] = 255, 200   // stands
		im.Y[6*im.YStride+12], im.Y[7*im.YStride+12] = 255, 200 // lies
		faces, err := a.Detect(im)
		require.NoError(t, err)
		a.clock = a.clock.Add(40 * time.Millisecond)
		return len(faces) - 1
	}
	require.Equal(t, 1, both())
	for range 40 * 25 {
		both()
	}
	for range 4 * 25 {
		require.Zero(t, both())
	}
	require.Empty(t, a.hangs)

	// The camera is turned around.
	missed := 0
	for range 300 {
		if a.others[0].score = 0.9; len(a.see(t, geom.Turned180)) == 0 {
			missed++
		}
	}
	require.LessOrEqual(t, missed, 75)
	require.Equal(t, []geom.Rotation{geom.Turned180}, a.hangs)
}
