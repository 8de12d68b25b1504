package detect

import (
	"fmt"
	"image"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"scrim/pipeline/scene"
	"scrim/redact/cv/cvtest"
	"scrim/redact/face"
	"scrim/redact/yuv"
)

func TestTilesHoldEverySmallFaceWhole(t *testing.T) {
	require.Len(t, tiles(1920, 1080), 9)
	require.Len(t, tiles(1280, 720), 4)
	rapid.Check(t, func(t *rapid.T) {
		w, h := rapid.IntRange(1, 4096).Draw(t, "w"), rapid.IntRange(1, 2304).Draw(t, "h")
		all := tiles(w, h)
		require.Less(t, len(all), 80)
		for _, r := range all {
			require.True(t, !r.Empty() && r.In(image.Rect(0, 0, w, h)), "%v", r)
			require.True(t, r.Min.X%2 == 0 && r.Min.Y%2 == 0, "%v", r)
			require.LessOrEqual(t, r.Dx(), 1024)
			require.LessOrEqual(t, r.Dy(), 1024)
		}
		fw, fh := min(w, tileOverlap), min(h, tileOverlap)
		x, y := rapid.IntRange(0, w-fw).Draw(t, "x"), rapid.IntRange(0, h-fh).Draw(t, "y")
		f, whole := image.Rect(x, y, x+fw, y+fh), false
		for _, r := range all {
			whole = whole || f.In(r)
		}
		require.True(t, whole, "%v in none of %v", f, all)
	})
}

func TestWholeBoxesArePreferred(t *testing.T) {
	whole := candidate{x: 10, y: 10, w: 40, h: 50, score: 0.4}
	half := candidate{x: 10, y: 10, w: 18, h: 50, score: 0.9, cut: true}
	most := candidate{x: 10, y: 10, w: 38, h: 50, score: 0.9, cut: true}
	other := candidate{x: 45, y: 10, w: 30, h: 50, score: 0.5, cut: true}
	small := candidate{x: 20, y: 20, w: 10, h: 12, score: 0.6}
	for name, c := range map[string]struct{ in, want []candidate }{
		"half of a face":          {[]candidate{half, whole}, []candidate{whole}},
		"nearly all of it":        {[]candidate{most, whole}, []candidate{whole}},
		"another next to it":      {[]candidate{other, whole}, []candidate{whole, other}},
		"nobody sees it whole":    {[]candidate{half}, []candidate{half}},
		"half of half":            {[]candidate{half, most}, []candidate{most}},
		"small and whole in it":   {[]candidate{small, whole}, []candidate{small, whole}},
		"a part is larger: both":  {[]candidate{small, half}, []candidate{small, half}},
		"cut ones are kept apart": {[]candidate{half, other}, []candidate{other, half}},
	} {
		t.Run(name, func(t *testing.T) { require.Equal(t, c.want, suppress(c.in)) })
	}
}

func TestCutBoxesAreKnown(t *testing.T) {
	r := image.Rect(0, 0, 100, 80)
	inner := candidate{x: 10, y: 10, w: 50, h: 50}
	left, bottom := inner, inner
	left.x, bottom.h = 1, 69
	all := sides{true, true, true, true}
	require.False(t, all.cuts(&inner, r))
	require.True(t, all.cuts(&left, r))
	require.True(t, all.cuts(&bottom, r))
	require.False(t, sides{top: true, right: true}.cuts(&left, r), "the picture's own border")
	require.False(t, sides{top: true, right: true}.cuts(&bottom, r))
}

// recall is how many faces there are in drawn pictures, by the first of
// recallSizes that they do not reach, and how many a detector finds.
type recall struct{ there, found []int }

var recallSizes = []float64{12, 16, 24, 32, 64, 128, 256, 600}

func (r *recall) add(truth scene.Truth, faces []face.Face) {
	for _, f := range truth.Faces {
		if f.Visible < 0.75 || math.Abs(f.Yaw) > 45 {
			continue
		}
		i, found := 0, 0
		for f.Box.H >= recallSizes[i] {
			i++
		}
		for _, g := range faces {
			if g.Box.IoU(f.Box) > 0.3 {
				found = 1
			}
		}
		r.there[i]++
		r.found[i] += found
	}
}

func (r *recall) String() string {
	var b strings.Builder
	for i, size := range recallSizes {
		fmt.Fprintf(&b, " <%.0f: %d/%d", size, r.found[i], r.there[i])
	}
	return b.String()
}

func TestFacesFrom12PixelsAreFoundWithTiles(t *testing.T) {
	one, _ := skipping(t, Config{Size: 640})
	tiled, _ := skipping(t, Config{Size: 640, Tiles: true})
	sum := [2]recall{}
	for i := range sum {
		sum[i] = recall{make([]int, len(recallSizes)), make([]int, len(recallSizes))}
	}
	for seed := range uint64(3) {
		s, err := scene.New(scene.Options{Width: 1920, Height: 1080, Seed: 1000 + seed, People: 14, MinFace: 10, MaxFace: 540})
		require.NoError(t, err)
		im, err := yuv.New(1920, 1080)
		require.NoError(t, err)
		for n := range uint32(3) {
			truth, err := s.Draw(im, 97*n, time.Time{})
			require.NoError(t, err)
			for i, d := range []*yuNet{one, tiled} {
				faces, _ := detect(t, d, im)
				sum[i].add(truth, faces)
			}
		}
	}
	t.Logf("640:%v", &sum[0])
	t.Logf("640 with tiles:%v", &sum[1])
	for i := 1; i < len(recallSizes); i++ {
		there, found := sum[1].there[i], sum[1].found[i]
		require.GreaterOrEqual(t, found*20, there*19, "below %v pixels", recallSizes[i])
		require.GreaterOrEqual(t, found, sum[0].found[i])
	}
}

// The camera is so near that the face does not fit into the picture.
func TestFacesThatFillThePictureAreFound(t *testing.T) {
	d, _ := skipping(t, Config{Size: 640})
	there, found := 0, 0
	for _, photo := range photographs(t) {
		for _, f := range photo.boxes {
			h := int(f.H) * 5 / 8 &^ 1
			w := h * 4 / 3 &^ 1
			part := image.Rect(0, 0, w, h).Add(image.Pt((int(f.X+f.W/2)-w/2)&^1, (int(f.Y+f.H/2)-h/2)&^1))
			if f.H < 40 || !part.In(photo.im.Bounds()) {
				continue
			}
			faces, _ := detect(t, d, enlarge(t, photo.im, part, 960, 720))
			there++
			for _, g := range faces {
				if g.Box.W > 480 {
					found++
					break
				}
			}
		}
	}
	require.Positive(t, there)
	require.GreaterOrEqual(t, found*10, there*9, "of %d", there)
}

// enlarge returns a part of im in another size.
func enlarge(t *testing.T, im *yuv.Image, part image.Rectangle, w, h int) *yuv.Image {
	t.Helper()
	v, err := viewOf(im)
	require.NoError(t, err)
	v = v.part(part)
	out, err := yuv.New(w, h)
	require.NoError(t, err)
	out.FullRange = im.FullRange
	cw, ch := v.chroma()
	for _, p := range []struct {
		from   cvtest.Plane
		to     []byte
		stride int
		w, h   int
	}{
		{cvtest.Plane{Pix: v.y, Width: v.w, Height: v.h, Stride: v.ys}, out.Y, out.YStride, w, h},
		{cvtest.Plane{Pix: v.u, Width: cw, Height: ch, Stride: v.cs}, out.U, out.CStride, w / 2, h / 2},
		{cvtest.Plane{Pix: v.v, Width: cw, Height: ch, Stride: v.cs}, out.V, out.CStride, w / 2, h / 2},
	} {
		s, err := cvtest.NewScaler(p.w, p.h)
		require.NoError(t, err)
		big, err := s.Scale(p.from)
		require.NoError(t, err)
		for y := range p.h {
			copy(p.to[y*p.stride:], big[y*p.w:(y+1)*p.w])
		}
		s.Close()
	}
	return out
}

func TestPassesSuitThePicture(t *testing.T) {
	d, _ := skipping(t, Config{Size: 640, Tiles: true})
	for _, c := range []struct{ w, h, passes int }{
		{1920, 1080, 2 + 9}, {640, 360, 2}, {320, 180, 1}, {1081, 1921, 2 + 12}, {641, 361, 2 + 1}, {2, 2, 1}, {4096, 2, 2 + 7},
	} {
		im, err := yuv.New(c.w, c.h)
		require.NoError(t, err)
		faces, _ := detect(t, d, im)
		require.Empty(t, faces)
		require.Equal(t, c.passes, len(d.passes.all), "%d×%d", c.w, c.h) //nolint:testifylint // passes are long to print
	}
}

func TestSteadyStateAllocatesNothing(t *testing.T) {
	d, now := skipping(t, Config{Size: 640, SkipUnchanged: true})
	im, _ := draw(t, 1280, 720, 5, 100)
	other := im.Clone()
	for y := 300; y < 340; y++ {
		for x := 600; x < 640; x++ {
			other.Y[y*other.YStride+x] ^= 0x40
		}
	}
	turn := 0
	step := func() {
		*now = now.Add(40 * time.Millisecond)
		turn++
		if _, err := d.Detect([]*yuv.Image{im, other}[turn%2]); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 * fullPictures {
		step()
	}
	require.LessOrEqual(t, testing.AllocsPerRun(fullPictures, step), 1.0)
}

// Zones in which small faces are expected get the tiles that reach into them.
func TestTilesOfZonesOnly(t *testing.T) {
	small := func(areas [][4]float64) (n int) {
		var ps passes
		defer ps.close()
		require.NoError(t, ps.fit(view{w: 1920, h: 1080}, Config{Size: 640, TileAreas: areas}))
		return len(ps.all) - 2
	}
	require.Zero(t, small(nil))
	require.Equal(t, 1, small([][4]float64{{0, 0, 0.1, 0.1}}))
	require.Equal(t, len(tiles(1920, 1080)), small([][4]float64{{0, 0, 1, 1}}))
	require.Zero(t, small([][4]float64{{2, 2, 3, 3}}))
}
