package detect

import (
	"fmt"
	"image"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"scrim/pipeline/scene"
	"scrim/redact"
	"scrim/redact/face"
	"scrim/redact/geom"
	"scrim/redact/yuv"
)

// cutOut returns a copy of what lies in r, which begins at even coordinates.
func cutOut(tb testing.TB, im *yuv.Image, r image.Rectangle) *yuv.Image {
	tb.Helper()
	v, err := viewOf(im)
	require.NoError(tb, err)
	p := v.part(r)
	part := &yuv.Image{Width: p.w, Height: p.h, Y: p.y, U: p.u, V: p.v, YStride: p.ys, CStride: p.cs, FullRange: p.full}
	out, err := yuv.New(p.w, p.h)
	require.NoError(tb, err)
	require.NoError(tb, out.CopyFrom(part))
	return out
}

// around returns the surroundings of a face: context pixels on each side, cut at the picture's
// border, from even coordinates.
func around(f geom.Box, context float64, im *yuv.Image) image.Rectangle {
	r := geom.Box{X: f.X - context, Y: f.Y - context, W: f.W + 2*context, H: f.H + 2*context}.Rect()
	r.Min = image.Pt(r.Min.X&^1, r.Min.Y&^1)
	return r.Intersect(im.Bounds())
}

func TestFacesOfThePictureAreFoundInItsParts(t *testing.T) {
	for _, c := range []Config{{Size: 640}, {Size: 320}, {Size: 320, Tiles: true}, {Size: 320, Engine: EngineOpenCV}} {
		for _, size := range [][2]int{{640, 360}, {1280, 720}, {1919, 1079}, {3840, 2160}} {
			if (c.Tiles || c.Engine != "") && size[0] != 1280 {
				continue
			}
			t.Run(fmt.Sprintf("%s %d tiles %v, %d×%d", c.Engine, c.Size, c.Tiles, size[0], size[1]), func(t *testing.T) {
				c.Threshold = 0.3
				d, err := Open(c)
				require.NoError(t, err)
				defer d.Close()
				found := 0
				for seed := range uint64(2) {
					if size[0] > 2000 && seed > 0 {
						break // large pictures take long to draw
					}
					s, err := scene.New(scene.Options{Width: size[0], Height: size[1], Seed: seed, People: 8, NoStamp: true})
					require.NoError(t, err)
					im, err := yuv.New(size[0], size[1])
					require.NoError(t, err)
					for n := range uint32(2) {
						_, err = s.Draw(im, 40+90*n, time.Unix(0, 0))
						require.NoError(t, err)
						found += compareParts(t, d, im, c.Size)
					}
				}
				require.Positive(t, found)
			})
		}
	}
}

// compareParts looks for each face of a picture in its surroundings, and returns how many there
// are.
func compareParts(t *testing.T, d redact.Detector, im *yuv.Image, size int) int {
	t.Helper()
	whole, err := d.Detect(im)
	require.NoError(t, err)
	faces := strong(append([]face.Face(nil), whole...))
	scale := max(1, float64(max(im.Width, im.Height))/float64(size))
	for _, f := range faces {
		r := around(f.Box, f.Box.H+64*scale, im)
		got, err := d.(redact.PartDetector).DetectPart(cutOut(t, im, r), r.Min, im.Width, im.Height)
		require.NoError(t, err)
		best, iou := face.Face{}, 0.0
		for _, g := range got {
			g.Box.X, g.Box.Y = g.Box.X+float64(r.Min.X), g.Box.Y+float64(r.Min.Y)
			if i := g.Box.IoU(f.Box); i > iou {
				best, iou = g, i
			}
		}
		least := 0.7
		if f.Score < 0.45 { // several cells of the network may say nearly the same
			least = 0.45
		}
		require.Greater(t, iou, least, "%v in %v: %v", f, r, got)
		require.InDelta(t, f.Score, best.Score, 0.12, "%v in %v", f, r)
	}
	return len(faces)
}

func TestPartHasThePixelsOfTheWhole(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // a test
	for _, size := range [][2]int{{640, 360}, {1280, 720}, {1921, 1081}, {1000, 999}, {330, 300}} {
		im, err := yuv.New(size[0], size[1])
		require.NoError(t, err)
		for _, plane := range [][]byte{im.Y, im.U, im.V} {
			for i := range plane {
				plane[i] = byte(r.IntN(256))
			}
		}
		picture, err := viewOf(im)
		require.NoError(t, err)
		var ps passes
		require.NoError(t, ps.fit(picture, Config{Size: 320, Tiles: true}))
		for i := range ps.all {
			require.NoError(t, ps.luma(i, picture))
			require.NoError(t, ps.chroma(i, picture))
		}
		for range 20 {
			x, y := r.IntN(size[0]-40)&^1, r.IntN(size[1]-40)&^1
			part := image.Rect(x, y, x+40+r.IntN(size[0]-40-x+1), y+40+r.IntN(size[1]-40-y+1))
			cut, err := viewOf(cutOut(t, im, part))
			require.NoError(t, err)
			var first partView
			for i := range ps.all {
				pv, err := ps.partView(i, partView{cut, part}, first)
				require.NoError(t, err)
				if i == 0 {
					first = pv
				}
				requireSamples(t, &ps.all[i].view, pv)
			}
		}
	}
}

// requireSamples compares what a pass sees of a part with what it sees of the whole; they
// may differ by rounding.
func requireSamples(t *testing.T, whole *view, pv partView) {
	t.Helper()
	for y := range pv.h {
		for x := range pv.w {
			at := pv.rect.Min.Add(image.Pt(x, y))
			require.InDelta(t, whole.y[at.Y*whole.ys+at.X], pv.y[y*pv.ys+x], 1, "luma at %v", at)
			if x&1|y&1 == 0 {
				require.InDelta(t, whole.u[at.Y/2*whole.cs+at.X/2], pv.u[y/2*pv.cs+x/2], 1, "U at %v", at)
				require.InDelta(t, whole.v[at.Y/2*whole.cs+at.X/2], pv.v[y/2*pv.cs+x/2], 1, "V at %v", at)
			}
		}
	}
}

func TestPartsDoNotDisturbWhatIsRemembered(t *testing.T) {
	run := func(parts bool) (all [][]face.Face, pixels int) {
		d, err := Open(Config{Size: 320, Tiles: true, Threshold: 0.3, SkipUnchanged: true})
		require.NoError(t, err)
		defer d.Close()
		y, ok := d.(*yuNet)
		require.True(t, ok)
		now := time.Unix(100, 0)
		y.now = func() time.Time { return now }
		s, err := scene.New(scene.Options{Width: 960, Height: 540, Seed: 3, People: 5})
		require.NoError(t, err)
		im, err := yuv.New(960, 540)
		require.NoError(t, err)
		for n := range uint32(40) {
			now = now.Add(40 * time.Millisecond)
			_, err = s.Draw(im, 300+n, now)
			require.NoError(t, err)
			if parts {
				r := image.Rect(int(n)*4, int(n)*2, int(n)*4+300, int(n)*2+200)
				_, err = y.DetectPart(cutOut(t, im, r), r.Min, 960, 540)
				require.NoError(t, err)
			}
			faces, err := y.Detect(im)
			require.NoError(t, err)
			all = append(all, append([]face.Face(nil), faces...))
			if parts {
				kept := append([]face.Face(nil), faces...)
				_, err = y.DetectPart(cutOut(t, im, image.Rect(0, 0, 400, 400)), image.Point{}, 960, 540)
				require.NoError(t, err)
				require.Equal(t, kept, faces, "what Detect returned is valid until the next Detect")
			}
		}
		return all, y.pixels
	}
	want, pixels := run(false)
	got, same := run(true)
	require.Equal(t, want, got)
	require.Equal(t, pixels, same)
}

func TestPartsThatCannotBeAreRefused(t *testing.T) {
	d, err := Open(Config{Size: 320, Threshold: 0.3})
	require.NoError(t, err)
	p := d.(redact.PartDetector) //nolint:forcetypeassert // a test
	im, err := yuv.New(64, 64)
	require.NoError(t, err)
	for name, c := range map[string]struct {
		at   image.Point
		w, h int
	}{
		"odd":     {image.Pt(1, 0), 640, 360},
		"outside": {image.Pt(600, 0), 640, 360},
		"above":   {image.Pt(0, -2), 640, 360},
		"large":   {image.Pt(0, 0), 1 << 20, 360},
	} {
		_, err := p.DetectPart(im, c.at, c.w, c.h)
		require.Error(t, err, name)
	}
	for _, size := range [][2]int{{1, 1}, {2, 3}, {31, 64}} { // whatever is not looked at has no face
		small, err := yuv.New(size[0], size[1])
		require.NoError(t, err)
		faces, err := p.DetectPart(small, image.Pt(100, 100), 1920, 1080)
		require.NoError(t, err)
		require.Empty(t, faces)
	}
	require.NoError(t, d.Close())
	_, err = p.DetectPart(im, image.Point{}, 640, 360)
	require.Error(t, err)
}
