package detect

import (
	"image"
	_ "image/jpeg"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"scrim/models"
	"scrim/models/testenv"
	"scrim/redact"
	"scrim/redact/cv"
	"scrim/redact/geom"
	"scrim/redact/selftest"
	"scrim/redact/yuv"
)

// yunetSHA is the hash of YuNet-n's file.
const yunetSHA = "25a606a145a5b6d7271ae138fbd00eba91dad8b83222ae3f2c7ecd0f4a7b0e31"

func open(tb testing.TB, size int) redact.Detector {
	tb.Helper()
	d, err := Open(Config{Size: size, Threshold: 0.3})
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, d.Close()) })
	return d
}

// photographFiles lists the photographs that lie next to the repository.
func photographFiles(tb testing.TB) []string {
	tb.Helper()
	paths, err := filepath.Glob(filepath.Join(testenv.Path(tb, testenv.Photographs), "*.jpg"))
	require.NoError(tb, err)
	require.NotEmpty(tb, paths)
	return paths
}

// load returns a photograph as YUV, with even sides.
func load(tb testing.TB, path string) *yuv.Image {
	tb.Helper()
	f, err := os.Open(path)
	require.NoError(tb, err)
	defer f.Close()
	img, _, err := image.Decode(f)
	require.NoError(tb, err)
	ycc, ok := img.(*image.YCbCr)
	require.True(tb, ok)
	im, err := yuv.New(img.Bounds().Dx(), img.Bounds().Dy())
	require.NoError(tb, err)
	im.FullRange = true
	for y := range im.Height {
		for x := range im.Width {
			im.Y[y*im.YStride+x] = ycc.Y[ycc.YOffset(x, y)]
			im.U[y/2*im.CStride+x/2] = ycc.Cb[ycc.COffset(x, y)]
			im.V[y/2*im.CStride+x/2] = ycc.Cr[ycc.COffset(x, y)]
		}
	}
	return im
}

func TestFacesOfAPhotographAreFoundAtEverySize(t *testing.T) {
	paths := photographFiles(t)
	for _, size := range []int{320, 640, 1280} {
		d, found := open(t, size), 0
		for _, p := range paths {
			im := load(t, p)
			faces, err := d.Detect(im)
			require.NoError(t, err)
			faces = strong(faces)
			for _, f := range faces {
				require.True(t, f.Score >= 0.3 && f.Score <= 1)
				require.Positive(t, f.Box.Intersect(geom.Box{W: float64(im.Width), H: float64(im.Height)}))
			}
			found += len(faces)
		}
		t.Logf("%d pixels: %d faces in %d photographs", size, found, len(paths))
		require.GreaterOrEqual(t, found, len(paths), "%d pixels", size)
	}
}

func TestYuNetIsTakenByItsHash(t *testing.T) {
	d, err := Open(Config{Model: testenv.Path(t, testenv.YuNet), ModelName: "yunet-n", SHA256: yunetSHA, Size: 320, Threshold: 0.3})
	require.NoError(t, err)
	defer func() { require.NoError(t, d.Close()) }()
	require.Equal(t, yunetSHA, d.Info().ModelSHA256)
	require.Contains(t, d.Info().Name, "yunet-n")
}

func TestEmptyPicturesOfEverySizeHoldNoFace(t *testing.T) {
	d := open(t, 640)
	for _, size := range [][2]int{{1, 1}, {2, 2}, {31, 17}, {640, 360}, {641, 361}, {1920, 1080}, {1080, 1920}, {4096, 2304}, {4096, 2}} {
		im, err := yuv.New(size[0], size[1])
		require.NoError(t, err)
		im.Fill(128, 128, 128)
		faces, err := d.Detect(im)
		require.NoError(t, err)
		require.Empty(t, faces, "%v", size)
	}
}

func TestOpenRefusesWhatCannotWork(t *testing.T) {
	dir := t.TempDir()
	junk := filepath.Join(dir, "junk.onnx")
	require.NoError(t, os.WriteFile(junk, []byte("this is no model"), 0o600))
	empty := filepath.Join(dir, "empty.onnx")
	require.NoError(t, os.WriteFile(empty, nil, 0o600))
	good := Config{Model: junk, Size: 640, Threshold: 0.3}
	for name, c := range map[string]struct {
		change func(*Config)
		says   string
	}{
		"not a model": {func(*Config) {}, "name an ONNX file of a network of YuNet's kind"},
		"wrong hash":  {func(c *Config) { c.SHA256 = yunetSHA }, "should be " + yunetSHA},
		"missing":     {func(c *Config) { c.Model = filepath.Join(dir, "gone.onnx") }, "gone.onnx"},
		"empty":       {func(c *Config) { c.Model = empty }, "empty"},
		"folder":      {func(c *Config) { c.Model = dir }, dir},
		"size":        {func(c *Config) { c.Size = 333 }, "multiple of 32"},
		"size 0":      {func(c *Config) { c.Size = 0 }, "multiple of 32"},
		"engine":      {func(c *Config) { c.Engine = "onnx" }, "opencv"},
		"threshold":   {func(c *Config) { c.Threshold = math.NaN() }, "threshold"},
		"other build": {
			func(c *Config) { c.Model, c.SHA256 = "", yunetSHA },
			"install both of the same: it has SHA-256 " + models.BuiltIn().SHA256 + " and needs " + yunetSHA,
		},
		"newer build": {
			func(c *Config) { c.Model, c.ModelName = "", "scrim-face-2" },
			"model \"scrim-face-2\": not usable: scrim-redactor is of another release than scrim",
		},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := good
			c.change(&cfg)
			_, err := Open(cfg)
			require.ErrorIs(t, err, ErrPermanent)
			require.ErrorContains(t, err, c.says)
			require.NotContains(t, err.Error(), "\n")
		})
	}
}

// Nothing is read from a disk, so it works in a process that may open no file.
func TestBuiltInNetworkIsThereWithoutAFile(t *testing.T) {
	t.Setenv("SCRIM_MODELS", t.TempDir())
	own := models.BuiltIn()
	for _, c := range []Config{{}, {ModelName: own.Name, SHA256: own.SHA256}} {
		c.Size, c.Threshold = 640, 0.3
		d, err := Open(c)
		require.NoError(t, err)
		require.Equal(t, own.SHA256, d.Info().ModelSHA256)
		require.Contains(t, d.Info().Name, "scrim-face 640 on ")
		require.Empty(t, d.Info().Warning)
		im, err := yuv.New(640, 360)
		require.NoError(t, err)
		_, err = drawFace(im)
		require.NoError(t, err)
		found, err := d.Detect(im)
		require.NoError(t, err)
		require.NotEmpty(t, strong(found), "the drawn face of the self-test")
		require.NoError(t, d.Close())
	}
}

func BenchmarkInspect640(b *testing.B) {
	im, err := yuv.New(1920, 1080)
	require.NoError(b, err)
	for _, engine := range []string{EngineScrim, EngineOpenCV} {
		b.Run(engine, func(b *testing.B) {
			cv.SetThreads(1)
			d, _ := skipping(b, Config{Size: 640, Engine: engine})
			_, err := d.Detect(im)
			require.NoError(b, err)
			b.ReportAllocs()
			before, rounds := cpu(b), 0
			for b.Loop() {
				if _, err := d.Detect(im); err != nil {
					b.Fatal(err)
				}
				rounds++
			}
			b.ReportMetric((cpu(b)-before)*1e3/float64(rounds), "cpu-ms/op")
		})
	}
}

// cpu returns the seconds of computing that this process has had: on a machine
// that is shared they say more than the time that went by.
func cpu(b *testing.B) float64 {
	b.Helper()
	var u unix.Rusage
	require.NoError(b, unix.Getrusage(unix.RUSAGE_SELF, &u))
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}

// drawFace draws the face of the self-test in the middle of im, as the self-test
// does in a whole picture.
func drawFace(im *yuv.Image) (geom.Box, error) {
	w, h := float64(im.Width), float64(im.Height)
	return selftest.Draw(im, w/2, h/2, max(0.2*min(w, h), 48))
}
