package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/alecthomas/kong"

	"scrim/cmd/internal/bench"
	"scrim/cmd/internal/cli"
	"scrim/cmd/internal/config"
)

// version is set by the linker; see Makefile.
var version = "unknown"

// CLI is the command line.
type CLI struct {
	Source string `arg:"" optional:"" help:"Video file, or rtsp:// URL of a camera. Default: drawn people. With --compare: the result to judge."`

	Capacity bool          `help:"Find the largest number of cameras without a dropped picture or an exposed face, instead of measuring a fixed number."`
	Compare  string        `placeholder:"A.json" help:"Compare another result with this one: --compare A.json B.json."`
	Strict   bool          `help:"With --compare: exit status 1 if a measure is worse or missing, or if source, model or settings differ."`
	For      time.Duration `default:"10s" help:"Duration of each run (${default})."`
	Repeat   int           `default:"1" help:"Number of repetitions; --compare needs at least 4 to separate differences from noise."`

	Cameras    int `help:"Number of cameras; with --capacity, the first number that is tried. Default: 1."`
	MaxCameras int `default:"64" help:"With --capacity: the largest number that is tried (${default})."`
	Viewers    int `default:"-1" help:"Number of cameras that are watched, by one WHEP viewer each. Default: all; with --capacity: 1."`

	Baseline bool     `help:"Also measure plain decoding and encoding (one thread, x264 ultrafast), and print ratios."`
	Peer     []string `placeholder:"gocv|faceblur" help:"Also measure a plain loop in gocv, or GStreamer's faceblur. Repeatable."`
	NoLive   bool     `help:"Only measure CPU time over the clip, without live cameras."`

	Scene      string   `default:"busy" help:"Drawn scene: busy (20 people), quiet (one now and then), or mixed (cameras in turn)."`
	Size       cli.Size `default:"1920x1080" placeholder:"WxH" help:"Size of the drawn pictures (${default})."`
	FPS        float64  `name:"fps" help:"Drawn pictures a second. Default: 30; with --capacity 15."`
	People     int      `help:"Number of drawn people. Default: that of the scene."`
	MinFace    int      `help:"Height of the smallest faces in pixels. Default: 1/32 of the picture, which the detector finds at its default size."`
	MaxFace    int      `help:"Height of the largest faces in pixels. Default: that of the scene."`
	Seed       uint64   `default:"1" help:"Seed of the drawn people and their movements (${default})."`
	Conditions `embed:""`
	Truth      string `placeholder:"FILE" help:"With a file: its faces, as scrim-camera --truth writes them."`
	Clips      string `placeholder:"DIR" help:"Folder for drawn clips; existing clips are reused."`

	Model         config.Model      `default:"auto" placeholder:"NAME|FILE" help:"Model: auto, a name from 'scrim models list', or an ONNX file (${default})."`
	Threshold     config.Threshold  `default:"0.3" help:"Minimum score of a face (${default})."`
	DetectSize    config.DetectSize `default:"640" help:"Longer side of the detector's input (${default})."`
	Tiles         bool              `help:"Also inspect the picture in tiles at full resolution."`
	SkipUnchanged bool              `default:"true" negatable:"" help:"Inspect only what changed, and the whole picture once a second. On by default."`
	Engine        config.Engine     `default:"auto" help:"Engine of the network: auto, scrim, scrim-avx2 (without AVX-512) or opencv (${default})."`
	Lookahead     config.Lookahead  `default:"0" help:"Delay of the output in pictures, to cover faces before they are first found (${default})."`
	Cover         config.Cover      `default:"faces" help:"What is obscured: faces, people or motion (${default})."`
	Need          config.Need       `default:"5%" help:"Height from which on faces must be found, such as 48px (${default} of the picture's height)."`
	Paced         bool              `help:"Feed the clip at its rate: what is done every few seconds counts in full. Always on with --cover people or motion."`
	Style         config.Style      `default:"veil" help:"How faces are obscured: veil, blur, mosaic or fill (${default})."`

	Output cli.Output `embed:""`

	Programs Programs `embed:"" group:"Programs (default: next to this one)"`
	Verbose  bool     `short:"v" help:"Print the logs of the programs."`
	Version  bool     `help:"Print the version."`

	// Child and Out are for child processes, see loops.go.
	Child string `hidden:""`
	Out   string `hidden:""`
}

// Programs are the paths of Scrim's other programs.
type Programs struct {
	Scrim    string `placeholder:"FILE" help:"Path of scrim."`
	Redactor string `placeholder:"FILE" help:"Path of scrim-redactor."`
	Camera   string `name:"camera-program" placeholder:"FILE" help:"Path of scrim-camera."`
}

func main() {
	cli.Main("scrim-bench", func(ctx context.Context) error { return execute(ctx, os.Args[1:], os.Stdout, os.Stderr) })
}

// execute parses the arguments and measures.
func execute(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	var c CLI
	parsed, err := cli.Parse(&c, "scrim-bench", "Measures the cost of redaction, and the faces that it misses.", args, stdout, stderr)
	if err != nil {
		return err
	}
	level := slog.LevelError
	if c.Verbose {
		level = slog.LevelInfo
	}
	log := slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: level}))
	switch {
	case c.Version:
		_, err := fmt.Fprintln(stdout, "scrim-bench "+version)
		return err
	case c.Child != "":
		return c.child(stdout)
	case c.Compare != "":
		return c.compare(stdout)
	}
	if err := c.check(named(parsed)); err != nil {
		return err
	}
	if err := c.Output.Check(); err != nil {
		return err
	}
	m := &measurement{cli: &c, log: log, progress: stderr}
	result, err := m.run(ctx)
	if err != nil {
		return err
	}
	return c.Output.Write(stdout, result)
}

// named lists the flags that were on the command line.
func named(parsed *kong.Context) []string {
	var out []string
	for _, p := range parsed.Path {
		if p.Flag != nil {
			out = append(out, p.Flag.Name)
		}
	}
	return out
}

// compare compares two results.
func (c *CLI) compare(stdout io.Writer) error {
	if c.Source == "" {
		return errors.New("--compare needs two results: --compare A.json B.json")
	}
	a, err := bench.Read(c.Compare)
	if err != nil {
		return err
	}
	b, err := bench.Read(c.Source)
	if err != nil {
		return err
	}
	comparison := bench.Compare(a, b)
	if err := comparison.WriteTable(stdout); err != nil {
		return err
	}
	if !c.Strict {
		return nil
	}
	if err := comparison.Check(); err != nil {
		return fmt.Errorf("%s compared with %s: %w", c.Source, c.Compare, err)
	}
	return nil
}
