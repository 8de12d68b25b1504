package files

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// cutNALUs cuts an Annex B stream into its NAL units with their start codes.
func cutNALUs(b []byte) [][]byte {
	var out [][]byte
	for _, u := range bytes.Split(b, []byte{0, 0, 1})[1:] {
		out = append(out, append([]byte{0, 0, 0, 1}, bytes.TrimRight(u, "\x00")...))
	}
	return out
}

// unlike counts the pictures that are none of the reference and yet not
// obscured whole, and those that are.
func unlike(t *testing.T, r result, ref [][]byte) (shown, whole int) {
	t.Helper()
	const noise = 30 // of coding twice, as a mean square
	for i, im := range luma(t, r.out, testW, testH) {
		if r.records[i].Regions[0].Source == "failsafe" {
			whole++
			continue
		}
		best := 1 << 40
		for _, w := range ref {
			d := 0
			for k := range w {
				e := int(w[k]) - int(im[k])
				d += e * e
			}
			best = min(best, d)
		}
		if best/(testW*testH) > noise {
			shown++
		}
	}
	return shown, whole
}

// FFmpeg makes up what is missing of H.264 and says nothing. No such picture is
// shown, and those around are.
func TestLossInH264IsNoticed(t *testing.T) {
	for _, bf := range []string{"0", "2"} {
		args := []string{"-c:v", "libx264", "-g", "20", "-bf", bf, "-x264-params", "scenecut=0:slices=1:threads=1"}
		in := testsrc(t, "a.h264", args...)
		list := cutNALUs(contents(t, in))
		base := redactFile(t, in, "a.mp4", nil)
		require.NoError(t, base.err)
		require.Zero(t, base.end.Failsafe, base.end.Reason)
		ref := luma(t, base.out, testW, testH)
		idr, first := 0, -1 // the first slice after the second IDR
		for i, n := range list {
			switch n[4] & 0x1f {
			case 5:
				idr++
			case 1:
				if idr == 2 && first < 0 {
					first = i
				}
			}
		}
		garbage := bytes.Clone(list[first])
		rnd := rand.New(rand.NewPCG(3, 4))
		for i := 5; i < len(garbage); i++ {
			garbage[i] = byte(rnd.Uint32()) | 1
		}
		for kind, put := range map[string][]byte{"dropped": nil, "garbage": garbage} {
			changed := append([][]byte(nil), list...)
			changed[first] = put
			raw := filepath.Join(t.TempDir(), "b.h264")
			require.NoError(t, os.WriteFile(raw, bytes.Join(changed, nil), 0o600))
			paths := []string{raw}
			switch { // a stream without a container has no times from which to reorder
			case bf == "0":
				paths = append(paths, filepath.Join(t.TempDir(), "b.mp4"), filepath.Join(t.TempDir(), "b.ts"))
				for _, path := range paths[1:] {
					ffmpeg(t, "-r", "25", "-fflags", "+genpts", "-i", raw, "-c", "copy", path)
				}
			case kind == "dropped":
				whole := testsrc(t, "a.mp4", args...)
				for _, name := range []string{"b.mp4", "b.mkv", "b.ts"} {
					path := filepath.Join(t.TempDir(), name)
					ffmpeg(t, "-i", whole, "-c", "copy", "-bsf:v", `noise=drop=eq(n\,21)`, path)
					paths = append(paths, path)
				}
			}
			for _, path := range paths {
				r := redactFile(t, path, "a.mp4", nil)
				require.NoError(t, r.err)
				shown, whole := unlike(t, r, ref)
				require.Zero(t, shown, "B-frames %s, %s, %s", bf, kind, filepath.Ext(path))
				require.EqualValues(t, whole, r.end.Failsafe)
				require.NotEmpty(t, r.end.Reason)
				require.LessOrEqual(t, whole, 20, "B-frames %s, %s, %s: more than to the next key frame, %s", bf, kind, filepath.Ext(path), r.end.Reason)
				require.Greater(t, whole, 10)
			}
		}
	}
}

// Where the check knows a profile not, the pictures are shown and that is said.
func TestH264ThatCannotBeChecked(t *testing.T) {
	for _, name := range []string{"a.mp4", "a.ts"} {
		r := redactFile(t, testsrc(t, name, "-c:v", "libx264", "-pix_fmt", "yuv422p10le"), "a.mp4", nil)
		require.NoError(t, r.err)
		require.Zero(t, r.end.Failsafe, r.end.Reason)
		require.Contains(t, r.end.Warning, "lost pictures may go unnoticed")
	}
}

// Fields, slices and open groups of pictures are no damage.
func TestSoundH264IsNotTakenForDamaged(t *testing.T) {
	for _, params := range []string{
		"interlaced=1", "fake-interlaced=1", "slices=4", "open-gop=1:keyint=10:bframes=3:b-pyramid=normal", "intra-refresh=1", "weightp=2:ref=5",
	} {
		for _, name := range []string{"a.mp4", "a.ts", "a.mkv", "a.h264"} {
			r := redactFile(t, testsrc(t, name, "-c:v", "libx264", "-x264-params", params), "a.mp4", nil)
			require.NoError(t, r.err)
			require.EqualValues(t, 50, r.end.Frames)
			require.Zero(t, r.end.Failsafe, "%s %s: %s", params, name, r.end.Reason)
			require.Empty(t, r.end.Reason, "%s %s", params, name)
			require.Empty(t, r.end.Warning, "%s %s", params, name)
			require.Empty(t, r.end.Incomplete)
		}
	}
}

// A file that was cut off is not reported as whole.
func TestFileThatEndsEarlyIsReported(t *testing.T) {
	for _, name := range []string{"a.mkv", "a.mp4", "a.avi"} {
		data := contents(t, testsrc(t, name, "-c:v", "libx264", "-g", "10", "-movflags", "+faststart"))
		path := filepath.Join(t.TempDir(), name)
		require.NoError(t, os.WriteFile(path, data[:len(data)*6/10], 0o600))
		r := redactFile(t, path, "a.mp4", nil)
		require.NoError(t, r.err)
		require.Greater(t, r.end.Frames, int64(20))
		require.Contains(t, r.end.Warning+r.end.Incomplete, "ends early")
		if name == "a.mp4" {
			require.NotEmpty(t, r.end.Incomplete)
		}
	}
}
