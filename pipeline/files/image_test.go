package files

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"scrim/models/testenv"
	"scrim/pipeline/ipc"
	"scrim/redact"
	"scrim/redact/detect"
	"scrim/redact/face"
	"scrim/redact/geom"
	"scrim/redact/obscure"
	"scrim/redact/selftest"
	"scrim/redact/yuv"
)

type noObscurer struct{}

func (noObscurer) Apply(*yuv.Image, []geom.Region) error { return nil }

// quadrants is an image whose corners differ: red, green, blue, white.
func quadrants(w, h int) *image.NRGBA {
	im := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			c := color.NRGBA{R: 255, A: 255}
			switch right, low := x >= w/2, y >= h/2; {
			case right && low:
				c = color.NRGBA{R: 255, G: 255, B: 255, A: 255}
			case right:
				c = color.NRGBA{G: 255, A: 255}
			case low:
				c = color.NRGBA{B: 255, A: 255}
			}
			im.SetNRGBA(x, y, c)
		}
	}
	return im
}

// name says which quadrant a colour is of.
func name(c color.Color) byte {
	r, g, b, _ := c.RGBA()
	const half = 0x8000
	switch {
	case r > half && g > half:
		return 'W'
	case r > half:
		return 'R'
	case g > half:
		return 'G'
	case b > half:
		return 'B'
	}
	return '?'
}

const exifSecret = "SecretCamera"

// withExif adds an orientation and a camera's name to a JPEG.
func withExif(data []byte, orientation uint16) []byte {
	tiff := []byte("MM\x00\x2a\x00\x00\x00\x08\x00\x01")
	tiff = binary.BigEndian.AppendUint16(tiff, 0x0112)
	tiff = binary.BigEndian.AppendUint16(tiff, 3)
	tiff = binary.BigEndian.AppendUint32(tiff, 1)
	tiff = binary.BigEndian.AppendUint16(tiff, orientation)
	tiff = append(tiff, 0, 0, 0, 0, 0, 0)
	body := append(append([]byte("Exif\x00\x00"), tiff...), exifSecret...)
	out := append([]byte{0xff, 0xd8, 0xff, 0xe1}, byte((len(body)+2)>>8), byte(len(body)+2))
	return append(append(out, body...), data[2:]...)
}

func TestImagesAreTurnedAndLoseTheirMetadata(t *testing.T) {
	const w, h = 61, 41 // odd on purpose
	var b bytes.Buffer
	require.NoError(t, jpeg.Encode(&b, quadrants(w, h), &jpeg.Options{Quality: 95}))
	// Corners as they appear: top left, top right, bottom left, bottom right.
	for orientation, want := range map[uint16]string{
		1: "RGBW", 2: "GRWB", 3: "WBGR", 4: "BWRG", 5: "RBGW", 6: "BRWG", 7: "WGBR", 8: "GWRB", 9: "RGBW",
	} {
		for _, out := range []string{"a.jpg", "a.png"} {
			in := filepath.Join(t.TempDir(), "in.jpg")
			require.NoError(t, os.WriteFile(in, withExif(b.Bytes(), orientation), 0o600))
			r := redactFile(t, in, out, func(o *Options) { o.Detector = &scripted{} })
			require.NoError(t, r.err)
			data := contents(t, r.out)
			require.NotContains(t, string(data), exifSecret)
			require.NotContains(t, string(data), "Exif")
			im, _, err := image.Decode(bytes.NewReader(data))
			require.NoError(t, err)
			size := image.Pt(w, h)
			if orientation >= 5 && orientation <= 8 {
				size = image.Pt(h, w)
			}
			require.Equal(t, size, im.Bounds().Size(), "orientation %d", orientation)
			got := string([]byte{name(im.At(3, 3)), name(im.At(size.X-4, 3)), name(im.At(3, size.Y-4)), name(im.At(size.X-4, size.Y-4))})
			require.Equal(t, want, got, "orientation %d", orientation)
		}
	}
}

func TestImagesOfAllKinds(t *testing.T) {
	glass := image.NewNRGBA(image.Rect(0, 0, 40, 40)) // transparent, with a colour that nobody sees
	for i := range glass.Pix {
		glass.Pix[i] = []byte{200, 0, 0, 0}[i%4]
	}
	for what, im := range map[string]image.Image{
		"grey": image.NewGray(image.Rect(0, 0, 33, 17)), "one pixel": quadrants(1, 1), "16 bits": image.NewNRGBA64(image.Rect(0, 0, 20, 10)),
		"palette":     image.NewPaletted(image.Rect(0, 0, 20, 10), color.Palette{color.Black, color.White}),
		"transparent": glass, "offset": quadrants(60, 60).SubImage(image.Rect(10, 10, 50, 31)),
	} {
		in := filepath.Join(t.TempDir(), "in.png")
		var b bytes.Buffer
		require.NoError(t, png.Encode(&b, im))
		require.NoError(t, os.WriteFile(in, b.Bytes(), 0o600))
		r := redactFile(t, in, "a.png", func(o *Options) { o.Detector = &scripted{} })
		require.NoError(t, r.err, what)
		got, err := png.Decode(bytes.NewReader(contents(t, r.out)))
		require.NoError(t, err, what)
		require.Equal(t, im.Bounds().Size(), got.Bounds().Size(), what)
		if what == "transparent" {
			require.Equal(t, byte('W'), name(got.At(20, 20)))
		}
	}
}

func TestImageThatCannotBeInspectedIsObscuredWhole(t *testing.T) {
	in := filepath.Join(t.TempDir(), "in.png")
	var b bytes.Buffer
	require.NoError(t, png.Encode(&b, quadrants(60, 60)))
	require.NoError(t, os.WriteFile(in, b.Bytes(), 0o600))
	r := redactFile(t, in, "a.png", func(o *Options) {
		o.Detector = &scripted{fail: func(int) error { return errTest }}
	})
	require.NoError(t, r.err)
	require.EqualValues(t, 1, r.end.Failsafe)
	require.Equal(t, geom.Failsafe, r.records[0].Regions[0].Source)
	got, err := png.Decode(bytes.NewReader(contents(t, r.out)))
	require.NoError(t, err)
	for y := range 60 {
		for x := range 60 {
			require.Equal(t, got.At(0, 0), got.At(x, y))
		}
	}
}

// The default settings for stills cover every face in the photographs that lie
// next to the project.
func TestFacesOfThePhotographsAreCovered(t *testing.T) {
	dir := testenv.Path(t, testenv.Photographs)
	data, err := os.ReadFile(filepath.Join(dir, "faces.json"))
	require.NoError(t, err)
	var labels struct {
		Images []struct {
			File  string
			Faces []struct {
				X, Y, W, H float64
				Ignore     bool
			}
		}
	}
	require.NoError(t, json.Unmarshal(data, &labels))
	d := realDetector(t)
	obscurer, err := obscure.New(obscure.Options{})
	require.NoError(t, err)
	faces, covered, area, all := 0, 0, 0, 0
	for _, im := range labels.Images {
		r := redactFile(t, filepath.Join(dir, im.File), "a.jpg", func(o *Options) { o.Detector, o.Obscurer = d, obscurer })
		require.NoError(t, r.err)
		rec := r.records[0]
		mask := make([]bool, rec.Width*rec.Height)
		for _, g := range rec.Regions {
			for y := g.Y; y < g.Y+g.H; y++ {
				for x := g.X; x < g.X+g.W; x++ {
					if i := y*rec.Width + x; !mask[i] {
						mask[i] = true
						area++
					}
				}
			}
		}
		all += len(mask)
		for _, f := range im.Faces {
			if f.Ignore {
				continue
			}
			faces++
			in, n := 0, 0
			for y := max(0, int(f.Y)); y < min(rec.Height, int(math.Ceil(f.Y+f.H))); y++ {
				for x := max(0, int(f.X)); x < min(rec.Width, int(math.Ceil(f.X+f.W))); x++ {
					if n++; mask[y*rec.Width+x] {
						in++
					}
				}
			}
			if float64(in) >= 0.95*float64(n) {
				covered++
			} else {
				t.Logf("%s: face at %v, %v covered to %d %%", im.File, f.X, f.Y, 100*in/n)
			}
		}
	}
	share := float64(area) / float64(all)
	t.Logf("%d of %d faces covered, %.1f %% of the area obscured", covered, faces, 100*share)
	require.Equal(t, faces, covered)
	require.LessOrEqual(t, share, 0.25)
}

// realDetector returns the detector with the settings that `scrim redact` has.
func realDetector(t *testing.T) redact.Detector {
	t.Helper()
	d, err := OpenDetector(ipc.Files{Detect: ipc.DetectConfig{Threshold: 0.3}, Sizes: []int{640, 1280}})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, d.Close()) })
	return d
}

func TestDetectorMergesWhatItFindsTwice(t *testing.T) {
	var d merged
	d.add([]face.Face{{Box: geom.Box{X: 10, Y: 10, W: 20, H: 20}, Score: 0.5}, {Box: geom.Box{X: 50, Y: 10, W: 20, H: 20}, Score: 0.5}}, 1)
	d.add([]face.Face{{Box: geom.Box{X: 6, Y: 5, W: 10, H: 10}, Score: 0.9}, {Box: geom.Box{X: 60, Y: 60, W: 10, H: 10}, Score: 0.4}}, 2)
	require.Equal(t, []face.Face{
		{Box: geom.Box{X: 12, Y: 10, W: 20, H: 20}, Score: 0.9}, {Box: geom.Box{X: 50, Y: 10, W: 20, H: 20}, Score: 0.5},
		{Box: geom.Box{X: 120, Y: 120, W: 20, H: 20}, Score: 0.4},
	}, d.faces)
}

func TestPartsAreInspectedAtAllSizes(t *testing.T) {
	d, err := OpenDetector(ipc.Files{Detect: ipc.DetectConfig{Threshold: 0.3}, Sizes: []int{320, 640}})
	require.NoError(t, err)
	defer func() { require.NoError(t, d.Close()) }()
	for _, size := range [][2]int{{1280, 720}, {4800, 2700}} {
		const side = 640
		part, err := yuv.New(side, side)
		require.NoError(t, err)
		box, err := selftest.Draw(part, side/2, side/2, float64(size[0])/16)
		require.NoError(t, err)
		whole, err := yuv.New(size[0], size[1])
		require.NoError(t, err)
		at := image.Pt(160, 40)
		_, err = selftest.Draw(whole, float64(at.X+side/2), float64(at.Y+side/2), float64(size[0])/16)
		require.NoError(t, err)
		want, err := d.Detect(whole)
		require.NoError(t, err)
		require.NotEmpty(t, want)
		before := slices.Clone(want)
		got, err := d.(redact.PartDetector).DetectPart(part, at, size[0], size[1])
		require.NoError(t, err)
		require.NotEmpty(t, got)
		require.Greater(t, got[0].Box.IoU(box), 0.5)
		require.InDelta(t, want[0].Score, got[0].Score, 0.1)
		require.Equal(t, before, want, "what Detect returned is valid until the next Detect")
	}
}

func TestHalve(t *testing.T) {
	src, err := yuv.New(5, 3)
	require.NoError(t, err)
	for y := range 3 {
		for x := range 5 {
			src.Y[y*src.YStride+x] = byte(10*x + 100*y/2)
		}
	}
	half, err := halve(nil, src)
	require.NoError(t, err)
	require.Equal(t, "3×2", fmt.Sprintf("%d×%d", half.Width, half.Height))
	require.Equal(t, []byte{30, 50, 65}, half.Y[:3])
	require.Equal(t, byte(105), half.Y[half.YStride])
}

func TestBadSettingsAreRefused(t *testing.T) {
	for _, c := range []ipc.Files{{}, {Sizes: []int{1, 2, 3, 4, 5}}, {Sizes: []int{33}}, {Sizes: []int{640}, Detect: ipc.DetectConfig{Threshold: 2}}} {
		_, err := OpenDetector(c)
		require.Error(t, err)
	}
	_, err := OpenDetector(ipc.Files{Sizes: []int{640}, Detect: ipc.DetectConfig{Model: "missing.onnx", Threshold: 0.3}})
	require.ErrorIs(t, err, detect.ErrPermanent)
	_, err = New(Options{Detector: &scripted{}, Obscurer: noObscurer{}, Lookahead: MaxLookahead + 1})
	require.Error(t, err)
	_, err = New(Options{})
	require.Error(t, err)
}
