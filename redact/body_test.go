package redact

import (
	"image"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"scrim/redact/geom"
)

// shaped returns a moving region of two rectangles.
func shaped(a, b image.Rectangle) geom.Region {
	all := a.Union(b)
	rows := make([][]geom.Span, all.Dy())
	for _, r := range []image.Rectangle{a, b} {
		for y := r.Min.Y; y < r.Max.Y; y++ {
			rows[y-all.Min.Y] = append(rows[y-all.Min.Y], geom.Span{From: r.Min.X, To: r.Max.X})
		}
	}
	return geom.Region{Rect: all, Shape: geom.NewShape(all.Min.Y, rows), Source: geom.Moving, Track: FirstMovingTrack}
}

func faceRegion(x, y, size float64) geom.Region {
	box := geom.Box{X: x, Y: y, W: 0.8 * size, H: size}
	return geom.Region{Rect: box.Pad(0.3, 0.5).Rect(), Face: box, Source: geom.Detected, Track: 7, Score: 0.9}
}

func TestBodyIsBelowItsFace(t *testing.T) {
	bounds := image.Rect(0, 0, 1920, 1080)
	out := bodies([]geom.Region{faceRegion(900, 200, 50)}, nil, bounds)
	require.Len(t, out, 1)
	body := out[0]
	require.Equal(t, geom.Body, body.Source)
	require.Equal(t, uint64(FirstBodyTrack+7), body.Track)
	for name, r := range map[string]image.Rectangle{
		"face": image.Rect(900, 200, 940, 250), "hair": image.Rect(900, 175, 940, 200), "shoulders": image.Rect(850, 260, 990, 300),
		"chest": image.Rect(850, 300, 990, 400), "hands": image.Rect(840, 360, 1000, 440), "feet": image.Rect(860, 560, 980, 640),
	} {
		require.True(t, body.Covers(r), name)
	}
	require.False(t, body.Rect.Overlaps(image.Rect(0, 0, 780, 1080)), "far to the side")
	require.False(t, body.Covers(image.Rect(830, 180, 850, 200)), "next to the head")
}

func TestBodyTakesWhatMovesAndTouchesIt(t *testing.T) {
	bounds := image.Rect(0, 0, 1920, 1080)
	face := faceRegion(900, 200, 50)
	edge := bodies([]geom.Region{face}, nil, bounds)[0].Rect
	touching := shaped(image.Rect(edge.Max.X, 400, edge.Max.X+30, 500), image.Rect(edge.Max.X+20, 450, edge.Max.X+200, 480))
	apart := shaped(image.Rect(edge.Max.X+1, 400, edge.Max.X+30, 500), image.Rect(edge.Max.X+20, 450, edge.Max.X+200, 480))
	// Its rectangle holds the body; its pixels do not touch it.
	around := shaped(image.Rect(100, 0, 120, 1080), image.Rect(120, 1060, 1800, 1080))
	whole := geom.Region{Rect: image.Rect(edge.Min.X-50, 300, edge.Min.X, 320), Source: geom.Moving, Track: FirstMovingTrack + 3}
	out := bodies([]geom.Region{face}, []geom.Region{touching, apart, around, whole}, bounds)
	require.Len(t, out, 3)
	require.Equal(t, touching, out[1])
	require.Equal(t, whole, out[2])
	require.Len(t, bodies([]geom.Region{face, faceRegion(960, 210, 45)}, []geom.Region{touching}, bounds), 3, "each moving region once")
}

func TestBodiesOfNothing(t *testing.T) {
	bounds := image.Rect(0, 0, 640, 360)
	require.Empty(t, bodies(nil, []geom.Region{shaped(image.Rect(0, 0, 9, 9), image.Rect(0, 0, 9, 9))}, bounds))
	require.Empty(t, bodies([]geom.Region{
		{Rect: bounds, Source: geom.Zone, Face: geom.Box{W: 9, H: 9}}, {Rect: bounds, Source: geom.Failsafe}, faceRegion(-3000, 10, 40),
	}, nil, bounds))
}

// Wherever a face is, its own region and the part of its person in the picture are
// covered.
func TestBodyHoldsFaceAndPerson(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		bounds := image.Rect(0, 0, rapid.IntRange(16, 4096).Draw(t, "w"), rapid.IntRange(16, 2304).Draw(t, "h"))
		f := faceRegion(rapid.Float64Range(-200, 4200).Draw(t, "x"), rapid.Float64Range(-200, 2400).Draw(t, "y"), rapid.Float64Range(1, 1000).Draw(t, "size"))
		out := bodies([]geom.Region{f}, nil, bounds)
		face, person := f.Rect.Intersect(bounds), PersonRect(f.Face, geom.Upright).Intersect(bounds)
		if len(out) == 0 {
			require.True(t, face.Empty())
			return
		}
		require.True(t, out[0].Covers(face))
		require.True(t, out[0].Rect.In(bounds))
		require.True(t, out[0].Rect.In(person.Union(face).Inset(-1)))
		require.True(t, out[0].Covers(f.Face.Pad(0.1, 0.5).Rect().Intersect(bounds)))
	})
}

func TestBodyOfAFaceThatLies(t *testing.T) {
	bounds := image.Rect(0, 0, 1920, 1080)
	for _, r := range geom.Rotations {
		upright := faceRegion(900, 500, 50)
		f := upright
		f.Rotation = r
		f.Face = r.Inverse().Box(upright.Face, bounds.Dx(), bounds.Dy())
		f.Rect = r.Inverse().Box(geom.BoxOf(upright.Rect), bounds.Dx(), bounds.Dy()).Rect()
		w, h := r.Inverse().Size(bounds.Dx(), bounds.Dy())
		out := bodies([]geom.Region{f}, nil, image.Rect(0, 0, w, h))
		require.Len(t, out, 1)
		require.Equal(t, r, out[0].Rotation)
		chest := r.Inverse().Box(geom.Box{X: 860, Y: 620, W: 120, H: 100}, bounds.Dx(), bounds.Dy())
		require.True(t, out[0].Covers(chest.Rect()), "rotation %v", r)
	}
}

// A face that is not found in the picture is somewhere in its region: so is its body.
func TestBodyOfAFaceThatIsNotFoundIsBelowAllOfItsRegion(t *testing.T) {
	bounds := image.Rect(0, 0, 1920, 1080)
	for _, source := range []geom.Source{geom.Held, geom.Backfilled, geom.Tracked} {
		f := faceRegion(900, 200, 50)
		f.Source, f.Rect = source, image.Rect(600, 180, 945, 265)
		out := bodies([]geom.Region{f}, nil, bounds)
		require.Len(t, out, 1)
		for x := 620.0; x <= 900; x += 20 {
			chest := geom.Box{X: x - 30, Y: 280, W: 100, H: 150}
			require.True(t, out[0].Covers(chest.Rect()), "%s: face at %v", source, x)
		}
	}
}

func BenchmarkBodies(b *testing.B) {
	bounds := image.Rect(0, 0, 1920, 1080)
	var faces, moving []geom.Region
	for i := range 10 {
		x := 100 + 170*i
		faces = append(faces, faceRegion(float64(x), 150, 60))
		moving = append(moving, shaped(image.Rect(x-40, 200, x+90, 700), image.Rect(x-20, 120, x+80, 220)))
	}
	b.ReportAllocs()
	for b.Loop() {
		bodies(faces, moving, bounds)
	}
}
