package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"scrim/cmd/internal/bench"
	"scrim/cmd/scrim-bench/internal/gocvloop"
	"scrim/models"
	"scrim/pipeline/passthrough"
)

// cascade is the classifier of GStreamer's faceblur; cascadeDirs are the folders where
// packages of OpenCV install it.
const cascade = "haarcascade_frontalface_default.xml"

var cascadeDirs = []string{
	"/usr/share/opencv4/haarcascades", "/usr/local/share/opencv4/haarcascades", "/usr/share/opencv/haarcascades",
	"/opt/homebrew/share/opencv4/haarcascades",
}

// runChild runs this program again, as one of the children below, over a clip.
func (m *measurement) runChild(ctx context.Context, what string, clip *bench.Clip) (*bench.Loop, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return bench.RunChild(ctx, self, "--child", what, "--out", filepath.Join(m.dir, what+".mp4"), "--model", m.model(),
		"--detect-size", strconv.Itoa(int(m.cli.DetectSize)), "--threshold", strconv.FormatFloat(float64(m.cli.Threshold), 'g', -1, 64),
		"--cover", string(m.cli.Cover), clip.Path)
}

// child runs in a child process: it processes a clip and prints the cost.
func (c *CLI) child(out io.Writer) error {
	clip, err := open(c.Source)
	if err != nil {
		return err
	}
	meter := bench.NewLoopMeter(c.Child, clip.FPS(), c.skip(clip))
	frame := func() { meter.Frame(bench.OwnUsage()) }
	switch c.Child {
	case "baseline":
		err = plainLoop(clip, frame)
	case "gocv":
		var model []byte
		if model, err = c.network(); err == nil {
			err = gocvloop.Run(gocvloop.Options{
				In: c.Source, Out: c.Out, Model: model, Size: int(c.DetectSize), Threshold: float32(c.Threshold),
			}, func([]image.Rectangle) { frame() })
		}
	default:
		err = fmt.Errorf("invalid --child %q", c.Child)
	}
	if err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(meter.Loop())
}

// network returns the bytes of --model.
func (c *CLI) network() ([]byte, error) {
	if c.Model.IsPath() {
		return os.ReadFile(string(c.Model))
	}
	if name := models.BuiltIn().Name; string(c.Model) != name {
		return nil, fmt.Errorf("invalid --model %s: must be %s or a file in a child process", c.Model, name)
	}
	return models.Weights(), nil
}

// plainLoop decodes and encodes with nothing in between.
func plainLoop(clip *bench.Clip, frame func()) error {
	fed, err := units(clip)
	if err != nil {
		return err
	}
	t, err := passthrough.New()
	if err != nil {
		return err
	}
	defer t.Close()
	count := func() {
		for range t.Frames {
			frame()
		}
		t.Frames = 0
	}
	for i := range fed {
		if err := t.Unit(fed[i].Data, fed[i].PTS); err != nil {
			return err
		}
		count()
	}
	defer count()
	return t.Flush()
}

// peers measures other software. The result has the reason if one is skipped.
func (m *measurement) peers(ctx context.Context, clip *bench.Clip) {
	for _, name := range m.cli.Peer {
		m.logf("peer %s over %d pictures", name, len(clip.PTS))
		p := bench.Peer{Name: name}
		var err error
		if name == "gocv" {
			p.Loop, err = m.runChild(ctx, name, clip)
		} else {
			p.Loop, err = m.faceblur(ctx, clip)
		}
		if err != nil {
			p.Loop, p.Skipped = nil, err.Error()
			m.logf("skipping peer %s: %v", name, err)
		}
		m.result.Peers = append(m.result.Peers, p)
	}
}

// faceblur runs GStreamer's faceblur, with one thread each for decoder and encoder.
// The CPU time of a run over the first pictures is subtracted, so that the start of
// the process does not count.
func (m *measurement) faceblur(ctx context.Context, clip *bench.Clip) (*bench.Loop, error) {
	const install = "apt-get install gstreamer1.0-tools gstreamer1.0-plugins-{base,good,bad,ugly} gstreamer1.0-opencv gstreamer1.0-libav"
	launch, err := exec.LookPath("gst-launch-1.0")
	if err != nil {
		return nil, errors.New("gst-launch-1.0 not found; " + install)
	}
	for _, element := range []string{"faceblur", "avdec_h264", "x264enc", "qtdemux"} {
		if err := exec.CommandContext(ctx, "gst-inspect-1.0", "--exists", element).Run(); err != nil { //nolint:gosec // chosen above
			return nil, fmt.Errorf("GStreamer element %s not found; %s", element, install)
		}
	}
	file := findCascade()
	if file == "" {
		return nil, fmt.Errorf("%s not found in %s; apt-get install opencv-data", cascade, strings.Join(cascadeDirs, ", "))
	}
	pipeline := func(most int) []string {
		return strings.Fields(fmt.Sprintf(
			"-q filesrc location=%s ! qtdemux ! h264parse ! avdec_h264 max-threads=1 ! identity eos-after=%d ! videoconvert ! faceblur profile=%s ! videoconvert ! "+
				"x264enc speed-preset=ultrafast tune=zerolatency threads=1 ! fakesink", clip.Path, most, file))
	}
	if strings.ContainsAny(clip.Path+file, " \t!") {
		return nil, fmt.Errorf("unsupported path %s: contains a space", clip.Path)
	}
	frames := len(clip.PTS)
	start, _, err := bench.RunExternal(ctx, launch, pipeline(bench.WarmUp+1)...)
	if err != nil {
		return nil, err
	}
	all, peak, err := bench.RunExternal(ctx, launch, pipeline(frames+1)...)
	if err != nil {
		return nil, err
	}
	return &bench.Loop{
		What: "gst-launch-1.0 … faceblur", Frames: frames, CPU: (all - start) / float64(frames-bench.WarmUp), TotalCPU: all / float64(frames), PeakRSS: peak,
	}, nil
}

// findCascade returns the path of faceblur's classifier, or "".
func findCascade() string {
	for _, dir := range cascadeDirs {
		file := filepath.Join(dir, cascade)
		if _, err := os.Stat(file); err == nil {
			return file
		}
	}
	return ""
}
