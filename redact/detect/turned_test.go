package detect

import (
	"errors"
	"image"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"scrim/redact"
	"scrim/redact/face"
	"scrim/redact/geom"
	"scrim/redact/rotate"
	"scrim/redact/selftest"
	"scrim/redact/yuv"
)

// spot finds the bright pixel of a picture, and something weak around it.
type spot struct {
	err    error
	resets int
	closed bool
}

func (s *spot) Detect(im *yuv.Image) ([]face.Face, error) {
	for y := range im.Height {
		for x := range im.Width {
			if im.Y[y*im.YStride+x] == 255 {
				return []face.Face{
					{Box: geom.Box{X: float64(x), Y: float64(y), W: 1, H: 1}, Score: 0.9},
					{Box: geom.Box{X: float64(x) - 1, Y: float64(y) - 2, W: 3, H: 4}, Score: 0.2, Weak: true},
				}, s.err
			}
		}
	}
	return nil, s.err
}

func (s *spot) Info() redact.DetectorInfo { return redact.DetectorInfo{Name: "spot", Weak: true} }
func (s *spot) Reset()                    { s.resets++ }
func (s *spot) Close() error              { s.closed = true; return nil }

func TestTurnedDetectorReturnsFacesWhereTheyLieInThePicture(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, h := rapid.IntRange(1, 70).Draw(t, "w"), rapid.IntRange(1, 70).Draw(t, "h")
		x, y := rapid.IntRange(0, w-1).Draw(t, "x"), rapid.IntRange(0, h-1).Draw(t, "y")
		im, err := yuv.New(w, h)
		require.NoError(t, err)
		im.Y[y*im.YStride+x] = 255
		r := rapid.SampledFrom(geom.Rotations[:]).Draw(t, "rotation")
		d := NewTurned(&spot{}, r)
		for range 2 {
			faces, err := d.Detect(im)
			require.NoError(t, err)
			require.Len(t, faces, 2)
			require.Equal(t, face.Face{Box: geom.Box{X: float64(x), Y: float64(y), W: 1, H: 1}, Score: 0.9, Rotation: r}, faces[0])
			weak := faces[1]
			require.True(t, weak.Weak)
			// Three of its four rows lie above the pixel, as the turned picture has it.
			tw, th := r.Size(w, h)
			at := r.Box(faces[0].Box, w, h)
			require.Equal(t, geom.Box{X: at.X - 1, Y: at.Y - 2, W: 3, H: 4}, r.Box(weak.Box, w, h))
			require.Equal(t, r.Inverse().Box(geom.Box{X: at.X - 1, Y: at.Y - 2, W: 3, H: 4}, tw, th), weak.Box)
		}
	})
}

func TestTurnedDetectorPassesOnWhatItIsAskedFor(t *testing.T) {
	s := &spot{}
	require.Same(t, redact.Detector(s), NewTurned(s, geom.Upright))
	d := NewTurned(s, geom.Turned90)
	require.Equal(t, s.Info(), d.Info())
	d.(redact.Resetter).Reset()
	require.Equal(t, 1, s.resets)
	im, err := yuv.New(4, 4)
	require.NoError(t, err)
	_, err = d.(redact.PartDetector).DetectPart(im, image.Pt(0, 0), 8, 8)
	require.ErrorContains(t, err, "spot")
	s.err = errors.New("blind")
	_, err = d.Detect(im)
	require.ErrorIs(t, err, s.err)
	require.NoError(t, d.Close())
	require.True(t, s.closed)
}

// A face that lies in the picture is found as surely as one that stands, in the whole and
// in a part.
func TestTurnedDetectorFindsTurnedFacesAsSurelyAsUprightOnes(t *testing.T) {
	upright, err := yuv.New(640, 360)
	require.NoError(t, err)
	box, err := selftest.Draw(upright, 200, 150, 60)
	require.NoError(t, err)
	want, err := open(t, 640).Detect(upright)
	require.NoError(t, err)
	require.Len(t, confident(want), 1)
	score := confident(want)[0].Score
	for _, r := range geom.Rotations[1:] {
		by := r.Inverse()
		lying, err := rotate.Turned(nil, upright, by)
		require.NoError(t, err)
		at := by.Box(box, upright.Width, upright.Height)
		d := NewTurned(open(t, 640), r)
		found, err := d.Detect(lying)
		require.NoError(t, err)
		faces := confident(found)
		require.Len(t, faces, 1)
		require.InDelta(t, score, faces[0].Score, 1e-6)
		require.Greater(t, faces[0].Box.IoU(at), 0.5)
		require.Equal(t, r, faces[0].Rotation)

		from := image.Rect(int(at.X)-50, int(at.Y)-50, int(at.X)+150, int(at.Y)+150).Intersect(lying.Bounds())
		from.Min.X, from.Min.Y = from.Min.X&^1, from.Min.Y&^1
		part := crop(t, lying, from)
		found, err = d.(redact.PartDetector).DetectPart(part, from.Min, lying.Width, lying.Height)
		require.NoError(t, err)
		faces = confident(found)
		require.Len(t, faces, 1)
		require.InDelta(t, score, faces[0].Score, 0.1)
		at.X, at.Y = at.X-float64(from.Min.X), at.Y-float64(from.Min.Y)
		require.Greater(t, faces[0].Box.IoU(at), 0.5)
	}
}

// confident returns the faces that are not weak.
func confident(faces []face.Face) (out []face.Face) {
	for _, f := range faces {
		if !f.Weak {
			out = append(out, f)
		}
	}
	return out
}

// crop returns a part of a picture, which begins at even coordinates.
func crop(t *testing.T, im *yuv.Image, r image.Rectangle) *yuv.Image {
	t.Helper()
	out, err := yuv.New(r.Dx(), r.Dy())
	require.NoError(t, err)
	out.FullRange = im.FullRange
	for y := range out.Height {
		copy(out.Y[y*out.YStride:][:out.Width], im.Y[(r.Min.Y+y)*im.YStride+r.Min.X:])
	}
	for y := range out.ChromaHeight() {
		copy(out.U[y*out.CStride:][:out.ChromaWidth()], im.U[(r.Min.Y/2+y)*im.CStride+r.Min.X/2:])
		copy(out.V[y*out.CStride:][:out.ChromaWidth()], im.V[(r.Min.Y/2+y)*im.CStride+r.Min.X/2:])
	}
	return out
}
