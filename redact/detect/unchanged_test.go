package detect

import (
	"image"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"scrim/pipeline/scene"
	"scrim/redact/face"
	"scrim/redact/geom"
	"scrim/redact/yuv"
)

// plain returns a view of one brightness.
func plain(w, h int, value byte) view {
	v := view{y: make([]byte, w*h), ys: w, w: w, h: h}
	for i := range v.y {
		v.y[i] = value
	}
	return v
}

func TestSkipUnchangedSumsCellsAsTheDefinitionSays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, h := rapid.IntRange(1, 70).Draw(t, "w"), rapid.IntRange(1, 40).Draw(t, "h")
		stride := w + rapid.IntRange(0, 9).Draw(t, "gap")
		v := view{y: make([]byte, stride*(h-1)+w), ys: stride, w: w, h: h}
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0)) //nolint:gosec // a test
		for i := range v.y {
			v.y[i] = byte(r.IntN(256))
		}
		g := newChangeMap(w, h, scaledLevel)
		g.sum(&v)
		for i, got := range g.now {
			want := 0
			for y := i / g.cols * 4; y < min(i/g.cols*4+4, h); y++ {
				for x := i % g.cols * 4; x < min(i%g.cols*4+4, w); x++ {
					want += int(v.y[y*stride+x])
				}
			}
			require.EqualValues(t, want, got, "cell %d", i)
		}
	})
}

func TestSkipUnchangedSeesChangesOfEveryCell(t *testing.T) {
	now := time.Unix(0, 0)
	for _, size := range [][2]int{{64, 48}, {33, 17}, {3, 2}, {18, 50}} {
		g := newChangeMap(size[0], size[1], scaledLevel)
		v := plain(size[0], size[1], 100)
		require.Equal(t, -1, g.compare(&v, now))
		g.inspected(now, 1)
		require.Zero(t, g.compare(&v, now))
		for y := 0; y < v.h; y += cellSize {
			for x := 0; x < v.w; x += cellSize {
				for _, level := range []byte{scaledLevel, scaledLevel + 1} {
					v := plain(v.w, v.h, 100)
					for dy := range min(cellSize, v.h-y) {
						for dx := range min(cellSize, v.w-x) {
							v.y[(y+dy)*v.ys+x+dx] += level
						}
					}
					g.left = fullPictures
					n := g.compare(&v, now)
					require.Equal(t, level > scaledLevel, n == 1, "%v: cell %d,%d by %d", size, x, y, level)
					require.Equal(t, n == 1, g.changed[y/blockSize*g.bw+x/blockSize])
				}
			}
		}
	}
}

func TestSkipUnchangedCreepingChangesAreChanges(t *testing.T) {
	now := time.Unix(0, 0)
	g := newChangeMap(64, 64, scaledLevel)
	v := plain(64, 64, 100)
	g.compare(&v, now)
	g.inspected(now, 1)
	for i := range 2 * scaledLevel {
		v := plain(64, 64, byte(101+i))
		require.Equal(t, i+1 > scaledLevel, g.compare(&v, now) > 0, "after %d steps", i+1)
	}
}

func TestSkipUnchangedPartOfABlockIsNotInspected(t *testing.T) {
	now := time.Unix(0, 0)
	g := newChangeMap(100, 60, scaledLevel)
	a, b := plain(100, 60, 100), plain(100, 60, 200)
	g.compare(&a, now)
	g.inspected(now, 1)
	all := g.bw * g.bh
	require.Equal(t, all, g.compare(&b, now))
	g.inspectedPart(image.Rect(5, 0, 37, 33))
	require.Equal(t, all-2, g.compare(&b, now), "block 1 of the two uppermost rows")
	g.inspectedPart(image.Rect(80, 40, 100, 60))
	require.Equal(t, all-4, g.compare(&b, now), "blocks at the borders are whole there")
	g.inspectedPart(image.Rect(50, 5, 40, 60))
	g.inspectedPart(image.Rect(17, 17, 31, 31))
	require.Equal(t, all-4, g.compare(&b, now))
}

func TestSkipUnchangedPlanHoldsChangesAndFaces(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, h := rapid.IntRange(100, 700).Draw(t, "w"), rapid.IntRange(100, 500).Draw(t, "h")
		g := newChangeMap(w, h, scaledLevel)
		for range rapid.IntRange(0, 12).Draw(t, "n") {
			g.changed[rapid.IntRange(0, len(g.changed)-1).Draw(t, "block")] = true
		}
		var found []candidate
		for range rapid.IntRange(0, 8).Draw(t, "faces") {
			found = append(found, candidate{
				x: rapid.Float32Range(-20, float32(w)).Draw(t, "x"), y: rapid.Float32Range(-20, float32(h)).Draw(t, "y"),
				w: rapid.Float32Range(4, 200).Draw(t, "fw"), h: rapid.Float32Range(4, 200).Draw(t, "fh"),
			})
		}
		whole := image.Rect(0, 0, w, h)
		plan := g.plan(found)
		for i, r := range plan {
			require.True(t, r.In(whole) && !r.Empty())
			for _, k := range plan[:i] {
				require.False(t, r.Overlaps(k))
			}
			for i := range found {
				if box := found[i].rect(0); box.Overlaps(r) {
					require.True(t, found[i].rect(faceMargin).Intersect(whole).In(r))
				}
			}
		}
		holds := func(want image.Rectangle) bool {
			for _, r := range plan {
				if want.Intersect(whole).In(r) {
					return true
				}
			}
			return false
		}
		for i, changed := range g.changed {
			block := image.Rect(0, 0, blockSize, blockSize).Add(image.Pt(i%g.bw, i/g.bw).Mul(blockSize))
			require.True(t, !changed || holds(block.Inset(-changeMargin)), "block %v of %v", block, plan)
		}
	})
}

func TestCropsFitTheNetwork(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		low := -2 * rapid.IntRange(0, 16).Draw(t, "low")
		high := low + stepSize*rapid.IntRange(2, 40).Draw(t, "steps")
		from := rapid.IntRange(0, high-1).Draw(t, "from")
		to := rapid.IntRange(from+1, high).Draw(t, "to")
		few := rapid.SampledFrom([][]int{nil, fewSides}).Draw(t, "sides")
		a, b := fitCrop(from, to, low, high, few)
		require.True(t, low <= a && a <= from && to <= b && b <= high, "%d…%d", a, b)
		require.Zero(t, (a-low)%stepSize)
		require.Zero(t, (b-a)%stepSize)
	})
}

// skipping returns a detector with a clock of its own, and that clock.
func skipping(tb testing.TB, c Config) (*yuNet, *time.Time) {
	tb.Helper()
	c.Threshold = 0.3
	d, err := Open(c)
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, d.Close()) })
	y, ok := d.(*yuNet)
	require.True(tb, ok)
	now := time.Unix(1000, 0)
	y.now = func() time.Time { return now }
	return y, &now
}

// draw returns a frame of a scene with people in it.
func draw(tb testing.TB, w, h int, seed uint64, n uint32) (*yuv.Image, scene.Truth) {
	tb.Helper()
	s, err := scene.New(scene.Options{Width: w, Height: h, Seed: seed, People: 10, NoStamp: true})
	require.NoError(tb, err)
	im, err := yuv.New(w, h)
	require.NoError(tb, err)
	truth, err := s.Draw(im, n, time.Time{})
	require.NoError(tb, err)
	return im, truth
}

// detect returns a copy of the faces in im, and how many pixels networks saw.
func detect(tb testing.TB, d *yuNet, im *yuv.Image) (faces []face.Face, pixels int) {
	tb.Helper()
	before := d.pixels
	found, err := d.Detect(im)
	require.NoError(tb, err)
	return append(faces, strong(found)...), d.pixels - before
}

// strong returns a copy of those faces that are not weak.
func strong(faces []face.Face) []face.Face {
	return slices.DeleteFunc(slices.Clone(faces), func(f face.Face) bool { return f.Weak })
}

func TestPicturesThatStayTheSameGiveTheSame(t *testing.T) {
	for _, tiles := range []bool{false, true} {
		fresh, _ := skipping(t, Config{Size: 640, Tiles: tiles})
		d, now := skipping(t, Config{Size: 640, Tiles: tiles, SkipUnchanged: true})
		im, _ := draw(t, 1280, 720, 5, 100)
		want, all := detect(t, fresh, im)
		require.NotEmpty(t, want)
		worked := 0
		for i := range 70 {
			got, pixels := detect(t, d, im)
			require.ElementsMatch(t, want, got, "picture %d", i)
			if i == 0 {
				require.Equal(t, all, pixels)
			} else {
				worked += pixels
			}
			*now = now.Add(40 * time.Millisecond)
		}
		require.GreaterOrEqual(t, worked, 2*all, "twice in 2.8 seconds")
		require.LessOrEqual(t, worked, 5*all)
	}
}

func TestEverythingIsInspectedWhenItMust(t *testing.T) {
	d, now := skipping(t, Config{Size: 640, Tiles: true, SkipUnchanged: true})
	fresh, _ := skipping(t, Config{Size: 640, Tiles: true})
	im, _ := draw(t, 1280, 720, 5, 100)
	_, all := detect(t, d, im)
	_, pixels := detect(t, d, im)
	require.Zero(t, pixels)

	*now = now.Add(time.Second)
	_, pixels = detect(t, d, im)
	require.Equal(t, all, pixels, "a second later")

	pixels = 0
	for range fullPictures {
		_, n := detect(t, d, im)
		pixels += n
	}
	require.GreaterOrEqual(t, pixels, all, "%d pictures later", fullPictures)

	d.Reset()
	_, pixels = detect(t, d, im)
	require.Equal(t, all, pixels, "after Reset")

	brighter := im.Clone()
	for i, v := range brighter.Y {
		brighter.Y[i] = min(v, 215) + 20
	}
	got, pixels := detect(t, d, brighter)
	require.Equal(t, all, pixels, "other light")
	want, _ := detect(t, fresh, brighter)
	require.ElementsMatch(t, want, got)

	small, _ := draw(t, 640, 360, 5, 100)
	_, pixels = detect(t, d, small)
	require.Positive(t, pixels, "another size")
	_, pixels = detect(t, d, im)
	require.Equal(t, all, pixels, "the first size again")

	bad := im.Clone()
	bad.U = bad.U[:10]
	_, err := d.Detect(bad)
	require.Error(t, err)
	_, pixels = detect(t, d, im)
	require.Equal(t, all, pixels, "after an error")
}

// The point of it all: what appears while the rest stands still is found, and
// what is gone is dropped.
func TestChangesAreInspected(t *testing.T) {
	for _, tiles := range []bool{false, true} {
		d, now := skipping(t, Config{Size: 640, Tiles: tiles, SkipUnchanged: true})
		whole, _ := skipping(t, Config{Size: 640, Tiles: tiles})
		missed, exposed, extra, faces, pixels, all := 0, 0, 0, 0, 0, 0
		r := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // a test
		for seed := range uint64(3) {
			var from [2]*yuv.Image
			var truth [2]scene.Truth
			from[0], truth[0] = draw(t, 1280, 720, 20+seed, 50)
			from[1], truth[1] = draw(t, 1280, 720, 20+seed, 300)
			cur := from[0].Clone()
			_, _ = detect(t, d, cur)
			for range 10 {
				*now = now.Add(40 * time.Millisecond)
				k, l := r.IntN(2), r.IntN(2)
				part := paste(cur, from[k], truth[l].Faces[r.IntN(len(truth[l].Faces))].Box, r)
				want, n := detect(t, whole, cur)
				all += n
				got, n := detect(t, d, cur)
				pixels += n
				near := part.Inset(-8)
				for _, f := range want {
					if f.Box.Rect().Overlaps(near) {
						faces++
						missed += count(!covered(f, got))
						exposed += count(!hidden(f, got))
					}
				}
				for _, f := range got {
					extra += count(!covered(f, want))
				}
			}
		}
		t.Logf("tiles %v: of %d faces in what changed %d not found alike, %d exposed; %d more than in the whole; %d %% of the pixels inspected",
			tiles, faces, missed, exposed, extra, 100*pixels/all)
		require.Positive(t, faces)
		require.Zero(t, exposed)
		require.LessOrEqual(t, missed*20, faces)
		require.Less(t, pixels, all*2/3)
	}
}

func count(b bool) int {
	if b {
		return 1
	}
	return 0
}

// covered reports whether f is among faces.
func covered(f face.Face, faces []face.Face) bool {
	for _, g := range faces {
		if f.Box.IoU(g.Box) >= 0.7 {
			return true
		}
	}
	return false
}

// hidden reports whether the regions of faces would hide f.
func hidden(f face.Face, faces []face.Face) bool {
	for _, g := range faces {
		r := g.Box.Pad(0.3, 0.5).Rect()
		wide := geom.Box{X: float64(r.Min.X), Y: float64(r.Min.Y), W: float64(r.Dx()), H: float64(r.Dy())}
		if f.Box.Intersect(wide) >= 0.9*f.Box.Area() {
			return true
		}
	}
	return false
}

// paste copies a random part of src that shares something with box into dst,
// and returns which.
func paste(dst, src *yuv.Image, box geom.Box, r *rand.Rand) image.Rectangle {
	w, h := 2*(20+r.IntN(120)), 2*(20+r.IntN(100))
	x := (int(box.X+box.W*r.Float64()) - r.IntN(w)) / 2 * 2
	y := (int(box.Y+box.H*r.Float64()) - r.IntN(h)) / 2 * 2
	part := image.Rect(x, y, x+w, y+h).Intersect(dst.Bounds())
	from, to := part.Min, part.Max
	for j := from.Y; j < to.Y; j++ {
		copy(dst.Y[j*dst.YStride+from.X:j*dst.YStride+to.X], src.Y[j*src.YStride+from.X:])
	}
	for j := from.Y / 2; j < to.Y/2; j++ {
		copy(dst.U[j*dst.CStride+from.X/2:j*dst.CStride+to.X/2], src.U[j*src.CStride+from.X/2:])
		copy(dst.V[j*dst.CStride+from.X/2:j*dst.CStride+to.X/2], src.V[j*src.CStride+from.X/2:])
	}
	return part
}
