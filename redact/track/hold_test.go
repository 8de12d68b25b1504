package track

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"scrim/redact/face"
	"scrim/redact/geom"
)

// scored is a face that stands still at 700, 200, in so many pictures.
func scored(size float64, scores ...float64) [][]face.Face {
	var faces [][]face.Face
	for _, s := range scores {
		faces = append(faces, nil)
		if s > 0 {
			faces[len(faces)-1] = []face.Face{{Box: geom.Box{X: 700, Y: 200, W: size, H: size}, Score: s, Weak: s < 0.3}}
		}
	}
	return faces
}

// covered returns in which pictures of 1920×1080, so many ms apart, anything is obscured.
func covered(o Options, lookahead, ms int, faces [][]face.Face) []bool {
	w, out := NewWindow(o, lookahead), []bool(nil)
	for i, f := range faces {
		if w.Observe(at(ms*i), f, 1920, 1080); i >= lookahead {
			out = append(out, len(w.Release()) > 0)
		}
	}
	for len(w.pending) > 0 {
		out = append(out, len(w.Release()) > 0)
	}
	return out
}

// A detector sees a face near the camera without doubt, and says of the backs of
// heads there that they may be faces. What it doubts, it does not hold for long;
// what is far away it does.
func TestNearFaceThatIsDoubtedIsHeldForLess(t *testing.T) {
	held := func(o Options, size float64, scores ...float64) (pictures int) {
		tr := New(o)
		for i, f := range scored(size, scores...) {
			tr.Update(at(40*i), f, 1920, 1080)
		}
		for ms := 40; len(tr.Update(at(40*(len(scores)-1)+ms), nil, 1920, 1080)) > 0; ms += 40 {
			pictures++
		}
		return pictures
	}
	weak := Options{Weak: true}
	const near, far = 300, 30
	require.Equal(t, MinHoldPictures, held(weak, near, 0.5), "the back of a head")
	require.Equal(t, MinHoldPictures, held(weak, near, 0.5, 0.5, 0.5))
	require.Equal(t, 5, held(weak, near, 0.9), "half of HoldWithWeak")
	require.Equal(t, 10, held(weak, far, 0.9))
	require.Greater(t, held(weak, far, 0.6), held(weak, near, 0.6))
	require.Greater(t, held(weak, 120, 0.9), held(weak, near, 0.9))
	require.Equal(t, held(Options{}, far, 0.9), held(Options{}, near, 0.9), "nothing is known without weak sightings")

	weakly := func(size float64, first float64) (pictures int) {
		scores := append([]float64{first}, slicesOf(40, 0.2)...)
		for _, c := range covered(weak, 0, 40, scored(size, scores...)) {
			if c {
				pictures++
			}
		}
		return pictures
	}
	require.Less(t, weakly(near, 0.5), 7, "weak sightings of the back of a head")
	require.Greater(t, weakly(near, 0.9), 25)
	require.Greater(t, weakly(far, 0.5), 25)
}

func slicesOf(n int, v float64) []float64 {
	s := make([]float64, n)
	for i := range s {
		s[i] = v
	}
	return s
}

// Hindsight covers what is a face before it was first found, and what may be the
// back of a head only once it has turned out to be a face.
func TestHindsightBelievesANearFaceOnlyWhenItIsSure(t *testing.T) {
	before := func(lookahead int, size float64, scores ...float64) (pictures int) {
		o := covered(Options{Weak: true}, lookahead, 40, scored(size, append(make([]float64, 12), scores...)...))
		for _, c := range o[:12] {
			if c {
				pictures++
			}
		}
		return pictures
	}
	require.Equal(t, 5, before(8, 300, 0.9), "as long as it is held after the last sighting")
	require.Equal(t, 5, before(30, 300, 0.9))
	require.Equal(t, 3, before(3, 300, 0.9))
	require.Equal(t, 0, before(8, 300, 0.5))
	require.Equal(t, 8, before(8, 30, 0.5), "far away it would cost little, and is believed")
	require.Equal(t, 5, before(8, 300, 0.5, 0.5, 0.9), "it turned round")
}

// A near face that flickers is covered in all pictures, whatever the detector thinks of
// it and with any look-ahead.
func TestNearFaceThatFlickersIsCovered(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ahead := rapid.IntRange(0, MaxLookahead).Draw(t, "lookahead")
		size := rapid.Float64Range(30, 400).Draw(t, "size")
		score := rapid.Float64Range(0.3, 1).Draw(t, "score")
		gap := rapid.IntRange(0, MinHoldPictures).Draw(t, "gap")
		var scores []float64
		for range 20 {
			scores = append(append(scores, score), make([]float64, gap)...)
		}
		for i, c := range covered(Options{Weak: true}, ahead, 33, scored(size, scores...)) {
			require.True(t, c, "picture %d", i)
		}
	})
}

// A face is covered in every gap up to its hold.
func TestFaceIsCoveredInEveryGapUpToItsHold(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ahead := rapid.IntRange(0, MaxLookahead).Draw(t, "lookahead")
		size := rapid.Float64Range(30, 400).Draw(t, "size")
		ms := rapid.IntRange(10, 40).Draw(t, "interval")
		hold := New(Options{Weak: true})
		hold.Update(at(0), scored(size, 0.9)[0], 1920, 1080)
		most := int(hold.tracks[0].hold(HoldWithWeak)/time.Millisecond) / ms
		gap := rapid.IntRange(0, most).Draw(t, "gap")
		scores := append(append(slicesOf(10, 0.9), make([]float64, gap)...), slicesOf(3, 0.9)...)
		for i, c := range covered(Options{Weak: true}, ahead, ms, scored(size, scores...)) {
			require.True(t, c, "picture %d of %d", i, len(scores))
		}
	})
}

// In rain a face near the camera scores as the back of a head does otherwise, and is often missed.
func TestInRestlessPicturesWhatWasFoundIsCoveredForTwoSeconds(t *testing.T) {
	for _, size := range []float64{30, 400} {
		tr := New(Options{Weak: true})
		tr.SetRestless(true)
		for i, f := range scored(size, 0.35, 0, 0, 0.4) {
			tr.Update(at(40*i), f, 1920, 1080)
		}
		ms := 0
		for ; ms <= 2000; ms += 40 {
			require.NotEmpty(t, tr.Update(at(120+ms), nil, 1920, 1080), "face of %v pixels, after %d ms", size, ms)
		}
		require.Empty(t, tr.Update(at(120+ms), nil, 1920, 1080))
	}
}

func TestNearWeakSightingsBeginFacesAtTheStartOfRestlessPictures(t *testing.T) {
	for _, restless := range []bool{false, true} {
		w := NewWindow(Options{Weak: true}, 0)
		w.SetRestless(restless)
		w.Observe(at(0), scored(400, 0.2)[0], 1920, 1080)
		require.Equal(t, restless, len(w.Release()) > 0)
	}
}
