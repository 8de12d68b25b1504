package files

import (
	"testing"

	"github.com/stretchr/testify/require"

	"scrim/redact"
	"scrim/redact/face"
	"scrim/redact/geom"
	"scrim/redact/yuv"
)

// later finds a face in every third picture, and only at the second look: after
// it was obscured.
type later struct {
	scripted
	look, pictures int
}

var laterBox = geom.Box{X: 200, Y: 100, W: 20, H: 24}

func (l *later) Detect(im *yuv.Image) ([]face.Face, error) {
	l.look++
	switch {
	case l.look == 1:
		l.pictures++
		return l.scripted.Detect(im)
	case l.look == 2 && l.pictures%3 == 0:
		return []face.Face{{Box: laterBox, Score: 0.46}}, nil
	}
	l.look = 0
	return nil, nil
}

// What is found only in the obscured picture is covered there, and there alone.
func TestSecondLookIsFrameExact(t *testing.T) {
	in := testsrc(t, "a.mp4", "-c:v", "libx264")
	run := func(second bool) result {
		d := &later{scripted: scripted{box: geom.Box{X: 40, Y: 40, W: 20, H: 24}}}
		r := redactFile(t, in, "a.mp4", func(o *Options) {
			o.Detector, o.Lookahead, o.SecondLook = &d.scripted, 0, second
			if second {
				o.Detector = d
			}
		})
		require.NoError(t, r.err)
		require.Zero(t, r.end.Failsafe, r.end.Reason)
		require.Len(t, r.records, 50)
		return r
	}
	first := run(true)
	for i, rec := range first.records {
		want := 1
		if i%3 == 2 {
			want = 2
			second := rec.Regions[1]
			require.Equal(t, geom.Detected, second.Source)
			require.GreaterOrEqual(t, second.Track, uint64(redact.FirstSecondTrack))
			require.InDelta(t, laterBox.X, second.Face.X, 0)
			require.LessOrEqual(t, second.X, 194)
		}
		require.Len(t, rec.Regions, want, "picture %d", i)
	}
	require.Equal(t, jsonOf(t, first.records), jsonOf(t, run(true).records))
	for _, rec := range run(false).records {
		require.Len(t, rec.Regions, 1)
	}
}

func TestSecondLookIsByTheLargestSizeOnly(t *testing.T) {
	small, large := &scripted{box: geom.Box{X: 1, Y: 1, W: 9, H: 9}}, &scripted{box: geom.Box{X: 50, Y: 50, W: 9, H: 9}}
	d := &detector{all: []redact.Detector{small, large}, sizes: []int{32, 64}}
	s := secondLook(Options{Detector: &ways{detector: d, largest: &largest{d}}, SecondLook: true})
	im, err := yuv.New(640, 480)
	require.NoError(t, err)
	found, err := s.Detector.Detect(im)
	require.NoError(t, err)
	require.Equal(t, []face.Face{{Box: large.box, Score: 0.9}}, found)
	require.Zero(t, small.n)
	require.InDelta(t, 0.3, s.Padding, 0)
	require.InDelta(t, 0.5, s.PaddingTop, 0)
	require.Nil(t, secondLook(Options{Detector: d}).Detector)
}
