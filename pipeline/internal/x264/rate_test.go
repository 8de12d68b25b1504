package x264

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func fullHD() Options {
	return Options{Width: 1920, Height: 1080, Bitrate: 6_000_000, Quality: 23}
}

// Whatever pictures take, as long as they resemble those before them, the sum stays
// below the ceiling, but for what the buffer holds, and as much again for the first.
func TestCeilingHolds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := newRate(fullHD())
		fps := rapid.SampledFrom([]int64{5, 15, 30, 60}).Draw(t, "fps")
		pixel := rapid.Float64Range(0.1, 60).Draw(t, "bits of a pixel at quantiser 0")
		gop := rapid.IntRange(10, 120).Draw(t, "gop")
		var sum float64
		for i := range int64(300) {
			key := int(i)%gop == 0
			qp := r.choose(i*90000/fps, key)
			require.GreaterOrEqual(t, qp, 1)
			require.LessOrEqual(t, qp, maxQP)
			pixel = min(max(pixel*rapid.Float64Range(0.97, 1.03).Draw(t, "change"), 0.1), 60)
			var bits float64
			for again := true; again; {
				bits = pixel * 1920 * 1080 * math.Exp2(-float64(qp)/qpOctave)
				if key {
					bits *= 3
				}
				r.tried(key, qp, bits)
				var coarser int
				if coarser, again = r.coarser(bits, qp); again {
					key, qp = true, coarser
				}
			}
			sum += bits
			r.sent(bits)
			seconds := float64(i+1) / float64(fps)
			if qp < maxQP { // beyond that nothing helps
				require.LessOrEqual(t, sum, 6e6*seconds*1.05+2.2*r.buffer, "after %v s", seconds)
			}
		}
	})
}

// What takes little gets the quality that was asked for, and finer where it is calm;
// what takes more than there is gets as much as there is.
func TestQuantiserFollowsWhatPicturesTake(t *testing.T) {
	settled := func(pixel float64) (qp int, rate float64) {
		r := newRate(fullHD())
		var sum float64
		for i := range int64(300) {
			qp = r.choose(i*3000, false)
			bits := pixel * 1920 * 1080 * math.Exp2(-float64(qp)/qpOctave)
			r.tried(false, qp, bits)
			if r.sent(bits); i >= 150 {
				sum += bits
			}
		}
		return qp, sum / 5
	}
	qp, _ := settled(0.01)
	require.Equal(t, 23-int(mostFiner), qp)
	qp, _ = settled(0.5)
	require.Equal(t, 23-2, qp)
	qp, _ = settled(1)
	require.Equal(t, 23, qp)
	qp, rate := settled(20)
	require.Greater(t, qp, 35)
	require.InEpsilon(t, 6e6, rate, 0.05, "the ceiling is used")
}

// After a key frame of many bits those that follow pay for it bit by bit.
func TestKeyFrameDoesNotSpoilThePicturesAfterIt(t *testing.T) {
	r := newRate(fullHD())
	worst, before := 0, 0
	for i := range int64(120) {
		key := i == 90
		qp := r.choose(i*3000, key)
		bits := 2.5 * 1920 * 1080 * math.Exp2(-float64(qp)/qpOctave)
		if key {
			bits *= 4
		}
		r.tried(key, qp, bits)
		r.sent(bits)
		switch {
		case i == 89:
			before = qp
		case i > 90:
			worst = max(worst, qp)
		}
	}
	require.LessOrEqual(t, worst, before+4)
}

func TestPictureThatIsTooLargeIsCodedCoarser(t *testing.T) {
	r := newRate(fullHD())
	_, again := r.coarser(r.buffer, 23)
	require.False(t, again)
	qp, again := r.coarser(4*r.buffer, 23)
	require.True(t, again)
	require.GreaterOrEqual(t, qp, 23+12)
	_, again = r.coarser(4*r.buffer, maxQP)
	require.False(t, again, "nothing would help")
}
