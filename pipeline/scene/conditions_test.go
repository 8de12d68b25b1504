package scene

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"scrim/pipeline/scene/stamp"
	"scrim/pipeline/scene/stamp/stamptest"
	"scrim/redact/geom"
	"scrim/redact/rotate"
	"scrim/redact/yuv"
)

var small = Options{Width: 320, Height: 180, Seed: 2, People: 4, FPS: 10}

// with returns small with changes.
func with(change func(*Options)) Options {
	o := small
	change(&o)
	return o
}

// below is the rows of small that the stamp does not reach.
func below(im *yuv.Image) []byte {
	return im.Y[stamp.Bounds(im.Width, im.Height).Max.Y*im.YStride : im.YStride*im.Height]
}

func moments(p []byte) (mean, sigma float64) {
	sum, squares := 0.0, 0.0
	for _, v := range p {
		sum, squares = sum+float64(v), squares+float64(v)*float64(v)
	}
	n := float64(len(p))
	return sum / n, math.Sqrt(squares/n - sum*sum/n/n)
}

// noiseIn returns the standard deviation of the difference of two pictures' luma.
func noiseIn(a, b *yuv.Image) float64 {
	pa, pb := below(a), below(b)
	squares := 0.0
	for i := range pa {
		d := float64(pa[i]) - float64(pb[i])
		squares += d * d
	}
	return math.Sqrt(squares / float64(len(pa)))
}

func TestNew_Conditions(t *testing.T) {
	for name, change := range map[string]func(*Options){
		"too light":    func(o *Options) { o.Light = 101 },
		"no light":     func(o *Options) { o.Light = -1 },
		"light":        func(o *Options) { o.Light = math.NaN() },
		"noise":        func(o *Options) { o.Noise = MaxNoise + 1 },
		"noise NaN":    func(o *Options) { o.Noise = math.NaN() },
		"blur":         func(o *Options) { o.Blur = MaxBlur + 1 },
		"still":        func(o *Options) { o.Still = o.People + 1 },
		"kind":         func(o *Options) { o.Events = []Event{{Kind: "flood"}} },
		"end":          func(o *Options) { o.Events = []Event{{Kind: Lamp, Start: 2, End: 1}} },
		"start":        func(o *Options) { o.Events = []Event{{Kind: Lamp, Start: -1}} },
		"many":         func(o *Options) { o.Events = make([]Event, MaxEvents+1) },
		"low sideways": func(o *Options) { o.Width, o.Height, o.Rotate = 640, 319, geom.Turned90 },
	} {
		_, err := New(with(change))
		require.ErrorContains(t, err, "choose", name)
	}
	_, err := New(with(func(o *Options) { o.Rotate = 45 }))
	require.ErrorContains(t, err, "must be 0, 90, 180 or 270")
}

func TestNoise_HasTheSigmaAndIsOtherInEachPicture(t *testing.T) {
	for _, sigma := range []float64{2, 10, 40} {
		o := with(func(o *Options) { o.Light = 60 }) // away from the limits of samples
		bare, _ := draw(t, newScene(t, o), 30)
		o.Noise = sigma
		s := newScene(t, o)
		a, truth := draw(t, s, 30)
		require.InDelta(t, sigma, noiseIn(a, bare), 0.12*sigma)
		u := make([]byte, 0, len(a.U))
		for i := range a.U {
			u = append(u, byte(128+int(a.U[i])-int(bare.U[i])))
		}
		_, chroma := moments(u[a.CStride*a.ChromaHeight()/4:])
		require.InDelta(t, sigma/2, chroma, 0.12*sigma)

		again, same := draw(t, newScene(t, o), 30)
		require.Equal(t, a, again)
		require.Equal(t, truth, same)
		other := newPicture(t, o)
		s.arrange(30)
		require.NoError(t, s.drawRoom(other))
		scaleLight(other, o.Light)
		s.effects.sensor.addNoise(other, 31, sigma)
		require.InDelta(t, math.Sqrt2*sigma, noiseIn(a, other), 0.12*sigma)
	}
}

func TestLight_ScalesLuma(t *testing.T) {
	full, _ := draw(t, newScene(t, small), 12)
	mean, _ := moments(below(full))
	for _, percent := range []float64{5, 25, 80} {
		im, truth := draw(t, newScene(t, with(func(o *Options) { o.Light = percent })), 12)
		dark, _ := moments(below(im))
		require.InDelta(t, 16+(mean-16)*percent/100, dark, 1)
		require.NotEmpty(t, truth.Faces)
	}
}

// TestBlur_SpreadsAPointAsAGaussian blurs one bright sample.
func TestBlur_SpreadsAPointAsAGaussian(t *testing.T) {
	var d defocus
	for _, sigma := range []float64{0.5, 1, 2.3, 6} {
		im, err := yuv.New(129, 97)
		require.NoError(t, err)
		im.Fill(0, 128, 128)
		for k := range 25 { // one sample is too faint
			im.Y[(46+k/5)*im.YStride+62+k%5] = 255
		}
		d.blur(im, sigma)
		sum, squares := 0.0, 0.0
		for y := range im.Height {
			for x := range im.Width {
				v := float64(im.Y[y*im.YStride+x])
				sum += v
				squares += v * float64((x-64)*(x-64))
			}
		}
		require.InDelta(t, 25*255, sum, 0.06*25*255, "sigma %v", sigma)
		require.InDelta(t, math.Sqrt(sigma*sigma+2), math.Sqrt(squares/sum), 0.1*sigma+0.05, "sigma %v", sigma)
		mean, spread := moments(im.U[:im.ChromaWidth()])
		require.Equal(t, 128.0, mean)
		require.Zero(t, spread)
	}
}

func TestRain_Falls(t *testing.T) {
	s := newScene(t, with(func(o *Options) { o.Rain = true }))
	dry := newScene(t, with(func(o *Options) { o.Light = rainLight }))
	streaks := func(n uint32) map[int]bool {
		a, _ := draw(t, s, n)
		b, _ := draw(t, dry, n)
		at := map[int]bool{}
		for i, v := range below(a) {
			if v > below(b)[i]+20 {
				at[i] = true
			}
		}
		return at
	}
	first, next := streaks(5), streaks(6)
	require.Greater(t, len(first), 320*180/streakArea*8)
	stay := 0
	for i := range first {
		if next[i] {
			stay++
		}
	}
	require.Less(t, stay*4, len(first))
}

func TestRotate_TurnsPictureAndTruth(t *testing.T) {
	for _, r := range geom.Rotations {
		o := with(func(o *Options) {
			o.Rotate, o.Noise = r, 3
			o.Width, o.Height = r.Size(640, 400)
		})
		s := newScene(t, o)
		im, truth := draw(t, s, 40)
		require.Equal(t, o.Width, im.Width)
		o.Rotate, o.Width, o.Height = geom.Upright, 640, 400
		want, upright := draw(t, newScene(t, o), 40)
		back := newPicture(t, o)
		require.NoError(t, rotate.By(r).Image(back, im))
		require.Zero(t, differ(want, back, want.Bounds(), 0))
		read, err := stamptest.Read(back)
		require.NoError(t, err)
		require.EqualValues(t, 40, read.Number)
		require.Len(t, truth.Faces, len(upright.Faces))
		require.NotEmpty(t, truth.Faces)
		for i, f := range truth.Faces {
			was := upright.Faces[i]
			b := r.Box(f.Box, im.Width, im.Height)
			require.InDelta(t, was.Box.X, b.X, 1e-9)
			require.InDelta(t, was.Box.Y, b.Y, 1e-9)
			require.InDelta(t, was.Box.W, b.W, 1e-9)
			require.Equal(t, was.Visible, f.Visible)
			require.Equal(t, was.Yaw, f.Yaw)
			require.InDelta(t, 0, wrapDegrees(was.Roll-f.Roll-float64(r)), 1e-9)
		}
		for i, h := range truth.Heads {
			require.InDelta(t, upright.Heads[i].Area(), h.Area(), 1e-6)
		}
	}
}

func TestStill_PeopleComeInStandAndLeave(t *testing.T) {
	o := with(func(o *Options) { o.Still, o.FPS = 2, 5 })
	s, busy := newScene(t, o), newScene(t, with(func(o *Options) { o.FPS = 5 }))
	for id := range 2 {
		p := s.people[id]
		require.True(t, p.way.at(0).outside, "person %d", id)
		var first, last time.Duration
		for at := time.Duration(0); at < 8*time.Minute; at += 200 * time.Millisecond {
			if p.way.at(at.Seconds()).still == 1 {
				if first == 0 {
					first = at
				}
				last = at
			} else if first != 0 {
				break
			}
		}
		require.NotZero(t, first)
		require.Less(t, first, time.Minute)
		require.InDelta(t, StillTime.Seconds(), (last - first).Seconds(), 3)
		a, b := p.pose(&s.lens, first.Seconds()+1), p.pose(&s.lens, last.Seconds()-1)
		require.Equal(t, a.x, b.x)
		require.Equal(t, a.y, b.y)
		require.InDelta(t, a.yaw, b.yaw, 0.5)
		require.Equal(t, a.roll, b.roll)
	}
	for n := range uint32(50) { // the others go as ever
		for _, id := range []int{2, 3} {
			require.Equal(t, busy.people[id].way.at(float64(n)*7), s.people[id].way.at(float64(n)*7))
		}
	}
}

func TestEvent_Text(t *testing.T) {
	var e Event
	require.NoError(t, e.UnmarshalText([]byte("darkness@20s")))
	require.Equal(t, Event{Kind: Darkness, Start: 20 * time.Second}, e)
	require.NoError(t, e.UnmarshalText([]byte("noise@1m-2m30s")))
	require.Equal(t, Event{Kind: GrowingNoise, Start: time.Minute, End: 150 * time.Second}, e)
	for _, text := range []string{"", "darkness", "darkness@", "darkness@x", "flood@2s", "lamp@5s-4s", "lamp@-5s", "lamp@5s-"} {
		require.ErrorContains(t, e.UnmarshalText([]byte(text)), "choose", text)
	}
}

// TestEvents_ChangeThePictureWhenTheyStart compares pictures before, during and after.
func TestEvents_ChangeThePictureWhenTheyStart(t *testing.T) {
	plain := newScene(t, small)
	for _, kind := range EventKinds() {
		t.Run(string(kind), func(t *testing.T) {
			s := newScene(t, with(func(o *Options) { o.Events = []Event{{Kind: kind, Start: 2 * time.Second, End: 90 * time.Second}} }))
			same := func(n uint32) bool {
				a, _ := draw(t, plain, n)
				b, _ := draw(t, s, n)
				read, err := stamptest.Read(b)
				require.NoError(t, err)
				require.Equal(t, n, read.Number)
				return differ(a, b, a.Bounds(), 0) == 0
			}
			require.True(t, same(19))
			require.False(t, same(25))
			require.Equal(t, kind == Headlight, same(899)) // it has passed
			require.True(t, same(900))
		})
	}
}

// during returns the picture of small and its truth in the second given, while an event that
// started in second 2 is on.
func during(t *testing.T, kind EventKind, second int) (*yuv.Image, Truth) {
	t.Helper()
	s := newScene(t, with(func(o *Options) { o.Events = []Event{{Kind: kind, Start: 2 * time.Second}} }))
	return draw(t, s, uint32(second)*10)
}

func TestEvents_WhatTheyLeadTo(t *testing.T) {
	before, truth := draw(t, newScene(t, small), 100)
	require.NotEmpty(t, truth.Faces)
	mean, contrast := moments(below(before))

	dark, _ := during(t, Darkness, 10)
	m, _ := moments(below(dark))
	require.InDelta(t, 16+(mean-16)*DarknessLight/100, m, 1)

	lit, _ := during(t, Lamp, 10)
	m, _ = moments(below(lit))
	require.Greater(t, m, mean+30)

	noisy, _ := during(t, GrowingNoise, 10)
	some := noiseIn(noisy, before)
	require.InDelta(t, GrownNoise*8.0/60, some, 1.5)

	turned, panned := during(t, Turned, 10)
	moved := 0
	for i, v := range below(turned) {
		if i%turned.YStride >= 160 && v == below(before)[i-160] {
			moved++
		}
	}
	require.Greater(t, moved*100, 90*len(below(turned))/2)
	for _, f := range panned.Faces {
		for _, was := range truth.Faces {
			if was.Person == f.Person {
				require.InDelta(t, was.Box.X+160, f.Box.X, 1)
			}
		}
	}

	covered, none := during(t, Covered, 10)
	_, flat := moments(below(covered))
	require.Less(t, flat, contrast/4)
	for _, f := range none.Faces {
		require.Zero(t, f.Visible)
	}

	blurred, seen := during(t, Defocused, 10)
	require.True(t, truth.Clear)
	require.False(t, seen.Clear)
	require.Equal(t, truth.Faces, seen.Faces)
	require.Less(t, sharpness(blurred), sharpness(before)/2)

	sprayed, less := during(t, Sprayed, 10)
	hidden := 0
	for i := range below(sprayed) {
		if d := int(below(sprayed)[i]) - sprayLuma; d >= -20 && d <= 20 {
			hidden++
		}
	}
	require.Greater(t, hidden*2, len(below(sprayed)))
	require.NotEqual(t, truth.Faces, less.Faces)

	glaring, _ := during(t, Headlight, 7)
	bright := 0
	for _, v := range below(glaring) {
		if v == 235 {
			bright++
		}
	}
	require.Greater(t, bright, 100)
}

// sharpness returns the mean difference of neighbours.
func sharpness(im *yuv.Image) float64 {
	sum := 0
	p := below(im)
	for i := 1; i < len(p); i++ {
		d := int(p[i]) - int(p[i-1])
		sum += max(d, -d)
	}
	return float64(sum) / float64(len(p))
}
