package motion

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"scrim/pipeline/scene"
	"scrim/redact"
	"scrim/redact/yuv"
)

// crowd is what is counted of drawn people in front of a camera.
type crowd struct {
	faces, exposed, unknown, pictures int
	worst, area                       float64
	why                               string
}

// watch shows an empty room for ten seconds, then people for a time, and counts faces of
// which less than 98 % is covered. at is called for each picture with people.
func watch(t *testing.T, o scene.Options, d time.Duration, at func(im *yuv.Image, m redact.Motion, truth scene.Truth, n int)) (c crowd) {
	t.Helper()
	o.NoStamp = true
	empty := o
	empty.People, empty.Still, empty.Away = 1, 0, time.Hour
	room, err := scene.New(empty)
	require.NoError(t, err)
	people, err := scene.New(o)
	require.NoError(t, err)
	nobody := uint32(0)
	for len(room.Truth(nobody).Heads) > 0 {
		nobody += uint32(o.FPS)
	}
	b, err := New(Options{Absorb: DefaultAbsorb})
	require.NoError(t, err)
	im, err := yuv.New(o.Width, o.Height)
	require.NoError(t, err)
	now := time.Unix(1e9, 0)
	var m redact.Motion
	show := func(s *scene.Scene, n uint32) scene.Truth {
		truth, err := s.Draw(im, n, now)
		require.NoError(t, err)
		m, err = b.Observe(now, im, redact.Seen{Learn: true, Wanted: true})
		require.NoError(t, err)
		now = now.Add(time.Duration(float64(time.Second) / o.FPS))
		return truth
	}
	for n := range uint32(10 * o.FPS) {
		show(room, nobody+n)
	}
	for n := range int(d.Seconds() * o.FPS) {
		truth := show(people, uint32(n))
		c.pictures++
		if !m.Known {
			c.unknown++
			c.why = m.Why
			if at != nil {
				at(im, m, truth, n)
			}
			continue
		}
		c.area += coveredShare(m.Regions, im.Bounds())
		for _, f := range truth.Faces {
			box := f.Box.Rect().Intersect(im.Bounds())
			if box.Empty() || f.Visible < 0.3 {
				continue
			}
			c.faces++
			if bare := 1 - coveredShare(m.Regions, box); bare > 0.02 {
				c.exposed++
				c.worst = max(c.worst, bare)
			}
		}
		if at != nil {
			at(im, m, truth, n)
		}
	}
	c.area /= float64(max(1, c.pictures-c.unknown))
	return c
}

// Twenty people, of whom eight stand still for five minutes.
func TestNobodyOfTwentyPeopleIsShown(t *testing.T) {
	c := watch(t, scene.Options{Width: 640, Height: 360, FPS: 4, Seed: 11, People: 20, Still: 8, MaxFace: 60, Noise: 3}, 6*time.Minute, nil)
	require.Zero(t, c.exposed, "of %d faces, the worst by %.2f", c.faces, c.worst)
	require.Greater(t, c.faces, 5000)
	require.Zero(t, c.unknown, c.why)
}
