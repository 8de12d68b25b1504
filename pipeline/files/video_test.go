package files

import (
	"bytes"
	"context"
	"image"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"scrim/pipeline/ipc"
	"scrim/redact/geom"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const testW, testH = 320, 240

// testsrc makes a moving test picture of 2 seconds; args say how it is coded.
func testsrc(t *testing.T, name string, args ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	ffmpeg(t, append(append([]string{"-f", "lavfi", "-i", "testsrc2=size=320x240:rate=25:duration=2"}, args...), path)...)
	return path
}

func TestEveryFrameIsThereAtItsTime(t *testing.T) {
	for _, c := range []struct {
		name, in, out string
		args          []string
	}{
		{"B-frames", "a.mp4", "a.mp4", []string{"-c:v", "libx264", "-bf", "3"}},
		{"to Matroska", "a.mkv", "a.mkv", []string{"-c:v", "libx264", "-bf", "3"}},
		{"from Matroska", "a.mkv", "a.mp4", []string{"-c:v", "libx264"}},
		{"QuickTime", "a.mov", "a.mov", []string{"-c:v", "libx264"}},
		{"variable rate", "a.mp4", "a.mp4", []string{"-vf", "select='not(mod(n,3))+gt(n,30)'", "-fps_mode", "vfr", "-c:v", "libx264"}},
		{"variable rate in Matroska", "a.mkv", "a.mkv", []string{"-vf", "select='not(mod(n,3))+gt(n,30)'", "-fps_mode", "vfr", "-c:v", "libx264"}},
		{"30000/1001", "a.mp4", "a.mp4", []string{"-r", "30000/1001", "-c:v", "libx264"}},
		{"begins late", "a.mp4", "a.mp4", []string{"-c:v", "libx264", "-output_ts_offset", "3"}},
		{"1 picture a second", "a.mp4", "a.mp4", []string{"-t", "2", "-vf", "setpts=PTS*25", "-fps_mode", "vfr", "-c:v", "libx264"}},
		{"MPEG-4 in AVI", "a.avi", "a.mp4", []string{"-c:v", "mpeg4", "-q:v", "3"}},
		{"VP8", "a.webm", "a.mkv", []string{"-c:v", "libvpx", "-b:v", "1M"}},
		{"transport stream", "a.ts", "a.mp4", []string{"-c:v", "mpeg2video", "-q:v", "3"}},
		{"Motion JPEG", "a.mov", "a.mp4", []string{"-c:v", "mjpeg", "-q:v", "3"}},
		{"10 bits 4:2:2", "a.mkv", "a.mp4", []string{"-c:v", "ffv1", "-pix_fmt", "yuv422p10le"}},
		{"RGB", "a.mkv", "a.mp4", []string{"-c:v", "ffv1", "-pix_fmt", "bgr0"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := testsrc(t, c.in, c.args...)
			r := redactFile(t, in, c.out, nil)
			require.NoError(t, r.err)
			require.Zero(t, r.end.Failsafe, r.end.Reason)
			from, to := probe(t, in), probe(t, r.out)
			require.NotEmpty(t, from.Frames)
			require.Equal(t, from.times(), to.times())
			require.Len(t, r.records, len(from.Frames))
			require.Equal(t, "h264", to.Streams[0].Codec)
			require.Contains(t, []string{"yuv420p", "yuvj420p"}, to.Streams[0].PixFmt)
			for i, rec := range r.records {
				require.EqualValues(t, i, rec.Frame)
				require.Equal(t, testW, rec.Width)
				require.NotEmpty(t, rec.Regions)
				pts, err := strconv.ParseFloat(from.Frames[i].PTS, 64)
				require.NoError(t, err)
				require.InDelta(t, pts, rec.PTS, 2e-6)
			}
		})
	}
}

// Outside the regions the picture is what it was, nearly; within, nothing is.
func TestOnlyTheRegionsChange(t *testing.T) {
	in := testsrc(t, "a.mp4", "-c:v", "libx264", "-crf", "5")
	r := redactFile(t, in, "a.mp4", nil)
	require.NoError(t, r.err)
	before, after := luma(t, in, testW, testH), luma(t, r.out, testW, testH)
	require.Len(t, after, len(before))
	region := r.records[20].Regions[0].Rect()
	var outside, inside, n, m int
	for y := range testH {
		for x := range testW {
			d := int(before[20][y*testW+x]) - int(after[20][y*testW+x])
			switch {
			case image.Pt(x, y).In(region):
				inside, m = inside+d*d, m+1
			case x < region.Min.X-20 || x > region.Max.X+20 || y < region.Min.Y-20 || y > region.Max.Y+20:
				outside, n = outside+d*d, n+1
			}
		}
	}
	require.Less(t, float64(outside)/float64(n), 12.0, "the picture has lost quality")
	require.Greater(t, float64(inside)/float64(m), 100.0, "nothing was obscured")
}

func TestNothingButThePictureIsPassedOn(t *testing.T) {
	const secret = "CarriedOver"
	dir := t.TempDir()
	meta, cover, in := filepath.Join(dir, "meta.txt"), filepath.Join(dir, "cover.png"), filepath.Join(dir, "in.mp4")
	require.NoError(t, os.WriteFile(meta, []byte(";FFMETADATA1\ntitle="+secret+"\nlocation=+48.1+011.5/\n"+
		"[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=900\ntitle="+secret+"\n"), 0o600))
	ffmpeg(t, "-f", "lavfi", "-i", "testsrc2=size=64x64", "-frames:v", "1", cover)
	ffmpeg(t, "-f", "lavfi", "-i", "testsrc2=size=320x240:rate=25:duration=1", "-f", "lavfi", "-i", "sine=duration=1",
		"-i", cover, "-i", meta, "-map", "2:v", "-map", "0:v", "-map", "1:a", "-map_metadata", "3", "-map_chapters", "3",
		"-c:v:0", "copy", "-disposition:v:0", "attached_pic", "-c:v:1", "libx264", "-c:a", "aac",
		"-metadata:s:v:1", "title="+secret, "-metadata", "creation_time=2020-01-02T03:04:05Z", in)
	require.Contains(t, string(contents(t, in)), secret)
	for _, name := range []string{"a.mp4", "a.mkv", "a.mov"} {
		for _, audio := range []bool{false, true} {
			r := redactFile(t, in, name, func(o *Options) { o.KeepAudio = audio })
			require.NoError(t, r.err)
			require.EqualValues(t, 25, r.end.Frames)
			p := probe(t, r.out)
			tracks := []string{"video"}
			if audio {
				tracks = append(tracks, "audio")
				require.Equal(t, 1, r.end.Audio)
			} else {
				require.Equal(t, 1, r.end.Dropped)
			}
			var got []string
			for _, s := range p.Streams {
				got = append(got, s.Type)
				for k, v := range s.Tags {
					require.Contains(t, []string{"language", "handler_name", "vendor_id", "DURATION"}, k, v)
				}
				require.Empty(t, s.SideData)
			}
			require.Equal(t, tracks, got)
			require.Empty(t, p.Chapters)
			for k, v := range p.Format.Tags {
				require.Contains(t, []string{"major_brand", "minor_version", "compatible_brands", "ENCODER", "encoder"}, k, v)
			}
			data := contents(t, r.out)
			for _, s := range []string{secret, "x264", "+48.1"} {
				require.False(t, bytes.Contains(data, []byte(s)), "%s holds %q", name, s)
			}
		}
	}
}

func TestFaststart(t *testing.T) {
	r := redactFile(t, testsrc(t, "a.mp4", "-c:v", "libx264"), "a.mp4", nil)
	require.NoError(t, r.err)
	data := contents(t, r.out)
	require.Less(t, bytes.Index(data, []byte("moov")), bytes.Index(data, []byte("mdat")))
}

func TestSameInputGivesTheSameBytesAndReport(t *testing.T) {
	in := testsrc(t, "a.mkv", "-c:v", "libx264", "-bf", "2")
	for _, name := range []string{"a.mp4", "a.mkv"} {
		a, b := redactFile(t, in, name, nil), redactFile(t, in, name, nil)
		require.NoError(t, a.err)
		require.NoError(t, b.err)
		require.True(t, bytes.Equal(contents(t, a.out), contents(t, b.out)), name)
		require.Equal(t, jsonOf(t, a.records), jsonOf(t, b.records))
	}
}

func TestInterruptedLeavesNothing(t *testing.T) {
	in := testsrc(t, "a.mp4", "-c:v", "libx264")
	for _, at := range []int{0, 10} {
		ctx, cancel := context.WithCancel(t.Context())
		n := 0
		r := redactWith(ctx, t, in, "a.mp4", func(o *Options) {
			o.Record = func(ipc.FileFrame) error {
				if n++; n > at {
					cancel()
				}
				return nil
			}
		})
		require.ErrorIs(t, r.err, context.Canceled)
		cancel()
	}
}

func TestAFileAtTheTemporaryNameIsNotTouched(t *testing.T) {
	in := testsrc(t, "a.mp4", "-c:v", "libx264", "-frames:v", "2")
	dir := t.TempDir()
	temp := filepath.Join(dir, ".temp")
	elsewhere := filepath.Join(t.TempDir(), "precious")
	require.NoError(t, os.WriteFile(elsewhere, []byte("precious"), 0o600))
	require.NoError(t, os.Symlink(elsewhere, temp))
	red, err := New(Options{Detector: &scripted{}, Obscurer: noObscurer{}})
	require.NoError(t, err)
	_, err = red.Redact(t.Context(), ipc.File{Kind: ipc.Video, In: in, Out: filepath.Join(dir, "a.mp4"), Temp: temp})
	require.Error(t, err)
	require.Equal(t, "precious", string(contents(t, elsewhere)))
}

func TestBadInputIsOneClearError(t *testing.T) {
	dir := t.TempDir()
	write := func(name, content string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
		return path
	}
	whole := contents(t, testsrc(t, "whole.mp4", "-c:v", "libx264"))
	sound := filepath.Join(dir, "sound.mp4")
	ffmpeg(t, "-f", "lavfi", "-i", "sine=duration=1", "-c:a", "aac", sound)
	for name, path := range map[string]string{
		"nothing":      filepath.Join(dir, "missing.mp4"),
		"empty":        write("empty.mp4", ""),
		"text":         write("text.mp4", "this is no video"),
		"header only":  write("cut.mp4", string(whole[:400])),
		"playlist":     write("list.mp4", "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n"),
		"concat":       write("concat.mp4", "ffconcat version 1.0\nfile whole.mp4\n"),
		"no video":     sound,
		"broken image": write("broken.jpg", "\xff\xd8\xff\xe0 no"),
	} {
		t.Run(name, func(t *testing.T) {
			out := "a.mp4"
			if filepath.Ext(path) == ".jpg" {
				out = "a.jpg"
			}
			r := redactFile(t, path, out, nil)
			require.Error(t, r.err)
			require.NotContains(t, r.err.Error(), "\n")
		})
	}
}

// Where the input is damaged, pictures are obscured whole until a key frame,
// and those before and after are not.
func TestDamagedInputIsObscuredWhole(t *testing.T) {
	in := testsrc(t, "a.mp4", "-c:v", "libx264", "-g", "10", "-bf", "2", "-x264-params", "scenecut=0")
	data := contents(t, in)
	at := bytes.Index(data, []byte("mdat"))
	require.Positive(t, at)
	end := len(data)
	if moov := bytes.Index(data, []byte("moov")); moov > at {
		end = moov
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	mid := at + (end-at)/2
	for i := mid; i < mid+600; i++ {
		data[i] = byte(rnd.Uint32())
	}
	broken := filepath.Join(t.TempDir(), "broken.mp4")
	require.NoError(t, os.WriteFile(broken, data, 0o600))
	r := redactFile(t, broken, "a.mp4", nil)
	require.NoError(t, r.err)
	require.Positive(t, r.end.Failsafe)
	require.Less(t, r.end.Failsafe, r.end.Frames/2)
	require.NotEmpty(t, r.end.Reason)
	frames := luma(t, r.out, testW, testH)
	require.Len(t, frames, len(r.records))
	whole := 0
	for i, rec := range r.records {
		if rec.Regions[0].Source == "failsafe" {
			whole++
			require.Len(t, rec.Regions, 1)
			require.Equal(t, image.Rect(0, 0, testW, testH), rec.Regions[0].Rect())
			require.Less(t, spread(frames[i]), 16, "frame %d shows something", i)
		} else {
			require.Greater(t, spread(frames[i]), 100, "frame %d", i)
		}
	}
	require.EqualValues(t, r.end.Failsafe, whole)
}

// A stream that begins in the middle is not shown before its first key frame.
func TestPicturesBeforeTheFirstKeyFrameAreObscuredWhole(t *testing.T) {
	in := testsrc(t, "a.ts", "-c:v", "mpeg2video", "-q:v", "3", "-g", "10", "-bf", "0", "-sc_threshold", "1000000000")
	cut := filepath.Join(t.TempDir(), "cut.ts")
	data := contents(t, in)
	const packet = 188
	require.NoError(t, os.WriteFile(cut, data[len(data)/2/packet*packet:], 0o600))
	r := redactFile(t, cut, "a.mp4", nil)
	require.NoError(t, r.err)
	require.Less(t, r.end.Failsafe, r.end.Frames)
	seen := false
	for _, rec := range r.records {
		if rec.Regions[0].Source != "failsafe" {
			seen = true
		} else {
			require.False(t, seen, "obscured whole after the first key frame")
		}
	}
}

func TestDetectorThatFailsIsNoPictureWithoutFaces(t *testing.T) {
	in := testsrc(t, "a.mp4", "-c:v", "libx264", "-g", "10", "-x264-params", "scenecut=0")
	for _, lookahead := range []int{0, 8} {
		r := redactFile(t, in, "a.mp4", func(o *Options) {
			o.Lookahead = lookahead
			o.Detector = &scripted{fail: func(n int) error {
				if n == 15 {
					return errTest
				}
				return nil
			}}
		})
		require.NoError(t, r.err)
		require.EqualValues(t, 50, r.end.Frames)
		whole := func(i int) bool {
			return slices.ContainsFunc(r.records[i].Regions, func(g geom.RegionRecord) bool { return g.Source == "failsafe" })
		}
		for i := range r.records {
			require.Equal(t, i >= 14-lookahead && i < 20, whole(i), "frame %d", i)
		}
	}
}

func TestPicturesAreTurnedAsTheyAreLookedAt(t *testing.T) {
	plain := testsrc(t, "a.mp4", "-c:v", "libx264", "-crf", "8", "-vf", "scale=320:200")
	for _, angle := range []string{"90", "180", "270"} {
		in := filepath.Join(t.TempDir(), "turned.mp4")
		ffmpeg(t, "-i", plain, "-c", "copy", "-metadata:s:v", "rotate="+angle, in)
		r := redactFile(t, in, "a.mp4", func(o *Options) { o.Detector = &scripted{} })
		require.NoError(t, r.err)
		w, h := 320, 200
		if angle != "180" {
			w, h = h, w
		}
		p := probe(t, r.out)
		require.Equal(t, [2]int{w, h}, [2]int{p.Streams[0].Width, p.Streams[0].Height})
		require.Empty(t, p.Streams[0].SideData)
		want, got := luma(t, in, w, h), luma(t, r.out, w, h) // ffmpeg turns the first itself
		require.Len(t, got, len(want))
		sum := 0
		for i := range want[5] {
			d := int(want[5][i]) - int(got[5][i])
			sum += d * d
		}
		require.Less(t, float64(sum)/float64(w*h), 20.0, "turned by %s", angle)
	}
}

func TestOddSizesRangesAndShapesOfSamples(t *testing.T) {
	odd := testsrc(t, "odd.mkv", "-c:v", "ffv1", "-pix_fmt", "yuv420p", "-vf", "scale=321:239")
	r := redactFile(t, odd, "a.mp4", nil)
	require.NoError(t, r.err)
	// Nothing is lost: H.264 has even sizes, so the last column and row come twice.
	const w, h = 322, 240
	require.Equal(t, [2]int{w, h}, [2]int{r.records[0].Width, r.records[0].Height})
	require.Contains(t, r.end.Warning, "pictures of 321×239 are padded to 322×240")
	before, after := luma(t, odd, w-1, h-1), luma(t, r.out, w, h)
	require.Len(t, after, len(before))
	off := 0
	for y := range h {
		d := int(before[20][min(y, h-2)*(w-1)+w-2]) - int(after[20][y*w+w-1])
		off += d * d
	}
	require.Less(t, off/h, 200, "the last column")

	full := testsrc(t, "full.mp4", "-c:v", "libx264", "-vf", "scale=out_range=pc,setsar=4/3", "-pix_fmt", "yuvj420p", "-colorspace", "bt709")
	r = redactFile(t, full, "a.mp4", nil)
	require.NoError(t, r.err)
	p := probe(t, r.out)
	require.Equal(t, "pc", p.Streams[0].Range)
	require.Equal(t, "bt709", p.Streams[0].Space)
	require.Equal(t, "4:3", p.Streams[0].Aspect)
}
