package scene

import (
	"math"

	"scrim/redact/geom"
)

// Truth is what is visible in one frame.
type Truth struct {
	// Frame is the frame's number.
	Frame uint32
	// Faces are the faces that are turned to the camera by less than MaxYaw and
	// whose box reaches into the picture, the farthest first. The caller owns them.
	Faces []TrueFace
	// Heads are the boxes of all heads that reach into the picture, hair
	// included, whichever way they are turned and whatever is before them: what a
	// detector may well take for a face. The caller owns them.
	Heads []geom.Box
	// Bodies are the people whose trunk reaches into the picture, the farthest first. The
	// caller owns them.
	Bodies []TrueBody
	// Clear is set if nothing makes the picture hard to see: no noise, blur, rain or
	// missing light, and nothing that has happened.
	Clear bool
}

// TrueBody is the body of one person in one frame.
type TrueBody struct {
	// Person is the person's number, as in TrueFace.
	Person int
	// Trunk is the extent of the trunk, from shoulders to hips, whatever is before it. It
	// may reach outside the picture.
	Trunk geom.Box
}

// TrueFace is one face in one frame.
type TrueFace struct {
	// Person is the permanent number of the person, from 0.
	Person int
	// Box is the extent of the visible side of the face, from hairline to chin
	// and from cheek to cheek, without ears. It may reach outside the picture.
	Box geom.Box
	// Visible is the fraction of Box that is inside the picture and not behind a
	// nearer person, the column, a cloth or paint, times 1 for yaws up to ProfileYaw, falling to
	// 0 at MaxYaw.
	Visible float64
	// Yaw is how far the face is turned to the right of the picture when that is upright,
	// in degrees. Roll is how far the head is tilted clockwise in the picture as it is,
	// from −180 to 180 degrees.
	Yaw, Roll float64
	// Distance is that from the camera's plane, in metres.
	Distance float64
}

// Yaws in degrees: up to ProfileYaw a face counts in full, from MaxYaw on it is
// none but the back of a head.
const (
	ProfileYaw = 70
	MaxYaw     = 100
)

// Truth returns the truth of frame n, without drawing it.
func (s *Scene) Truth(n uint32) Truth {
	s.arrange(n)
	return s.truth(n)
}

func (s *Scene) truth(n uint32) Truth {
	t := Truth{
		Frame: n, Faces: make([]TrueFace, 0, len(s.figures)), Heads: make([]geom.Box, 0, len(s.figures)),
		Bodies: make([]TrueBody, 0, len(s.figures)), Clear: s.clear(),
	}
	picture := geom.Box{W: s.lens.width, H: s.lens.height}
	for i := range s.figures {
		f := &s.figures[i]
		if head := f.headBox(); head.Intersect(picture) > 0 {
			t.Heads = append(t.Heads, s.turned(head))
		}
		if f.torso.Intersect(picture) > 0 {
			t.Bodies = append(t.Bodies, TrueBody{Person: f.who.id, Trunk: s.turned(f.torso)})
		}
		box := f.box()
		turned := (MaxYaw - math.Abs(f.yaw)) / (MaxYaw - ProfileYaw)
		inside := box.Intersect(picture)
		if turned <= 0 || box.Area() == 0 || inside == 0 {
			continue
		}
		t.Faces = append(t.Faces, TrueFace{
			Person: f.who.id, Box: s.turned(box), Visible: min(turned, 1) * s.seen(i, box),
			Yaw: f.yaw, Roll: wrapDegrees(f.roll - float64(s.options.Rotate)), Distance: s.lens.focal / f.size / metre,
		})
	}
	return t
}

// clear reports whether nothing makes the arranged frame hard to see.
func (s *Scene) clear() bool {
	return s.effects == nil || s.look == appearance{light: 100}
}

// turned returns where a box of the upright picture is in the picture.
func (s *Scene) turned(b geom.Box) geom.Box {
	return s.options.Rotate.Inverse().Box(b, int(s.lens.width), int(s.lens.height))
}

// seen returns the fraction of box, the face of figure i, that is in the
// picture with nothing before it.
func (s *Scene) seen(i int, box geom.Box) float64 {
	const grid = 14
	n := 0
	for k := range grid * grid {
		x := box.X + (float64(k%grid)+0.5)/grid*box.W
		y := box.Y + (float64(k/grid)+0.5)/grid*box.H
		if x >= 0 && y >= 0 && x < s.lens.width && y < s.lens.height && !s.hidden(i, x, y) {
			n++
		}
	}
	return float64(n) / (grid * grid)
}

// hidden reports whether something is before figure i at a point.
func (s *Scene) hidden(i int, x, y float64) bool {
	pan := float64(s.look.pan)
	if c := s.room.column; s.figures[i].size <= s.room.columnSize &&
		x >= float64(c.Min.X)+pan && x < float64(c.Max.X)+pan && y < float64(c.Max.Y) {
		return true
	}
	if s.effects != nil && s.effects.hide(int(x), int(y), &s.look) {
		return true
	}
	for k := i + 1; k < len(s.figures); k++ {
		if s.figures[k].hides(x, y) {
			return true
		}
	}
	return false
}
