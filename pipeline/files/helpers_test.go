package files

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"scrim/models/testenv"
	"scrim/pipeline/ipc"
	"scrim/redact"
	"scrim/redact/face"
	"scrim/redact/geom"
	"scrim/redact/obscure"
	"scrim/redact/yuv"
)

// ffmpeg runs FFmpeg's program, which makes the inputs.
func ffmpeg(t *testing.T, args ...string) {
	t.Helper()
	testenv.Need(t, testenv.FFmpeg)
	out, err := exec.Command("ffmpeg", append([]string{"-v", "error", "-y", "-nostdin"}, args...)...).CombinedOutput()
	require.NoError(t, err, "%s", out)
}

// probed is what ffprobe says of a file.
type probed struct {
	Frames []struct {
		PTS  string `json:"best_effort_timestamp_time"`
		W, H int
	}
	Streams []struct {
		Type     string            `json:"codec_type"`
		Codec    string            `json:"codec_name"`
		PixFmt   string            `json:"pix_fmt"`
		Width    int               `json:"width"`
		Height   int               `json:"height"`
		Range    string            `json:"color_range"`
		Space    string            `json:"color_space"`
		Aspect   string            `json:"sample_aspect_ratio"`
		Tags     map[string]string `json:"tags"`
		SideData []any             `json:"side_data_list"`
	}
	Chapters []any
	Format   struct{ Tags map[string]string }
}

func probe(t *testing.T, path string) probed {
	t.Helper()
	out, err := exec.Command("ffprobe", "-v", "error", "-of", "json", "-show_streams", "-show_format", "-show_chapters",
		"-show_frames", "-select_streams", "v:0", path).Output()
	require.NoError(t, err)
	var p probed
	require.NoError(t, json.Unmarshal(out, &p))
	out, err = exec.Command("ffprobe", "-v", "error", "-of", "json", "-show_streams", path).Output()
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(out, &struct{ Streams any }{&p.Streams}))
	return p
}

func (p probed) times() (out []string) {
	for _, f := range p.Frames {
		out = append(out, f.PTS)
	}
	return out
}

// scripted finds one face where it is told, and fails when it is told.
type scripted struct {
	box  geom.Box
	fail func(n int) error
	n    int
}

func (s *scripted) Detect(*yuv.Image) ([]face.Face, error) {
	s.n++
	if s.fail != nil {
		if err := s.fail(s.n); err != nil {
			return nil, err
		}
	}
	if s.box.Area() == 0 {
		return nil, nil
	}
	return []face.Face{{Box: s.box, Score: 0.9}}, nil
}
func (s *scripted) Info() redact.DetectorInfo { return redact.DetectorInfo{Name: "scripted"} }
func (s *scripted) Close() error              { return nil }

// result is what became of a file.
type result struct {
	out     string
	end     ipc.FileEnd
	records []ipc.FileFrame
	err     error
}

// redactFile redacts a file into a folder of its own.
func redactFile(t *testing.T, in, outName string, change func(*Options)) result {
	t.Helper()
	return redactWith(t.Context(), t, in, outName, change)
}

func redactWith(ctx context.Context, t *testing.T, in, outName string, change func(*Options)) result {
	t.Helper()
	dir := t.TempDir()
	r := result{out: filepath.Join(dir, outName)}
	o := Options{Detector: &scripted{box: geom.Box{X: 40, Y: 40, W: 20, H: 24}}, Lookahead: 30}
	var err error
	o.Obscurer, err = obscure.New(obscure.Options{Style: obscure.Veil})
	require.NoError(t, err)
	o.Record = func(f ipc.FileFrame) error {
		r.records = append(r.records, f)
		return nil
	}
	if change != nil {
		change(&o)
	}
	red, err := New(o)
	require.NoError(t, err)
	kind := ipc.Video
	if ext := filepath.Ext(in); slices.Contains([]string{".jpg", ".png"}, ext) {
		kind = ipc.Image
	}
	r.end, r.err = red.Redact(ctx, ipc.File{Name: filepath.Base(in), Kind: kind, In: in, Out: r.out, Temp: filepath.Join(dir, ".temp")})
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	if r.err != nil {
		require.Empty(t, left, "something is left after %v", r.err)
	} else {
		require.Len(t, left, 1)
		require.Equal(t, int64(len(r.records)), r.end.Frames)
	}
	return r
}

// luma decodes a video's luma planes.
func luma(t *testing.T, path string, w, h int) [][]byte {
	t.Helper()
	cmd := exec.Command("ffmpeg", "-v", "error", "-i", path, "-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt", "gray", "-")
	var errs strings.Builder
	cmd.Stderr = &errs
	out, err := cmd.Output()
	require.NoError(t, err, errs.String())
	require.Zero(t, len(out)%(w*h))
	return slices.Collect(slices.Chunk(out, w*h))
}

func spread(b []byte) int { return int(slices.Max(b)) - int(slices.Min(b)) }

func contents(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	return b
}

func jsonOf(t *testing.T, v any) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, json.NewEncoder(&b).Encode(v))
	return b.String()
}

var errTest = errors.New("no")
