package files

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"scrim/models/testenv"
	"scrim/pipeline/ipc"
	"scrim/redact"
	"scrim/redact/detect"
	"scrim/redact/face"
	"scrim/redact/geom"
	"scrim/redact/obscure"
	"scrim/redact/yuv"
)

// arrows is a detector that finds arrows that point up: a bright pixel above a dark one.
type arrows struct {
	score float64
	sizes [][2]int
}

func (a *arrows) Detect(im *yuv.Image) (found []face.Face, err error) {
	a.sizes = append(a.sizes, [2]int{im.Width, im.Height})
	for y := range im.Height - 1 {
		for x := range im.Width {
			if im.Y[y*im.YStride+x] == 250 && im.Y[(y+1)*im.YStride+x] == 10 {
				found = append(found, face.Face{Box: geom.Box{X: float64(x), Y: float64(y), W: 1, H: 2}, Score: a.score})
			}
		}
	}
	return found, nil
}
func (a *arrows) Info() redact.DetectorInfo { return redact.DetectorInfo{Name: "arrows"} }
func (a *arrows) Close() error              { return nil }

// arrowDetector returns a detector of files that looks all four ways; turned finds arrows in
// turned pictures.
func arrowDetector(upright, turned redact.Detector) *ways {
	w := &ways{detector: upright}
	for _, r := range geom.Rotations[1:] {
		w.all = append(w.all, &way{by: r, detector: &detector{all: []redact.Detector{turned}, sizes: []int{640}}})
	}
	return w
}

// fourArrows is a picture with arrows up, left, down and right, in that order, and where
// they are.
func fourArrows(t *testing.T) (*yuv.Image, map[geom.Rotation]geom.Box) {
	t.Helper()
	im, err := yuv.New(60, 31)
	require.NoError(t, err)
	im.Fill(100, 128, 128)
	set := func(x, y int, v byte) { im.Y[y*im.YStride+x] = v }
	set(5, 10, 250)
	set(5, 11, 10)
	set(15, 10, 250)
	set(16, 10, 10)
	set(25, 11, 250)
	set(25, 10, 10)
	set(36, 10, 250)
	set(35, 10, 10)
	return im, map[geom.Rotation]geom.Box{
		geom.Upright: {X: 5, Y: 10, W: 1, H: 2}, geom.Turned90: {X: 15, Y: 10, W: 2, H: 1},
		geom.Turned180: {X: 25, Y: 10, W: 1, H: 2}, geom.Turned270: {X: 35, Y: 10, W: 2, H: 1},
	}
}

func TestPicturesAreLookedAtAllFourWays(t *testing.T) {
	im, want := fourArrows(t)
	w := arrowDetector(&arrows{score: 0.3}, &arrows{score: turnedScore})
	for range 2 {
		faces, err := w.Detect(im)
		require.NoError(t, err)
		got := map[geom.Rotation]geom.Box{}
		for _, f := range faces {
			require.False(t, f.Weak)
			got[f.Rotation] = f.Box
		}
		require.Equal(t, want, got)
	}
}

func TestDoubtfulFacesInTurnedPicturesAreNone(t *testing.T) {
	im, _ := fourArrows(t)
	faces, err := arrowDetector(&arrows{score: 0.3}, &arrows{score: turnedScore - 0.01}).Detect(im)
	require.NoError(t, err)
	require.Len(t, faces, 1)
	require.Equal(t, geom.Upright, faces[0].Rotation)
}

func TestFilesThatSayWhichWayIsUpAreLookedAtThatWayOnly(t *testing.T) {
	im, want := fourArrows(t)
	other := &arrows{score: 0.9}
	w := arrowDetector(&arrows{score: 0.3}, other)
	r := &Redactor{o: Options{Detector: w}}
	r.begin(true)
	faces, err := w.Detect(im)
	require.NoError(t, err)
	require.Equal(t, []face.Face{{Box: want[geom.Upright], Score: 0.3}}, faces)
	require.Empty(t, other.sizes)
	r.begin(false)
	faces, err = w.Detect(im)
	require.NoError(t, err)
	require.Len(t, faces, 4)
	require.Equal(t, [][2]int{{31, 60}, {60, 31}, {31, 60}}, other.sizes)
}

// settings are those of `scrim redact` for all ways, or for a rotation that is given.
func settings(c ipc.RotateConfig) ipc.Files {
	return ipc.Files{Detect: ipc.DetectConfig{Threshold: 0.3}, Sizes: []int{640, 1280}, Rotate: c, AllWays: c.By == geom.Upright}
}

// labelledFace is a face of the photographs.
type labelledFace struct {
	X, Y, W, H float64
	Ignore     bool
}

// Photographs that lie on their side or upside down: all faces are covered, whether Scrim
// is told how they lie or looks for itself.
func TestFacesOfTurnedPhotographsAreCovered(t *testing.T) {
	dir := testenv.Path(t, testenv.Photographs)
	data, err := os.ReadFile(filepath.Join(dir, "faces.json"))
	require.NoError(t, err)
	var labels struct {
		Images []struct {
			File  string
			Faces []labelledFace
		}
	}
	require.NoError(t, json.Unmarshal(data, &labels))
	for _, lies := range geom.Rotations[1:] {
		for _, c := range []ipc.RotateConfig{{}, {By: lies.Inverse()}} {
			d, err := OpenDetector(settings(c))
			require.NoError(t, err)
			obscurer, err := obscure.New(obscure.Options{})
			require.NoError(t, err)
			faces := 0
			for _, im := range labels.Images {
				// The photograph is turned as it is read: so it lies.
				r := redactFile(t, filepath.Join(dir, im.File), "a.jpg", func(o *Options) { o.Detector, o.Obscurer, o.Rotate = d, obscurer, lies })
				require.NoError(t, r.err)
				rec := r.records[0]
				width, height := lies.Inverse().Size(rec.Width, rec.Height)
				for _, f := range im.Faces {
					if f.Ignore {
						continue
					}
					faces++
					b := lies.Box(geom.Box{X: f.X, Y: f.Y, W: f.W, H: f.H}, width, height)
					require.GreaterOrEqual(t, coveredShare(rec, b), 0.9, "%s turned by %d: face at %+v", im.File, lies, b)
				}
			}
			require.Greater(t, faces, 40)
			require.NoError(t, d.Close())
		}
	}
}

// coveredShare is how much of a box is obscured.
func coveredShare(rec ipc.FileFrame, b geom.Box) float64 {
	in, n := 0, 0
	for y := max(0, int(b.Y)); y < min(rec.Height, int(math.Ceil(b.Y+b.H))); y++ {
		for x := max(0, int(b.X)); x < min(rec.Width, int(math.Ceil(b.X+b.W))); x++ {
			n++
			for _, g := range rec.Regions {
				if x >= g.X && x < g.X+g.W && y >= g.Y && y < g.Y+g.H {
					in++
					break
				}
			}
		}
	}
	return float64(in) / float64(n)
}

func TestSelfTestPassesWhateverTheRotation(t *testing.T) {
	for _, c := range []ipc.RotateConfig{{}, {By: geom.Turned90}, {By: geom.Turned270, View: true}} {
		d, err := OpenDetector(settings(c))
		require.NoError(t, err)
		obscurer, err := obscure.New(obscure.Options{})
		require.NoError(t, err)
		r, err := New(Options{Detector: d, Obscurer: obscurer, Rotate: c.OfPictures()})
		require.NoError(t, err)
		require.NoError(t, r.SelfTest(settings(c)))
		require.NoError(t, d.Close())
	}
	_, err := OpenDetector(settings(ipc.RotateConfig{By: 45}))
	require.Error(t, err)
}

func TestVideoThatIsTurnedByHandHasTheTurnedSize(t *testing.T) {
	in := filepath.Join(t.TempDir(), "in.mp4")
	ffmpeg(t, "-f", "lavfi", "-i", "testsrc=size=96x64:rate=10", "-frames:v", "4", "-pix_fmt", "yuv420p", in)
	r := redactFile(t, in, "out.mp4", func(o *Options) { o.Rotate = geom.Turned90 })
	require.NoError(t, r.err)
	p := probe(t, r.out)
	require.Equal(t, [2]int{64, 96}, [2]int{p.Streams[0].Width, p.Streams[0].Height})
	require.Empty(t, p.Streams[0].SideData)
	for _, rec := range r.records {
		require.Equal(t, [2]int{64, 96}, [2]int{rec.Width, rec.Height})
	}
}

func TestSecondLookTurnsPicturesThatAreTurnedForTheDetectorOnly(t *testing.T) {
	im, want := fourArrows(t)
	upright := &arrows{score: 0.9}
	d := &ways{
		detector: detect.NewTurned(upright, geom.Turned90),
		largest:  detect.NewTurned(&largest{&detector{all: []redact.Detector{upright}, sizes: []int{640}}}, geom.Turned90),
	}
	faces, err := secondLook(Options{Detector: d, SecondLook: true}).Detector.Detect(im)
	require.NoError(t, err)
	require.Equal(t, []face.Face{{Box: want[geom.Turned90], Score: 0.9, Rotation: geom.Turned90}}, faces)
}
