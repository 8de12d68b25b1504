package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"scrim/cmd/internal/bench"
	"scrim/cmd/internal/cli"
	"scrim/cmd/internal/config"
	"scrim/pipeline/atomicfile"
)

// version is set by the linker; see Makefile.
var version = "unknown"

// CLI is the command line.
type CLI struct {
	Source string `arg:"" optional:"" help:"Video file, or rtsp:// URL of a camera. Without one people are drawn. With --compare: the other result."`

	Capacity bool          `help:"Find the most cameras that hold their rate with nothing dropped and no face exposed, in place of the times of a fixed number."`
	Compare  string        `placeholder:"A.json" help:"Judge another result against this one: --compare A.json B.json."`
	Strict   bool          `help:"With --compare: status 1 if anything is worse or missing, or was measured with another source, model or setting."`
	For      time.Duration `default:"10s" help:"How long each run measures (${default})."`
	Repeat   int           `default:"1" help:"How many times everything is measured; from 4 on, --compare can tell differences from noise."`

	Cameras    int `help:"How many cameras there are; with --capacity where the search begins. Default: 1."`
	MaxCameras int `default:"64" help:"With --capacity: where the search ends (${default})."`
	Viewers    int `default:"-1" help:"How many of the cameras are watched, by one WHEP viewer each. Default: all; with --capacity one."`

	Baseline bool     `help:"Also decode and encode the same with nothing in between, in one thread with x264's ultrafast, and give ratios."`
	Peer     []string `placeholder:"gocv|faceblur" help:"Also blur faces with a plain loop in gocv, or with GStreamer's faceblur. Repeatable."`
	NoLive   bool     `help:"Measure CPU time over the clip only, and no cameras at their rate."`

	Scene   string   `default:"busy" help:"What is drawn: busy (20 people), quiet (one now and then), or mixed (cameras in turn)."`
	Size    cli.Size `default:"1920x1080" placeholder:"WxH" help:"Size of the drawn pictures."`
	FPS     float64  `name:"fps" help:"Drawn pictures a second. Default: 30; with --capacity 15."`
	People  int      `help:"How many people are drawn, in place of the scene's."`
	MinFace int      `help:"Height of the smallest faces in pixels. Default: 1/32 of the picture's, which the detector's usual input can show."`
	MaxFace int      `help:"Height of the largest faces in pixels."`
	Seed    uint64   `default:"1" help:"Chooses the people and their ways."`
	Truth   string   `placeholder:"FILE" help:"With a file: where its faces are, from scrim-camera --truth."`
	Clips   string   `placeholder:"DIR" help:"Keep drawn clips in this folder, and use those that are there."`

	Model         config.Model      `default:"auto" placeholder:"NAME|FILE" help:"Model: auto, a name from scrim models list, or an ONNX file (${default})."`
	Threshold     config.Threshold  `default:"0.3" help:"Score from which on a candidate counts as a face (${default})."`
	DetectSize    config.DetectSize `default:"640" help:"Longer side of the detector's input (${default})."`
	Tiles         bool              `help:"Look at parts of the picture in their own size, too."`
	SkipUnchanged bool              `default:"true" negatable:"" help:"Inspect only what has changed, and everything once a second. On by default."`
	Engine        config.Engine     `default:"auto" help:"What runs the network: auto, scrim, scrim-avx2 (as without AVX-512) or opencv (${default})."`
	Lookahead     config.Lookahead  `default:"0" help:"By how many pictures the output lags (${default})."`
	Style         config.Style      `default:"veil" help:"How faces are obscured (${default})."`

	JSON string `name:"json" placeholder:"FILE" help:"Write the result as JSON; - is standard output, in place of the table."`
	HTML string `name:"html" placeholder:"FILE" help:"Write a page with plots that needs nothing else."`

	Programs Programs `embed:"" group:"Programs (default: beside this one)"`
	Verbose  bool     `short:"v" help:"Log what the programs say."`
	Version  bool     `help:"Print the version."`

	// What child processes do, see loops.go.
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
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// A second signal ends the process at once.
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run parses the arguments, measures and returns the exit status. An error is
// one line on stderr.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	return cli.Status(ctx, "scrim-bench", execute(ctx, args, stdout, stderr), stderr)
}

func execute(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	var c CLI
	parser, err := kong.New(&c, kong.Name("scrim-bench"),
		kong.Description("Measures what redaction costs, and which faces it misses."),
		kong.Writers(stdout, stderr), kong.ConfigureHelp(kong.HelpOptions{Compact: true}))
	if err != nil {
		return err
	}
	parsed, err := parser.Parse(args)
	if err != nil {
		return fmt.Errorf("%w; see scrim-bench --help", err)
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
	if err := c.writable(); err != nil {
		return err
	}
	m := &measurement{cli: &c, log: log, progress: stderr}
	result, err := m.run(ctx)
	if err != nil {
		return err
	}
	return c.show(result, stdout)
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

// compare judges two results.
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
	found := bench.Compare(a, b)
	if err := found.Table(stdout); err != nil {
		return err
	}
	if !c.Strict {
		return nil
	}
	if err := found.Check(); err != nil {
		return fmt.Errorf("%s against %s: %w", c.Source, c.Compare, err)
	}
	return nil
}

// writable reports what could not be written after everything has been measured.
func (c *CLI) writable() error {
	for flag, path := range map[string]string{"--json": c.JSON, "--html": c.HTML} {
		if path == "" || flag == "--json" && path == "-" {
			continue
		}
		if err := atomicfile.Check(path); err != nil {
			return fmt.Errorf("%s: %w", flag, err)
		}
	}
	return nil
}

// show prints and writes the result.
func (c *CLI) show(r *bench.Result, stdout io.Writer) error {
	if c.JSON != "-" {
		if err := r.Table(stdout); err != nil {
			return err
		}
	}
	if c.JSON != "" {
		if err := r.Write(c.JSON, stdout); err != nil {
			return err
		}
	}
	if c.HTML != "" {
		return r.WriteHTMLFile(c.HTML)
	}
	return nil
}
