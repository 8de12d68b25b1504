package main

import (
	"archive/tar"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"scrim/redact"
	"scrim/redact/face"
	"scrim/redact/geom"
	"scrim/redact/yuv"
)

// folder returns a folder of grey photographs with a white square for a face, and of some
// without one; half of them are in an archive.
func folder(t *testing.T, n int) string {
	t.Helper()
	dir := t.TempDir()
	labels, err := os.Create(filepath.Join(dir, "labels.jsonl"))
	require.NoError(t, err)
	defer func() { require.NoError(t, labels.Close()) }()
	archive, err := os.Create(filepath.Join(dir, "images-1.tar"))
	require.NoError(t, err)
	defer func() { require.NoError(t, archive.Close()) }()
	tw := tar.NewWriter(archive)
	defer func() { require.NoError(t, tw.Close()) }()
	for i := range n {
		im := image.NewGray(image.Rect(0, 0, 300, 200))
		for k := range im.Pix {
			im.Pix[k] = 100
		}
		faces := "[]"
		if i%4 > 0 {
			for y := 60; y < 140; y++ {
				for x := 110; x < 190; x++ {
					im.SetGray(x, y, color.Gray{Y: 250})
				}
			}
			faces = "[[110, 60, 80, 80, 0.9], [5, 5, 20, 20, 0.5]]"
		}
		file := fmt.Sprintf("%d.png", i)
		_, err := fmt.Fprintf(labels, `{"file":%q,"set":"drawn","w":300,"h":200,"faces":%s}`+"\n", file, faces)
		require.NoError(t, err)
		path := filepath.Join(dir, file)
		f, err := os.Create(path)
		require.NoError(t, err)
		require.NoError(t, png.Encode(f, im))
		require.NoError(t, f.Close())
		if i%2 == 0 {
			data, err := os.ReadFile(path)
			require.NoError(t, err)
			require.NoError(t, os.Remove(path))
			require.NoError(t, tw.WriteHeader(&tar.Header{Name: "train/" + file, Size: int64(len(data)), Mode: 0o600, Typeflag: tar.TypeReg}))
			_, err = tw.Write(data)
			require.NoError(t, err)
		}
	}
	return dir
}

// models/training/data.py has the same rule: held_out.
func TestPhotographsThatTheNetworkWasTrainedOnAreNotUsed(t *testing.T) {
	held := 0
	for i := range 10000 {
		trained, _ := split(fmt.Sprintf("%d.jpg", i))
		if !trained {
			held++
		}
	}
	require.InDelta(t, heldOut*100, held, 150)
	// From Python: int(hashlib.sha256(name.encode()).hexdigest()[:8], 16) % 100 < 15
	for name, want := range map[string]bool{"cal101_010e4b729bd5.jpg": true, "cal101_014988347bb0.jpg": true, "k.jpg": false, "p.jpg": false} {
		trained, _ := split(name)
		require.Equal(t, want, trained, name)
	}
}

func TestNoPhotographIsInBothParts(t *testing.T) {
	photos, grounds, err := readLabels(folder(t, 400))
	require.NoError(t, err)
	seen := map[string]part{}
	for _, all := range []map[part][]photo{photos, grounds} {
		for p, list := range all {
			for _, f := range list {
				require.NotContains(t, seen, f.file)
				seen[f.file] = p
			}
		}
	}
	require.Len(t, photos[fitting][0].faces, 1)
	require.Len(t, photos[fitting][0].others, 1, "a doubtful one")
	require.Empty(t, grounds[checking][0].faces)
}

func TestLabelsThatSayNothingAreRefused(t *testing.T) {
	dir := t.TempDir()
	_, _, err := readLabels(dir)
	require.ErrorContains(t, err, "--photos")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "labels.jsonl"), []byte("{}\n"), 0o600))
	_, _, err = readLabels(dir)
	require.ErrorContains(t, err, "no photographs")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "labels.jsonl"), []byte("{\n"), 0o600))
	_, _, err = readLabels(dir)
	require.ErrorContains(t, err, "line 1")
}

// squareFinder finds the largest white square, if it is clearly white.
type squareFinder struct{}

func (squareFinder) Detect(im *yuv.Image) ([]face.Face, error) {
	var all []face.Face
	seen := make([]bool, im.Width*im.Height)
	white := func(x, y int) bool { return !seen[y*im.Width+x] && im.Y[y*im.YStride+x] > 200 }
	for y := range im.Height {
		for x := range im.Width {
			if !white(x, y) {
				continue
			}
			w, h := 0, 0
			for x+w < im.Width && white(x+w, y) {
				w++
			}
			for y+h < im.Height && white(x, y+h) {
				h++
			}
			for j := range h {
				for i := range w {
					seen[(y+j)*im.Width+x+i] = true
				}
			}
			if w > 5 && h > 5 {
				all = append(all, face.Face{Box: geom.Box{X: float64(x), Y: float64(y), W: float64(w), H: float64(h)}, Score: 1})
			}
		}
	}
	return all, nil
}

func (squareFinder) Info() redact.DetectorInfo { return redact.DetectorInfo{} }
func (squareFinder) Close() error              { return nil }

func TestFacesAreWhereTheyAreSaidToBe(t *testing.T) {
	dir := folder(t, 400)
	observe := func(workers int) []observation {
		photos, grounds, err := readLabels(dir)
		require.NoError(t, err)
		to := t.TempDir()
		wanted := map[string]bool{}
		for _, all := range []map[part][]photo{photos, grounds} {
			for _, list := range all {
				for _, p := range list {
					wanted[p.file] = true
				}
			}
		}
		require.NoError(t, unpack(dir, to, wanted))
		o := observer{
			folder: to, photos: photos, grounds: grounds, canvases: 2, mixes: 2, seed: 1,
			open: func() (redact.Detector, error) { return squareFinder{}, nil }, progress: func(int, int) {},
		}
		seen, err := o.observe(context.Background(), workers)
		require.NoError(t, err)
		return seen
	}
	seen := observe(2)
	require.Equal(t, seen, observe(1), "chance does not depend on the workers")
	heights := map[part][]float64{}
	for _, o := range seen {
		switch d := o.Degradation; {
		case d.Kind == "clean":
			require.True(t, o.Found && o.Clean, "%+v", o)
			heights[o.Part] = append(heights[o.Part], o.Height)
		case d.Light < 0.5:
			require.False(t, o.Found, "nothing is white in the dark")
			require.True(t, o.Clean)
		}
	}
	for _, p := range []part{fitting, checking} {
		require.Greater(t, len(heights[p]), 5)
		low, high := heights[p][0], heights[p][0]
		for _, h := range heights[p] {
			low, high = min(low, h), max(high, h)
		}
		require.Less(t, low, 20.0)
		require.Greater(t, high, 40.0)
	}
}
