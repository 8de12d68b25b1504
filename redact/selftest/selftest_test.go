package selftest

import (
	"errors"
	"image"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"scrim/models/testenv"
	"scrim/redact"
	"scrim/redact/detect"
	"scrim/redact/face"
	"scrim/redact/geom"
	"scrim/redact/obscure"
	"scrim/redact/rotate"
	"scrim/redact/track"
	"scrim/redact/yuv"
	"scrim/redact/zone"
)

// scripted is a detector and obscurer whose faults a test chooses. By
// itself it finds faces as long as they are visible.
type scripted struct {
	blind, ghost  bool
	aside         float64
	err, apply    error
	idle, uncover bool
	boxes         []geom.Box
	sizes         [][2]int
}

func (s *scripted) Info() redact.DetectorInfo { return redact.DetectorInfo{ModelSHA256: "abc"} }
func (s *scripted) Close() error              { return nil }

// Detect finds what is not of the ground's colour.
func (s *scripted) Detect(im *yuv.Image) ([]face.Face, error) {
	s.sizes = append(s.sizes, [2]int{im.Width, im.Height})
	left, top, right, bottom := im.Width, im.Height, 0, 0
	for y := range im.Height {
		for x, v := range im.Y[y*im.YStride : y*im.YStride+im.Width] {
			if v < ground-25 || v > ground+25 {
				left, top, right, bottom = min(left, x), min(top, y), max(right, x), max(bottom, y)
			}
		}
	}
	found := right > left && !s.blind
	if found {
		// The drawing is about twice as large as its face.
		w, h := float64(right-left)/1.6, float64(bottom-top)/1.9
		s.boxes = append(s.boxes, geom.Box{X: float64(left+right)/2 - w/2 + s.aside, Y: float64(top+bottom)/2 - h/2, W: w, H: h})
	}
	if n := len(s.boxes); n > 0 && (found || s.ghost) {
		score := 0.9
		if s.boxes[n-1].H < smallFace/1.2 { // as in a picture that was scaled down
			score = 0.5
		}
		return []face.Face{{Box: s.boxes[n-1], Score: score}}, s.err
	}
	return nil, s.err
}

// Apply paints the surroundings, too, so that the drawing is gone.
func (s *scripted) Apply(im *yuv.Image, _ []geom.Region) error {
	if !s.idle {
		im.Fill(ground, 128, 128)
	}
	return s.apply
}

// loser is a tracker that covers nothing.
type loser struct{ redact.Tracker }

func (l loser) Release() []geom.Region {
	l.Tracker.Release()
	return nil
}

func (s *scripted) options() Options {
	return Options{Detector: s, Obscurer: s, Size: 640, Threshold: 0.3, Tracker: func() redact.Tracker {
		if s.uncover {
			return loser{track.NewWindow(track.Options{}, 3)}
		}
		return track.NewWindow(track.Options{}, 3)
	}}
}

func TestCheckNoticesAPartThatDoesNotWork(t *testing.T) {
	for name, c := range map[string]struct {
		s    scripted
		want error
	}{
		"works":                {scripted{}, nil},
		"finds nothing":        {scripted{blind: true}, ErrNotFound},
		"finds something else": {scripted{aside: 300}, ErrNotFound},
		"finds it afterwards":  {scripted{ghost: true}, ErrVisible},
		"paints nothing":       {scripted{idle: true}, ErrVisible},
		"detector fails":       {scripted{err: errors.New("no")}, ErrWithheld},
		"obscurer fails":       {scripted{apply: errors.New("no")}, ErrWithheld},
		"tracker loses it":     {scripted{uncover: true}, ErrWithheld},
	} {
		t.Run(name, func(t *testing.T) {
			err := Check(c.s.options(), 640, 360)
			if c.want == nil {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, c.want)
			require.ErrorIs(t, err, ErrFailed)
		})
	}
}

// partial is an obscurer that leaves a part of each face as it was.
type partial struct {
	redact.Obscurer
	left func(b image.Rectangle) image.Rectangle
	// luma and chroma say which planes it leaves.
	luma, chroma bool
}

func (p partial) Apply(im *yuv.Image, regions []geom.Region) error {
	was := im.Clone()
	if err := p.Obscurer.Apply(im, regions); err != nil {
		return err
	}
	for _, g := range regions {
		r := p.left(g.Face.Rect()).Intersect(im.Bounds())
		for y := r.Min.Y; y < r.Max.Y; y++ {
			for x := r.Min.X; x < r.Max.X; x++ {
				if p.luma {
					im.Y[y*im.YStride+x] = was.Y[y*was.YStride+x]
				}
				if c := y/2*im.CStride + x/2; p.chroma {
					im.U[c], im.V[c] = was.U[c], was.V[c]
				}
			}
		}
	}
	return nil
}

func TestCheckNoticesAFaceThatIsObscuredInPart(t *testing.T) {
	whole := func(b image.Rectangle) image.Rectangle { return b }
	for _, style := range []obscure.Style{obscure.Veil, obscure.Blur, obscure.Mosaic, obscure.Fill} {
		o := realParts(t, detect.Config{Size: 640, Threshold: 0.3, Tiles: true}, obscure.Options{Style: style})
		sound := o.Obscurer
		for name, p := range map[string]partial{
			"paints the upper half": {luma: true, chroma: true, left: func(b image.Rectangle) image.Rectangle {
				b.Min.Y += b.Dy() / 2
				return b
			}},
			"paints the left half": {luma: true, chroma: true, left: func(b image.Rectangle) image.Rectangle {
				b.Min.X += b.Dx() / 2
				return b
			}},
			"paints the upper 75 %": {luma: true, chroma: true, left: func(b image.Rectangle) image.Rectangle {
				b.Min.Y += b.Dy() * 3 / 4
				return b
			}},
			"paints all but the eyes": {luma: true, left: func(b image.Rectangle) image.Rectangle {
				return image.Rect(b.Min.X, b.Min.Y+b.Dy()/4, b.Max.X, b.Min.Y+b.Dy()/2)
			}},
			"paints no luma":   {luma: true, left: whole},
			"paints no chroma": {chroma: true, left: whole},
		} {
			p.Obscurer = sound
			o.Obscurer = p
			for _, size := range [][2]int{{320, 180}, {1280, 720}, {3840, 2160}} {
				require.ErrorIs(t, Check(o, size[0], size[1]), ErrVisible, "%s, %s, %v", style, name, size)
			}
		}
	}
}

// A face that was found and whose region is too small is not covered.
func TestRegionThatLeavesOutAPartOfTheFaceMarksItNot(t *testing.T) {
	box := geom.Box{X: 100, Y: 100, W: 40, H: 60}
	for rect, want := range map[image.Rectangle]bool{
		image.Rect(90, 90, 150, 170): true, image.Rect(100, 100, 140, 160): true, image.Rect(90, 90, 150, 150): false, image.Rect(101, 90, 150, 170): false,
	} {
		g := geom.Region{Rect: rect, Face: geom.Box{X: 102, Y: 102, W: 36, H: 40}, Source: geom.Detected}
		_, found := marked([]geom.Region{g}, box, box.Rect())
		require.Equal(t, want, found, "%v", rect)
	}
}

func TestZonesAreOnTheWay(t *testing.T) {
	box := func(x0, y0, x1, y1 float64) []zone.Point {
		return []zone.Point{{X: x0, Y: y0}, {X: x1, Y: y0}, {X: x1, Y: y1}, {X: x0, Y: y1}}
	}
	middle := zone.Zone{Kind: zone.Ignore, Name: "tv", Reason: "own_screen", Polygon: box(0.35, 0.35, 0.65, 0.65)}
	for name, zones := range map[string][]zone.Zone{
		"ignored in the middle": {middle},
		"masked in the middle":  {{Kind: zone.Mask, Polygon: box(0.3, 0.3, 0.7, 0.7)}},
		"both": {middle, {Kind: zone.Mask, Polygon: box(0, 0, 1, 0.35)}, {Kind: zone.Mask, Polygon: box(0, 0.65, 1, 1)},
			{Kind: zone.Mask, Polygon: box(0, 0, 0.35, 1)}, {Kind: zone.Mask, Polygon: box(0.65, 0, 1, 1)}},
	} {
		s := &scripted{}
		o := s.options()
		o.Zones = zones
		require.NoError(t, Check(o, 640, 360), name)
		at := s.boxes[0]
		require.False(t, zone.Compile(zones, 640, 360).Ignored(at), name)
		if name != "both" {
			require.Greater(t, math.Hypot(at.X+at.W/2-320, at.Y+at.H/2-180), 60.0, name)
		}
	}
}

func TestPicturesAreLargeEnoughAndNoLargerThanNeeded(t *testing.T) {
	for _, c := range []struct {
		w, h  int
		tiles bool
		want  [][2]int
	}{
		{1920, 1080, false, [][2]int{{1920, 1080}}},
		{64, 48, false, [][2]int{{128, 96}}},
		{48, 64, false, [][2]int{{96, 128}}},
		{4096, 16, false, [][2]int{{960, 96}}},
		{1, 1, true, [][2]int{{96, 96}}},
		{640, 360, true, [][2]int{{640, 360}}},
		{3840, 2160, true, [][2]int{{640, 360}, {1280, 720}, {640, 360}, {1280, 720}}},
		{4096, 2304, true, [][2]int{{640, 360}, {1280, 720}, {640, 360}, {1280, 720}}},
		{800, 600, true, [][2]int{{640, 480}, {800, 600}}},
		{4096, 64, true, [][2]int{{640, 96}, {1280, 96}, {640, 48}, {1280, 96}}},
	} {
		s := &scripted{}
		o := s.options()
		o.Tiles = c.tiles
		require.NoError(t, Check(o, c.w, c.h), "%v", c)
		got := slices.Compact(s.sizes) // each before and after, and the small one scaled down in between
		require.Equal(t, c.want, got, "%v", c)
	}
}

// realParts returns options with the real parts.
func realParts(t *testing.T, c detect.Config, style obscure.Options) Options {
	t.Helper()
	d, err := detect.Open(c)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, d.Close()) })
	o, err := obscure.New(style)
	require.NoError(t, err)
	return Options{
		Detector: d, Obscurer: o, Size: c.Size, Threshold: c.Threshold, Tiles: c.Tiles, TileZones: len(c.TileAreas) > 0, Cosmetic: style.Cosmetic,
		Tracker: func() redact.Tracker { return track.NewWindow(track.Options{}, 2) },
	}
}

// The real detector finds the face at every size, and none afterwards,
// whatever the style.
func TestCheckPassesWithTheRealParts(t *testing.T) {
	for _, style := range []obscure.Style{obscure.Veil, obscure.Blur, obscure.Mosaic, obscure.Fill} {
		o := realParts(t, detect.Config{Size: 640, Threshold: 0.3, SkipUnchanged: true}, obscure.Options{Style: style})
		for _, size := range [][2]int{{320, 180}, {641, 361}, {1080, 1920}, {4096, 2304}, {100, 100}, {16, 16}, {1920, 60}, {1920, 200}, {60, 1080}} {
			require.NoError(t, Check(o, size[0], size[1]), "%s at %v", style, size)
		}
	}
}

func TestCheckPassesWhereTheDetectorLooksAtParts(t *testing.T) {
	for _, c := range []detect.Config{
		{Size: 640, Threshold: 0.3, Tiles: true, SkipUnchanged: true},
		{Size: 320, Threshold: 0.8, Tiles: true},
		{Size: 640, Threshold: 0.3, TileAreas: [][4]float64{{0, 0, 0.4, 0.4}}},
	} {
		o := realParts(t, c, obscure.Options{})
		o.Zones = []zone.Zone{{Kind: zone.Tiles, Polygon: []zone.Point{{X: 0, Y: 0}, {X: 0.4, Y: 0}, {X: 0.4, Y: 0.4}, {X: 0, Y: 0.4}}}}
		for _, size := range [][2]int{{1080, 1920}, {4096, 2304}, {700, 500}} {
			begun := time.Now()
			require.NoError(t, Check(o, size[0], size[1]), "%+v at %v", c, size)
			t.Logf("%v at %v takes %v", c.Size, size, time.Since(begun))
		}
	}
}

// The drawn face lies as the camera's faces do, where its zones allow it.
func TestCheckPassesWithATurnedDetector(t *testing.T) {
	for _, r := range geom.Rotations[1:] {
		o := realParts(t, detect.Config{Size: 640, Threshold: 0.3}, obscure.Options{})
		require.NoError(t, Check(o, 1280, 720))
		upright := o.Detector
		o.Detector, o.Rotation = detect.NewTurned(upright, r), r
		mask := zone.Zone{Kind: zone.Mask, Polygon: []zone.Point{{X: 0.3, Y: 0}, {X: 1, Y: 0}, {X: 1, Y: 1}, {X: 0.3, Y: 1}}}
		for _, zones := range [][]zone.Zone{nil, {mask}} {
			o.Zones = zones
			for _, size := range [][2]int{{1280, 720}, {641, 361}, {480, 640}} {
				require.NoError(t, Check(o, size[0], size[1]), "%d at %v", r, size)
			}
		}
		if r.Sideways() {
			o.Zones, o.Detector = nil, &unturned{upright, r}
			require.ErrorIs(t, Check(o, 1280, 720), ErrNotFound, "boxes that are not turned back")
		}
	}
}

// unturned is a detector that returns faces where they lie in the turned picture.
type unturned struct {
	redact.Detector
	r geom.Rotation
}

func (u *unturned) Detect(im *yuv.Image) ([]face.Face, error) {
	lying, err := rotate.Turned(nil, im, u.r)
	if err != nil {
		return nil, err
	}
	return u.Detector.Detect(lying)
}

// networks runs a test with each network that is at hand.
func networks(t *testing.T, f func(t *testing.T, model string)) {
	t.Helper()
	t.Run("scrim-face", func(t *testing.T) { f(t, "") })
	t.Run("yunet-n", func(t *testing.T) { f(t, testenv.Path(t, testenv.YuNet)) })
	t.Run("yunet-s", func(t *testing.T) { f(t, testenv.Path(t, testenv.YuNetS)) })
}

// A detector that does not look at the parts, as it should, does not find the small
// face, or is not as sure of it as it would be.
func TestCheckNoticesThatPartsAreNotLookedAt(t *testing.T) {
	networks(t, func(t *testing.T, model string) {
		t.Helper()
		for _, size := range []int{320, 480, 640, 960} {
			for _, threshold := range []float64{0.3, 0.6} {
				o := realParts(t, detect.Config{Model: model, Size: size, Threshold: threshold}, obscure.Options{})
				o.Tiles = true
				require.ErrorIs(t, Check(o, 3840, 2160), ErrNotFound, "%d at %v", size, threshold)
			}
		}
	})
}

// Where faces may be recognised, the test does not shut the gate forever.
func TestCosmeticCamerasPass(t *testing.T) {
	style := obscure.Options{Style: obscure.Mosaic, Cells: 40, Cosmetic: true}
	o := realParts(t, detect.Config{Size: 640, Threshold: 0.3}, style)
	require.NoError(t, Check(o, 1280, 720))
	o.Cosmetic = false
	require.ErrorIs(t, Check(o, 1280, 720), ErrVisible)
}

// Each network finds it at every size of picture and of its own input, and what is
// left of it is not taken for a face, whatever the style.
func TestCheckPassesWithEveryNetwork(t *testing.T) {
	networks(t, func(t *testing.T, model string) {
		t.Helper()
		o := realParts(t, detect.Config{Model: model, Size: 640, Threshold: 0.3, Tiles: true}, obscure.Options{})
		for _, size := range [][2]int{{320, 180}, {641, 361}, {1080, 1920}, {4096, 2304}, {100, 100}, {16, 16}, {1920, 60}, {1920, 200}, {60, 1080}} {
			require.NoError(t, Check(o, size[0], size[1]), "%v", size)
		}
		for _, style := range []obscure.Style{obscure.Veil, obscure.Blur, obscure.Mosaic, obscure.Fill} {
			for _, size := range []int{320, 416, 512, 576, 640, 960, 1280} {
				for _, tiles := range []bool{false, true} {
					o := realParts(t, detect.Config{Model: model, Size: size, Threshold: 0.3, Tiles: tiles}, obscure.Options{Style: style})
					for _, picture := range [][2]int{{704, 576}, {1280, 720}, {1920, 1080}} {
						require.NoError(t, Check(o, picture[0], picture[1]), "%s, %d, tiles %v, %v", style, size, tiles, picture)
					}
				}
			}
		}
	})
}

func TestDrawStaysWithinThePicture(t *testing.T) {
	for _, size := range [][2]int{{1, 1}, {2, 2}, {33, 17}, {100, 2000}} {
		im, err := yuv.New(size[0], size[1])
		require.NoError(t, err)
		box, err := Draw(im, float64(size[0])/2, float64(size[1])/2, plain(size[0], size[1]))
		require.NoError(t, err)
		require.False(t, math.IsNaN(box.X+box.Y+box.W+box.H))
	}
}
