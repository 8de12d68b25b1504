package pipeline

import (
	"bytes"
	"cmp"
	"fmt"
	"image"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"scrim/models/testenv"
	"scrim/pipeline/internal/x264"
	"scrim/pipeline/scene"
	"scrim/pipeline/scene/stamp"
	"scrim/redact/geom"
	"scrim/redact/yuv"
	"scrim/transport"
)

const (
	// markU and markV are a magenta that no other part of the scene comes near,
	// markDark and markBright the luma of its chequers.
	markU, markV         = 224, 224
	markDark, markBright = 40, 220
	markCell             = 4 // pixels
	// markNear is the least U and V that count as the marker's: well under half of
	// its colour mixed into grey, and above everything else in the scene.
	markNear = 128 + (markU-128)*45/100
	// markSamples is how many neighbouring chroma samples make a hit.
	markSamples = 6
)

// paintMarker paints the marker over the part of a box that is in the picture.
// Chroma samples that reach out of it are left alone.
func paintMarker(im *yuv.Image, box geom.Box) {
	r := box.Rect().Intersect(im.Bounds())
	r.Min = image.Pt((r.Min.X+1)&^1, (r.Min.Y+1)&^1)
	r.Max = image.Pt(r.Max.X&^1, r.Max.Y&^1)
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			v := byte(markDark)
			if (x/markCell+y/markCell)%2 == 0 {
				v = markBright
			}
			im.Y[y*im.YStride+x] = v
			im.U[y/2*im.CStride+x/2], im.V[y/2*im.CStride+x/2] = markU, markV
		}
	}
}

// footOf returns the lower end of a picture, as high as a stamp, as a picture
// whose samples are the same.
func footOf(im *yuv.Image) yuv.Image {
	top := (im.Height - stamp.Bounds(im.Width, im.Height).Dy()) &^ 1
	foot := *im
	foot.Height -= top
	foot.Y, foot.U, foot.V = im.Y[top*im.YStride:], im.U[top/2*im.CStride:], im.V[top/2*im.CStride:]
	return foot
}

// findMarkers searches the whole picture: it returns the bounds, in pixels, of
// all groups of markSamples and more neighbouring chroma samples in the
// marker's colour.
func findMarkers(im *yuv.Image) []image.Rectangle {
	w, h := im.ChromaWidth(), im.ChromaHeight()
	var mask []bool
	near := func(x, y int) bool { i := y*im.CStride + x; return im.U[i] >= markNear && im.V[i] >= markNear }
	var hits []image.Rectangle
	var stack []image.Point
	for y := range h {
		for x := range w {
			if !near(x, y) || mask != nil && mask[y*w+x] {
				continue
			}
			if mask == nil {
				mask = make([]bool, w*h)
			}
			n, bounds := 0, image.Rectangle{}
			mask[y*w+x] = true
			for stack = append(stack[:0], image.Pt(x, y)); len(stack) > 0; n++ {
				p := stack[len(stack)-1]
				stack = stack[:len(stack)-1]
				bounds = bounds.Union(image.Rect(2*p.X, 2*p.Y, 2*p.X+2, 2*p.Y+2))
				for _, q := range [4]image.Point{{X: p.X + 1, Y: p.Y}, {X: p.X - 1, Y: p.Y}, {X: p.X, Y: p.Y + 1}, {X: p.X, Y: p.Y - 1}} {
					if q.X >= 0 && q.Y >= 0 && q.X < w && q.Y < h && !mask[q.Y*w+q.X] && near(q.X, q.Y) {
						mask[q.Y*w+q.X] = true
						stack = append(stack, q)
					}
				}
			}
			if n >= markSamples {
				hits = append(hits, bounds)
			}
		}
	}
	return hits
}

const (
	// filmLength is the pictures of a film, filmGroup those from one IDR to the
	// next, filmRate how many there are a second.
	filmLength = 200
	filmGroup  = 40
	filmRate   = 25
	filmStep   = time.Second / filmRate
	// sceneRate makes people walk faster than they are filmed: what an old picture
	// leaves behind is then soon clear of where the faces are.
	sceneRate = 10
	// framesPerFilm keeps the numbers of films apart.
	framesPerFilm = 1000
)

// filmKind says what a film shows and how it is coded.
type filmKind struct {
	seed          uint64
	width, height int
	// format changes the SPS and nothing else.
	format bool
	// reorders: it has B-frames, and units come in the order of decoding.
	reorders bool
	// hevc: it has them, in H.265, and groups begin with CRA pictures.
	hevc   bool
	number uint32 // the films with other numbers have pictures with other numbers
	// length is the number of pictures; 0: filmLength.
	length int
	// dark is when it is dark.
	dark darkness
	// still is how many people come in at the start and stand still.
	still int
}

// darkness falls within a second from one picture of a film on, and ends as quickly at
// another.
type darkness struct {
	from, to int
	share    float64 // of the light that is left
}

// light returns the share of light in a picture.
func (d darkness) light(picture int) float64 {
	if d.share == 0 {
		return 1
	}
	fallen := min(float64(picture-d.from), float64(d.to-picture)) / filmRate
	return 1 - (1-d.share)*min(max(fallen, 0), 1)
}

// film is a coded sequence of pictures with a marker on every face.
type film struct {
	kind  filmKind
	units []transport.CameraUnit // the PTS is that of the first picture and on
	// boxes are the true faces by picture number, which counts from first.
	boxes [][]geom.Box
	first uint32
	raw   []*yuv.Image // every twentieth
}

// films are made once.
var films sync.Map

func filmOf(t *testing.T, k filmKind) *film {
	t.Helper()
	if k.reorders || k.hevc {
		testenv.Need(t, testenv.FFmpeg)
	}
	once, _ := films.LoadOrStore(k, sync.OnceValues(k.shoot))
	f, err := once.(func() (*film, error))()
	require.NoError(t, err)
	return f
}

// sceneOptions are those of a film's scene.
func (k filmKind) sceneOptions() scene.Options {
	return scene.Options{
		Width: k.width, Height: k.height, FPS: sceneRate, Seed: k.seed, People: 4, MinFace: 24, MaxFace: k.height / 4, Still: k.still,
	}
}

// draw calls use with every picture of the film, before it is coded.
func (k filmKind) draw(marked bool, use func(i int, im *yuv.Image, boxes []geom.Box, at time.Time) error) error {
	s, err := scene.New(k.sceneOptions())
	if err != nil {
		return err
	}
	im, err := yuv.New(k.width, k.height)
	if err != nil {
		return err
	}
	for i := range k.pictures() {
		at := filmStart.Add(time.Duration(i) * filmStep)
		truth, err := s.Draw(im, k.first()+uint32(i), at) //nolint:gosec // small
		if err != nil {
			return err
		}
		foot := footOf(im)
		stamp.Draw(&foot, k.first()+uint32(i), at) //nolint:gosec // small
		boxes := make([]geom.Box, 0, len(truth.Faces))
		for _, f := range truth.Faces {
			boxes = append(boxes, f.Box)
			if marked {
				if f.Box.Y+f.Box.H > float64(im.Height-foot.Height) {
					return fmt.Errorf("picture %d: a face reaches into the lower stamp", i)
				}
				paintMarker(im, f.Box)
			}
		}
		if light := k.dark.light(i); light < 1 {
			for n, y := range im.Y {
				im.Y[n] = byte(16 + max(float64(y)-16, 0)*light)
			}
		}
		if err := use(i, im, boxes, at); err != nil {
			return err
		}
	}
	return nil
}

// pictures is how many there are.
func (k filmKind) pictures() int { return cmp.Or(k.length, filmLength) }

func (k filmKind) first() uint32 { return 1 + framesPerFilm*k.number }

var filmStart = time.Unix(1_700_000_000, 0)

// shoot draws and codes a film.
func (k filmKind) shoot() (*film, error) {
	if k.reorders || k.hevc {
		return k.shootB()
	}
	enc, err := x264.New(x264.Options{Width: k.width, Height: k.height, Quality: 20, Bitrate: 4_000_000, KeyframeInterval: time.Hour, FullRange: k.format})
	if err != nil {
		return nil, err
	}
	defer enc.Close()
	f := &film{kind: k, first: k.first()}
	return f, k.draw(true, func(i int, im *yuv.Image, boxes []geom.Box, at time.Time) error {
		if i%20 == 0 {
			f.raw = append(f.raw, im.Clone())
		}
		pts := int64(i) * transport.ClockRate / filmRate
		p, err := enc.Encode(im, pts, i%filmGroup == 0)
		if err != nil {
			return fmt.Errorf("code picture %d: %w", i, err)
		}
		f.boxes = append(f.boxes, boxes)
		f.units = append(f.units, transport.CameraUnit{Codec: transport.H264, PTS: pts, Captured: at, Arrived: at, Data: p.Data})
		return nil
	})
}

// The search must find what it is to find, in raw pictures and after coding,
// down to fragments, and nothing where no marker is.
func TestOracleSeesMarkersAndNothingElse(t *testing.T) {
	t.Parallel()
	for seed := range uint64(3) {
		k := seedFilm(seed)
		faces := 0
		f := filmOf(t, k)
		for i, im := range f.raw {
			for _, b := range f.boxes[i*20] {
				inside := b.Rect().Intersect(im.Bounds())
				if inside.Dx() < 12 || inside.Dy() < 12 {
					continue
				}
				faces++
				found := false
				for _, h := range findMarkers(im) {
					found = found || h.Overlaps(inside)
				}
				require.True(t, found, "the marker at %v of picture %d is not seen", inside, i*20)
			}
		}
		require.Greater(t, faces, 10, "the scene shows too few faces to prove anything")
		require.NoError(t, k.draw(false, func(i int, im *yuv.Image, _ []geom.Box, _ time.Time) error {
			if i%20 == 0 {
				require.Empty(t, findMarkers(im), "a marker where none is")
			}
			return nil
		}))
	}
	im, err := yuv.New(64, 48)
	require.NoError(t, err)
	im.Fill(100, 128, 128)
	require.Empty(t, findMarkers(im))
	paintMarker(im, geom.Box{X: 10, Y: 11, W: 7, H: 5}) // 3×2 samples
	require.Equal(t, []image.Rectangle{image.Rect(10, 12, 16, 16)}, findMarkers(im))
	im.U[6*im.CStride+5] = 128
	require.Empty(t, findMarkers(im))
}

// seedFilm is the film that most faults happen to.
func seedFilm(seed uint64) filmKind {
	sizes := [3][2]int{{320, 180}, {480, 270}, {384, 288}}
	s := sizes[seed%3]
	return filmKind{seed: 100 + seed, width: s[0], height: s[1], number: uint32(seed)} //nolint:gosec // small
}

// shootB codes a film with B-frames, by the ffmpeg program.
func (k filmKind) shootB() (*film, error) {
	f := &film{kind: k, first: k.first()}
	var raw, out, errs bytes.Buffer
	if err := k.draw(true, func(_ int, im *yuv.Image, boxes []geom.Box, _ time.Time) error {
		f.boxes = append(f.boxes, boxes)
		for y := range im.Height {
			raw.Write(im.Y[y*im.YStride:][:im.Width])
		}
		for _, c := range [][]byte{im.U, im.V} {
			for y := range im.ChromaHeight() {
				raw.Write(c[y*im.CStride:][:im.ChromaWidth()])
			}
		}
		return nil
	}); err != nil {
		return nil, err
	}
	codec, aud := transport.H264, []byte{0, 0, 0, 1, 9}
	params := fmt.Sprintf("bframes=2:b-adapt=0:keyint=%d:min-keyint=%d:scenecut=0:repeat-headers=1", filmGroup, filmGroup)
	coding := []string{"-c:v", "libx264", "-preset", "veryfast", "-crf", "20", "-profile:v", "main", "-x264-params", params + ":open-gop=0:threads=1",
		"-bsf:v", "h264_metadata=aud=insert,filter_units=remove_types=6", "-f", "h264"}
	if k.hevc {
		codec, aud = transport.H265, []byte{0, 0, 0, 1, 0x46, 1}
		coding = []string{"-c:v", "libx265", "-preset", "ultrafast", "-crf", "20", "-x265-params",
			params + ":open-gop=1:aud=1:slices=2:ctu=16:pools=1:frame-threads=1:log-level=none", "-f", "hevc"}
	}
	cmd := exec.Command("ffmpeg", append(append([]string{"-v", "error", "-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", fmt.Sprintf("%dx%d", k.width, k.height),
		"-r", fmt.Sprint(filmRate), "-i", "-"}, coding...), "-")...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = &raw, &out, &errs
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("ffmpeg: %w: %s", err, errs.String())
	}
	parts := bytes.Split(out.Bytes(), aud)[1:]
	if len(parts) != filmLength {
		return nil, fmt.Errorf("ffmpeg made %d units of %d pictures", len(parts), filmLength)
	}
	for i, p := range parts {
		f.units = append(f.units, transport.CameraUnit{
			Codec: codec, PTS: int64(i) * transport.ClockRate / filmRate, Data: append(bytes.Clone(aud), p...),
		})
	}
	return f, nil
}
