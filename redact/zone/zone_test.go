package zone

import (
	"fmt"
	"image"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"scrim/redact/face"
	"scrim/redact/geom"
)

func box(x0, y0, x1, y1 float64) []Point { return []Point{{x0, y0}, {x1, y0}, {x1, y1}, {x0, y1}} }

func TestCheckRefuses(t *testing.T) {
	good := box(0.1, 0.1, 0.5, 0.5)
	many := make([]Point, MaxPoints+1)
	for i := range many {
		sin, cos := math.Sincos(2 * math.Pi * float64(i) / float64(len(many)))
		many[i] = Point{0.5 + 0.4*cos, 0.5 + 0.4*sin}
	}
	for name, c := range map[string]struct {
		z    Zone
		want string
	}{
		"no kind":              {Zone{Polygon: good}, `"" is no kind of zone; it is one of mask, tiles, ignore`},
		"ignored for nothing":  {Zone{Kind: Ignore, Name: "tv", Polygon: good}, "needs a `reason`: one of public_display, billboard, painting, own_screen"},
		"ignored for whatever": {Zone{Kind: Ignore, Name: "tv", Reason: "boring", Polygon: good}, "needs a `reason`"},
		"ignored and unnamed":  {Zone{Kind: Ignore, Name: " ", Reason: "painting", Polygon: good}, "needs a `name`"},
		"reason for a mask":    {Zone{Kind: Mask, Reason: "painting", Polygon: good}, "takes no `reason`"},
		"long name":            {Zone{Kind: Mask, Name: strings.Repeat("ä", MaxNameChars+1), Polygon: good}, "longer than 40 characters"},
		"two lines":            {Zone{Kind: Mask, Name: "a\nb", Polygon: good}, "cannot be shown"},
		"no UTF-8":             {Zone{Kind: Mask, Name: "a\xff", Polygon: good}, "cannot be shown"},
		"no points":            {Zone{Kind: Mask}, "0 points"},
		"two points":           {Zone{Kind: Mask, Polygon: good[:2]}, "2 points; it may have 3 to 64"},
		"too many":             {Zone{Kind: Mask, Polygon: many}, "65 points"},
		"outside":              {Zone{Kind: Mask, Polygon: box(0.1, 0.1, 1.01, 0.5)}, "point 2 of the polygon, 1.01, 0.1, is outside"},
		"negative":             {Zone{Kind: Mask, Polygon: box(-0.1, 0.1, 0.5, 0.5)}, "point 1 of"},
		"not a number":         {Zone{Kind: Mask, Polygon: box(0.1, math.NaN(), 0.5, 0.5)}, "point 1 of"},
		"infinite":             {Zone{Kind: Mask, Polygon: box(0.1, 0.1, 0.5, math.Inf(1))}, "point 3 of"},
		"point twice":          {Zone{Kind: Mask, Polygon: append([]Point{{0.1, 0.1}}, good...)}, "points 1 and 2 of the polygon are the same"},
		"closed by hand":       {Zone{Kind: Mask, Polygon: append(box(0.1, 0.1, 0.5, 0.5), Point{0.1, 0.1})}, "points 5 and 1"},
		"bow tie":              {Zone{Kind: Mask, Polygon: []Point{{0, 0}, {1, 1}, {1, 0}, {0, 1}}}, "the side after point 1 and the side after point 3 meet"},
		"corner on a side":     {Zone{Kind: Mask, Polygon: []Point{{0, 0}, {1, 0}, {1, 1}, {0.5, 0}, {0, 1}}}, "meet"},
		"there and back":       {Zone{Kind: Mask, Polygon: []Point{{0, 0}, {1, 0}, {0.5, 0}}}, "meet"},
		"spike":                {Zone{Kind: Mask, Polygon: []Point{{0.5, 0.5}, {0.25, 0.5}, {0.75, 0.5}, {0.5, 0.75}}}, "meet"},
		"spike at the seam":    {Zone{Kind: Mask, Polygon: []Point{{0.25, 0.5}, {0.75, 0.5}, {0.5, 0.75}, {0.5, 0.5}}}, "meet"},
		"sliver":               {Zone{Kind: Mask, Polygon: box(0.1, 0.1, 0.1000001, 0.1000001)}, "next to no area"},
	} {
		t.Run(name, func(t *testing.T) {
			err := c.z.Check()
			require.ErrorContains(t, err, c.want)
			require.NotContains(t, err.Error(), "\n")
		})
	}
}

func TestCheckAdmits(t *testing.T) {
	for _, z := range []Zone{
		{Kind: Mask, Polygon: box(0, 0, 1, 1)},
		{Kind: Mask, Polygon: []Point{{0, 1}, {1, 1}, {0.5, 0}}},
		{Kind: Tiles, Name: "far door", Polygon: []Point{{0, 0}, {0.5, 0.4}, {1, 0}, {0.5, 1}}},
		{Kind: Mask, Polygon: []Point{{0, 0}, {0.5, 0}, {1, 0}, {1, 1}}}, // a corner on a straight line
		{Kind: Ignore, Name: strings.Repeat("ä", MaxNameChars), Reason: "own_screen", Polygon: box(0.1, 0.2, 0.3, 0.4)},
	} {
		require.NoError(t, z.Check())
	}
	require.Equal(t, "public_display lobby screen", Zone{Kind: Ignore, Name: "lobby screen", Reason: "public_display"}.String())
}

// drawPolygon draws a star around a place: simple, seldom convex. Some of its
// corners lie on borders of pixels.
func drawPolygon(t *rapid.T, width, height int) []Point {
	cx, cy := rapid.Float64Range(0.1, 0.9).Draw(t, "cx"), rapid.Float64Range(0.1, 0.9).Draw(t, "cy")
	n := rapid.IntRange(3, 12).Draw(t, "corners")
	snap := rapid.Bool().Draw(t, "snap")
	p := make([]Point, n)
	for i := range p {
		r := rapid.Float64Range(0.02, 0.9).Draw(t, "radius")
		sin, cos := math.Sincos(2 * math.Pi * (float64(i) + 0.3) / float64(n))
		c := Point{min(max(cx+r*cos, 0), 1), min(max(cy+r*sin, 0), 1)}
		if snap {
			c = Point{math.Round(c.X*float64(width)) / float64(width), math.Round(c.Y*float64(height)) / float64(height)}
		}
		p[i] = c
	}
	if checkPolygon(p) != nil {
		t.Skip("not simple")
	}
	return p
}

func TestMasksCoverEveryPixelThatIsTouchedAndNoOther(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		width, height := rapid.IntRange(1, 24).Draw(t, "width"), rapid.IntRange(1, 20).Draw(t, "height")
		p := drawPolygon(t, width, height)
		masks := Compile([]Zone{{Kind: Mask, Polygon: p}}, width, height).Masks()
		require.Len(t, masks, 1)
		m := masks[0]
		require.Equal(t, m.Rect, m.Shape.Bounds())
		require.True(t, m.Rect.In(image.Rect(0, 0, width, height)))
		scaled := make([]Point, len(p))
		for i, c := range p {
			scaled[i] = Point{c.X * float64(width), c.Y * float64(height)}
		}
		for y := range height {
			for x := range width {
				covered := m.Shape.Contains(image.Rect(x, y, x+1, y+1))
				pixel := geom.Box{X: float64(x), Y: float64(y), W: 1, H: 1}
				part := math.Abs(area(clip(scaled, pixel)))
				if part > 1e-9 || sampled(scaled, x, y) {
					require.True(t, covered, "pixel %d, %d, a share of %g in the polygon", x, y, part)
				}
				if part == 0 && !nearSide(scaled, x, y) && !sampled(scaled, x, y) {
					require.False(t, covered, "pixel %d, %d, which is not touched", x, y)
				}
			}
		}
	})
}

// sampled reports whether any of 25 places in a pixel lies in p.
func sampled(p []Point, x, y int) bool {
	for i := range 25 {
		if inside(p, Point{float64(x) + float64(i%5)*0.2 + 0.1, float64(y) + float64(i/5)*0.2 + 0.1}) {
			return true
		}
	}
	return false
}

// nearSide reports whether a side of p comes within a billionth of a pixel.
func nearSide(p []Point, x, y int) bool {
	b := geom.Box{X: float64(x) - 1e-9, Y: float64(y) - 1e-9, W: 1 + 2e-9, H: 1 + 2e-9}
	c := []Point{{b.X, b.Y}, {b.X + b.W, b.Y}, {b.X + b.W, b.Y + b.H}, {b.X, b.Y + b.H}}
	for i, from := range p {
		to := p[(i+1)%len(p)]
		if from.X >= c[0].X && from.X <= c[2].X && from.Y >= c[0].Y && from.Y <= c[2].Y {
			return true
		}
		for k := range c {
			if meet(from, to, c[k], c[(k+1)%4]) {
				return true
			}
		}
	}
	return false
}

func TestMasksHaveTheirOwnTracks(t *testing.T) {
	s := Compile([]Zone{
		{Kind: Tiles, Polygon: box(0, 0, 0.5, 0.26)},
		{Kind: Mask, Polygon: box(0, 0, 0.5, 0.5)},
		{Kind: Mask, Polygon: []Point{{0.5, 0.5}, {1, 0.5}, {1, 1}}},
	}, 1920, 1080)
	m := s.Masks()
	require.Len(t, m, 2)
	require.Equal(t, image.Rect(0, 0, 960, 540), m[0].Rect)
	require.True(t, m[0].Shape.Solid())
	require.False(t, m[1].Shape.Solid())
	for _, r := range m {
		require.Equal(t, geom.Zone, r.Source)
		require.GreaterOrEqual(t, r.Track, uint64(FirstTrack))
		require.Less(t, r.Track, uint64(1)<<53, "JSON numbers hold it")
	}
	require.NotEqual(t, m[0].Track, m[1].Track)
	require.Equal(t, []image.Rectangle{image.Rect(0, 0, 960, 281)}, s.Tiles())
	_ = append(m, geom.Region{Track: 1})
	require.Len(t, s.Masks(), 2)
}

func TestIgnoredNeedsTheCentreAndMostOfTheFace(t *testing.T) {
	s := Compile([]Zone{
		{Kind: Ignore, Name: "tv", Reason: "own_screen", Polygon: box(0.25, 0.25, 0.55, 0.55)},
		{Kind: Ignore, Name: "ring", Reason: "billboard", Polygon: []Point{ // open to the right: its middle is not in it
			{0, 0.8}, {0.2, 0.8}, {0.2, 0.82}, {0.02, 0.82}, {0.02, 0.98}, {0.2, 0.98}, {0.2, 1}, {0, 1}}},
		{Kind: Mask, Polygon: box(0, 0, 0.2, 0.2)},
	}, 1000, 1000)
	for name, c := range map[string]struct {
		b    geom.Box
		want bool
	}{
		"within":           {geom.Box{X: 300, Y: 300, W: 100, H: 100}, true},
		"to the border":    {geom.Box{X: 250, Y: 250, W: 300, H: 300}, true},
		"nine tenths":      {geom.Box{X: 240, Y: 300, W: 100, H: 100}, true},
		"less":             {geom.Box{X: 239, Y: 300, W: 100, H: 100}, false},
		"larger":           {geom.Box{X: 200, Y: 200, W: 400, H: 400}, false},
		"outside":          {geom.Box{X: 800, Y: 300, W: 100, H: 100}, false},
		"around a ring":    {geom.Box{X: 0, Y: 800, W: 200, H: 200}, false},
		"in a mask":        {geom.Box{X: 50, Y: 50, W: 100, H: 100}, false},
		"no width":         {geom.Box{X: 300, Y: 300, H: 100}, false},
		"not a number":     {geom.Box{X: math.NaN(), Y: 300, W: 100, H: 100}, false},
		"not a number too": {geom.Box{X: 300, Y: 300, W: math.NaN(), H: 100}, false},
		"infinite":         {geom.Box{X: 300, Y: 300, W: math.Inf(1), H: 100}, false},
	} {
		require.Equal(t, c.want, s.Ignored(c.b), name)
	}
	faces := []face.Face{{Box: geom.Box{X: 800, Y: 300, W: 100, H: 100}}, {Box: geom.Box{X: 300, Y: 300, W: 9, H: 9}}, {Box: geom.Box{W: 9, H: 9}}}
	kept := append([]face.Face(nil), faces...)
	require.Equal(t, []face.Face{faces[0], faces[2]}, s.Filter(faces))
	require.Equal(t, kept, faces, "the caller's faces")
	require.Empty(t, s.Filter(nil))
}

// Ignored never drops a face that is more than a tenth outside.
func TestIgnoredAgainstSamples(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawPolygon(t, 100, 100)
		for i, c := range p {
			p[i] = Point{c.X * 100, c.Y * 100}
		}
		s := &Set{ignore: [][]Point{p}} // of any area
		b := geom.Box{
			X: rapid.Float64Range(-10, 90).Draw(t, "x"), Y: rapid.Float64Range(-10, 90).Draw(t, "y"),
			W: rapid.Float64Range(1, 40).Draw(t, "w"), H: rapid.Float64Range(1, 40).Draw(t, "h"),
		}
		const n = 40
		in := 0
		for i := range n * n {
			if inside(s.ignore[0], Point{b.X + (float64(i%n)+0.5)/n*b.W, b.Y + (float64(i/n)+0.5)/n*b.H}) {
				in++
			}
		}
		share := float64(in) / n / n
		if share < minIgnored-0.04 {
			require.False(t, s.Ignored(b), "%g is inside", share)
		}
		if share > minIgnored+0.04 {
			require.True(t, s.Ignored(b), "%g is inside", share)
		}
	})
}

func TestCompileErrsOnTheSideOfPrivacy(t *testing.T) {
	bad := []Point{{0, 0}, {math.NaN(), 7}, {1, 1}}
	s := Compile([]Zone{
		{Kind: Mask, Polygon: bad}, {Kind: Mask}, {Kind: Tiles, Polygon: bad},
		{Kind: Ignore, Name: "tv", Reason: "boring", Polygon: box(0, 0, 0.3, 0.3)},
		{Kind: Ignore, Name: "all", Reason: "public_display", Polygon: box(0, 0, 1, 1)},
		{Kind: Ignore, Name: "tv", Reason: "own_screen", Polygon: bad},
	}, 64, 48)
	require.Len(t, s.Masks(), 2)
	for _, m := range s.Masks() {
		require.True(t, m.Covers(image.Rect(0, 0, 64, 48)))
	}
	require.False(t, s.Ignored(geom.Box{X: 5, Y: 5, W: 5, H: 5}))
	require.Empty(t, s.Tiles())
	for _, size := range [][2]int{{0, 0}, {-1, 5}, {5, 0}} {
		require.Empty(t, Compile([]Zone{{Kind: Mask, Polygon: box(0, 0, 1, 1)}}, size[0], size[1]).Masks())
	}
}

func FuzzCheck(f *testing.F) {
	f.Add("mask", "a", "", []byte{0, 0, 255, 0, 255, 255})
	f.Add("ignore", "tv", "billboard", []byte{0, 0, 255, 255, 255, 0, 0, 255})
	f.Add("tiles", "", "", []byte{1, 1, 1, 1, 2})
	f.Fuzz(func(t *testing.T, kind, name, reason string, corners []byte) {
		z := Zone{Kind: Kind(kind), Name: name, Reason: reason}
		for ; len(corners) >= 2; corners = corners[2:] {
			z.Polygon = append(z.Polygon, Point{float64(corners[0]) / 250, float64(corners[1]) / 250})
		}
		err := z.Check()
		if err != nil && strings.ContainsAny(err.Error(), "\r\n") {
			t.Fatalf("more than a line: %q", err)
		}
		s := Compile([]Zone{z}, 31, 17)
		if err == nil && z.Kind == Mask && (len(s.Masks()) != 1 || s.Masks()[0].Rect.Empty()) {
			t.Fatal(fmt.Errorf("a mask without pixels: %v", z))
		}
		s.Ignored(geom.Box{X: 3, Y: 3, W: 9, H: 9})
	})
}
