package scene

import (
	"fmt"
	"image"
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"scrim/pipeline/scene/stamp"
	"scrim/redact/geom"
	"scrim/redact/yuv"
)

// The box is checked against a head whose face, and nothing else, has a colour.
func TestTruth_BoxIsTheFacesExtent(t *testing.T) {
	s := newScene(t, Options{Width: 640, Height: 480, Seed: 4, People: 5})
	for _, p := range s.people {
		for i := range p.model.grid {
			v := &p.model.grid[i]
			v.u, v.v = 0, 0
			skull := p.skull(direction(i))
			if skull.y < min(p.hairEdge(skull), hairline) && skull.y > chin-0.02 && skull.z > 0.12 {
				v.v = 60
			}
		}
		for _, o := range []pose{
			{size: 120}, {size: 150, yaw: 40, roll: 20}, {size: 90, yaw: -70, roll: -25}, {size: 140, yaw: 88}, {size: 30, yaw: -20, roll: 10},
		} {
			o.who, o.x, o.y, o.visible = p, 320, 240, true
			im := newPicture(t, s.options)
			im.Fill(128, 128, 128)
			i, mirror := o.view()
			s.head(p, i).draw(im, placement{x: o.x, y: o.y, scale: o.size, roll: o.roll * math.Pi / 180, mirror: mirror})
			got, want := coloured(im), o.box()
			p.views[i] = nil
			near := 0.04*o.size + 2.5 // chroma has half the resolution
			for _, d := range []float64{got.X - want.X, got.Y - want.Y, got.X + got.W - want.X - want.W, got.Y + got.H - want.Y - want.H} {
				require.Less(t, math.Abs(d), near, "person %d, yaw %v, size %v: drawn %v, box %v", p.id, o.yaw, o.size, got, want)
			}
		}
	}
}

func direction(i int) vec {
	sinLon, cosLon := math.Sincos(longitude(i % lonSteps))
	sinLat, cosLat := math.Sincos(latitude(i / lonSteps))
	return vec{cosLat * sinLon, sinLat, cosLat * cosLon}
}

// coloured returns the extent of what has red in it.
func coloured(im *yuv.Image) geom.Box {
	r := image.Rectangle{}
	for y := range im.ChromaHeight() {
		for x := range im.ChromaWidth() {
			if im.V[y*im.CStride+x] > 128+16 {
				r = r.Union(image.Rect(2*x, 2*y, 2*x+2, 2*y+2))
			}
		}
	}
	return geom.Box{X: float64(r.Min.X), Y: float64(r.Min.Y), W: float64(r.Dx()), H: float64(r.Dy())}
}

// What Visible says is compared with what is drawn before the face.
func TestTruth_VisibleIsWhatIsSeen(t *testing.T) {
	s := newScene(t, Options{Width: 640, Height: 360, Seed: 11, People: 10, MinFace: 30, MaxFace: 130})
	partly, wholly := 0, 0
	for n := uint32(0); n < 1500; n += 75 {
		for _, f := range s.Truth(n).Faces {
			r := f.Box.Rect().Intersect(s.room.back.Bounds())
			if f.Box.H < 30 || math.Abs(f.Yaw) > ProfileYaw || r.Empty() {
				continue
			}
			hidden := float64(s.hiddenPixels(t, f.Person, r)) / float64(r.Dx()*r.Dy())
			inside := f.Box.Intersect(geom.Box{W: 640, H: 360}) / f.Box.Area()
			require.InDelta(t, (1-hidden)*inside, f.Visible, 0.12, "frame %d person %d %v", n, f.Person, f.Box)
			if hidden > 0.2 && hidden < 0.8 {
				partly++
			}
			if f.Visible == 1 {
				wholly++
			}
		}
	}
	require.GreaterOrEqual(t, partly, 5)
	require.Greater(t, wholly, 20)
}

// hiddenPixels returns how many pixels of r are covered by what is before a
// person of the frame arranged last: what looks the same on black and on white.
func (s *Scene) hiddenPixels(t *testing.T, id int, r image.Rectangle) int {
	t.Helper()
	black, white := newPicture(t, s.options), newPicture(t, s.options)
	black.Fill(16, 128, 128)
	white.Fill(235, 128, 128)
	i := slices.IndexFunc(s.figures, func(f figure) bool { return f.who.id == id })
	require.GreaterOrEqual(t, i, 0)
	for _, im := range []*yuv.Image{black, white} {
		if s.figures[i].size <= s.room.columnSize {
			s.room.drawColumn(im, 0)
		}
		for k := i + 1; k < len(s.figures); k++ {
			s.drawFigure(im, &s.figures[k])
		}
	}
	return r.Dx()*r.Dy() - differ(black, white, r, 110)
}

func TestTruth_FacesAreSkin(t *testing.T) {
	s := newScene(t, Options{Width: 640, Height: 360, Seed: 2, People: 5})
	n := 0
	for frame := uint32(0); frame < 1500; frame += 30 {
		im, truth := draw(t, s, frame)
		for _, f := range truth.Faces {
			if f.Visible < 1 || math.Abs(f.Yaw) > 40 || f.Box.H < 20 {
				continue
			}
			n++
			// The middle of the face, from the eyes to the mouth.
			x0, x1 := int(f.Box.X+0.3*f.Box.W)/2, int(f.Box.X+0.7*f.Box.W)/2
			y0, y1 := int(f.Box.Y+0.4*f.Box.H)/2, int(f.Box.Y+0.8*f.Box.H)/2
			u, v := 0, 0
			for y := y0; y < y1; y++ {
				for x := x0; x < x1; x++ {
					u += int(im.U[y*im.CStride+x])
					v += int(im.V[y*im.CStride+x])
				}
			}
			px := (x1 - x0) * (y1 - y0)
			require.Less(t, u/px, 126, "frame %d %+v", frame, f)
			require.Greater(t, v/px, 132, "frame %d %+v", frame, f)
		}
	}
	require.Greater(t, n, 20)
}

func TestTruth_FacesKeepOffTheStamp(t *testing.T) {
	for i, size := range []image.Point{{320, 180}, {1280, 428}, {720, 1280}, {1280, 720}} {
		for _, largest := range []int{0, size.Y / 2} {
			s := newScene(t, Options{Width: size.X, Height: size.Y, Seed: uint64(20 + i), People: 4, MaxFace: largest})
			area := stamp.Bounds(size.X, size.Y)
			for n := uint32(0); n < 6000; n += 20 {
				s.arrange(n)
				for k := range s.figures {
					f := &s.figures[k]
					require.True(t, f.box().Pad(StampMargin, StampMargin).Rect().Intersect(area).Empty(), "%v frame %d %+v", size, n, f.pose)
					require.True(t, f.headBox().Rect().Intersect(area).Empty(), "%v frame %d %+v", size, n, f.pose)
				}
			}
		}
	}
}

// span is the least and greatest of some values.
type span struct{ lo, hi float64 }

func (s *span) add(v float64) { s.lo, s.hi = min(s.lo, v), max(s.hi, v) }

func TestTruth_Variety(t *testing.T) {
	for seed := range uint64(2) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			s := newScene(t, Options{Width: 640, Height: 360, Seed: seed})
			size, yaw, roll, visible := span{1e9, 0}, span{}, span{}, span{1, 0}
			backs, crossings := 0, 0
			entered, left := map[bool]int{}, map[bool]int{} // by side: true is the right
			last := map[int]TrueFace{}
			for n := uint32(0); n < 4000; n += 2 {
				truth := s.Truth(n)
				now := map[int]TrueFace{}
				for _, f := range truth.Faces {
					now[f.Person] = f
					size.add(f.Box.H)
					yaw.add(f.Yaw)
					roll.add(f.Roll)
					visible.add(f.Visible)
					if old, ok := last[f.Person]; ok {
						side, is := overEdge(f.Box, 640)
						was, wasOver := overEdge(old.Box, 640)
						if wasOver && !is {
							entered[was]++
						}
						if is && !wasOver {
							left[side]++
						}
					}
				}
				backs += len(truth.Heads) - len(truth.Faces)
				crossings += crossed(last, now)
				last = now
			}
			require.Less(t, size.lo, 16.0)
			require.Greater(t, size.hi, 100.0)
			require.LessOrEqual(t, size.hi, 130.0)
			require.Less(t, yaw.lo, -90.0)
			require.Greater(t, yaw.hi, 90.0)
			require.Less(t, roll.lo, -12.0)
			require.Greater(t, roll.hi, 12.0)
			require.Less(t, visible.lo, 0.05)
			require.InDelta(t, 1, visible.hi, 1e-9)
			require.Positive(t, backs)
			require.Greater(t, crossings, 3)
			for _, right := range []bool{false, true} {
				require.Positive(t, entered[right], "right %v", right)
				require.Positive(t, left[right], "right %v", right)
			}
		})
	}
}

// overEdge reports whether a box is cut by the left or right edge, and by which.
func overEdge(b geom.Box, width float64) (right, cut bool) {
	return b.X+b.W > width, b.X < 0 || b.X+b.W > width
}

// crossed counts the pairs of faces that overlap and have changed their order.
func crossed(before, after map[int]TrueFace) int {
	n := 0
	centre := func(f TrueFace) float64 { return f.Box.X + f.Box.W/2 }
	for i, a := range after {
		for k, b := range after {
			olda, ok := before[i]
			oldb, both := before[k]
			if i < k && ok && both && a.Box.Intersect(b.Box) > 0 && (centre(a) < centre(b)) != (centre(olda) < centre(oldb)) {
				n++
			}
		}
	}
	return n
}

// Heads move as heads do: they do not jump, and come and go over the edges only.
func TestPeople_MoveSmoothly(t *testing.T) {
	for seed := range uint64(3) {
		s := newScene(t, Options{Width: 640, Height: 360, Seed: seed, People: 4})
		for _, p := range s.people {
			last := p.pose(&s.lens, 0)
			for n := 1; n < 6000; n++ {
				o := p.pose(&s.lens, float64(n)/DefaultFPS)
				where := fmt.Sprintf("seed %d person %d frame %d", seed, p.id, n)
				if o.visible && last.visible {
					require.Less(t, math.Hypot(o.x-last.x, o.y-last.y)/o.size, 0.45, where)
					require.InDelta(t, 1, o.size/last.size, 0.12, where)
					require.Less(t, math.Abs(wrapDegrees(o.yaw-last.yaw)), 32.0, where)
					require.Less(t, math.Abs(o.roll-last.roll), 6.0, where)
				} else if at := whichIsVisible(&o, &last); at != nil {
					var f figure
					f.build(at)
					require.True(t, f.x1 < 0 || f.x0 > 640, "%s: appears or vanishes at %v", where, at.x)
				}
				last = o
			}
		}
	}
}

func whichIsVisible(a, b *pose) *pose {
	switch {
	case a.visible:
		return a
	case b.visible:
		return b
	}
	return nil
}
