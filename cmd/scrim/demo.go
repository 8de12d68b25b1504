package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"scrim/cmd/internal/config"
	"scrim/cmd/internal/demo"
	"scrim/cmd/internal/programs"
	"scrim/pipeline/ipc"
	"scrim/pipeline/measure"
	"scrim/transport"
)

// maxDemoCameras bounds the drawn cameras.
const maxDemoCameras = 64

// demoNames are the names of the first drawn cameras.
var demoNames = []string{"lobby", "corridor"}

// DemoCmd shows drawn cameras; it needs nothing outside the machine.
type DemoCmd struct {
	WorkerFlags
	HTTP          string        `name:"http" default:"127.0.0.1:8080" help:"Address of the viewer page (${default})." placeholder:"HOST:PORT"`
	For           time.Duration `help:"Stop after this time and print a summary. Default: run until interrupted." placeholder:"DURATION"`
	JSON          bool          `name:"json" help:"Print only the summary, as JSON."`
	Cameras       int           `default:"2" help:"Number of drawn cameras (${default})."`
	Size          string        `default:"1280x720" help:"Size of the drawn pictures (${default})." placeholder:"WxH"`
	FPS           float64       `name:"fps" default:"15" help:"Pictures per second (${default})."`
	People        int           `default:"6" help:"Number of people in front of each camera (${default})."`
	Seed          uint64        `default:"1" help:"Seed of the drawn people and their movements."`
	Style         config.Style  `default:"veil" help:"How faces are obscured: veil, blur, mosaic or fill (${default})."`
	Measure       bool          `help:"Score the redacted video against the true positions of the drawn faces."`
	CameraProgram string        `help:"Path of scrim-camera. Default: next to this program." placeholder:"FILE"`
}

// Run shows the cameras until ctx ends or the time is over, and prints the measurement.
func (c DemoCmd) Run(ctx context.Context, log *slog.Logger, out io.Writer) error {
	if c.Cameras < 1 || c.Cameras > maxDemoCameras {
		return fmt.Errorf("demo: --cameras %d: choose 1 to %d", c.Cameras, maxDemoCameras)
	}
	if c.For < 0 {
		return fmt.Errorf("demo: --for %v: a time cannot be negative", c.For)
	}
	program, err := programs.Find("scrim-camera", "--camera-program", c.CameraProgram)
	if err != nil {
		return err
	}
	cfg := config.Default()
	cfg.Site = "demo"
	cfg.HTTP.AllowOrigins = []config.Origin{"*"} // drawn people have no secrets
	cfg.Defaults.Obscure.Style = c.Style
	if err := (HTTPFlags{HTTP: c.HTTP}).apply(cfg); err != nil {
		return err
	}
	setup, err := newWorkerSetup(cfg, c.WorkerFlags, log)
	if err != nil {
		return err
	}
	defer func() { _ = setup.close() }()
	truths, forget, err := c.truths()
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	defer forget()
	drawn, err := c.draw(ctx, program, truths, cfg, log)
	defer drawn.close()
	if err != nil {
		return err
	}
	if ctx.Err() != nil {
		return nil
	}
	names := make([]string, 0, c.Cameras)
	for i := range c.Cameras {
		names = append(names, c.name(i))
	}
	m, seen := demo.NewMeter(names), newLiveRuns(log, names...)
	setup.shown = drawn.urls
	setup.observe = append(setup.observe, m.Observe)
	if c.Measure {
		setup.observe = append(setup.observe, func(u *transport.RedactedUnit, _ *ipc.Record) { seen.add(u) })
	}
	if c.For > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.For)
		defer cancel()
	}
	var page string
	p := process{name: "serve", cfg: cfg, setup: setup, log: log, ready: func(url string) {
		page = url
		if !c.JSON {
			fmt.Fprintf(out, "Scrim shows %d drawn cameras at %s (Ctrl-C ends it)\n", c.Cameras, url)
		}
	}}
	if err := p.run(ctx); err != nil {
		return err
	}
	s := m.Summary(page, drawn.urls)
	if c.Measure && s.Check() == nil {
		runs, err := seen.runs(truths)
		if err == nil {
			s.Measured, err = measure.ScoreLive(runs, measure.Options{Filter: measure.DefaultFilter})
		}
		if err != nil {
			return fmt.Errorf("demo: %w", err)
		}
	}
	if c.JSON {
		err = json.NewEncoder(out).Encode(s)
	} else {
		err = s.Write(out)
	}
	if err == nil && c.For > 0 {
		err = s.Check()
	}
	return err
}

// name returns the name of camera i.
func (c DemoCmd) name(i int) string {
	if i < len(demoNames) {
		return demoNames[i]
	}
	return fmt.Sprintf("camera-%d", i+1)
}

// truths returns the files for the cameras' truths, if they are measured, and a function
// that removes them.
func (c DemoCmd) truths() (files []string, forget func(), err error) {
	if !c.Measure {
		return nil, func() {}, nil
	}
	dir, err := os.MkdirTemp("", "scrim-demo-")
	if err != nil {
		return nil, nil, err
	}
	for i := range c.Cameras {
		files = append(files, filepath.Join(dir, c.name(i)+".truth.jsonl"))
	}
	return files, func() { _ = os.RemoveAll(dir) }, nil
}

// drawnCameras are the simulated cameras of a demo.
type drawnCameras struct {
	urls  map[string]string
	procs []*programs.Camera
}

// draw starts the cameras and adds them to the configuration. The caller closes the result,
// also after an error.
func (c DemoCmd) draw(ctx context.Context, program string, truths []string, cfg *config.Config, log *slog.Logger) (*drawnCameras, error) {
	d := &drawnCameras{urls: make(map[string]string)}
	for i := range c.Cameras {
		name := c.name(i)
		args := []string{
			"--listen", "127.0.0.1:0", "--path", name,
			"--size", c.Size, "--fps", strconv.FormatFloat(c.FPS, 'g', -1, 64),
			"--people", strconv.Itoa(c.People), "--seed", strconv.FormatUint(c.Seed+uint64(i), 10), //nolint:gosec // positive
		}
		if c.Measure {
			args = append(args, "--truth", truths[i])
		}
		cam, err := programs.StartCamera(ctx, program, args...)
		if err != nil {
			return d, fmt.Errorf("drawn camera %s: %w", name, err)
		}
		d.procs = append(d.procs, cam)
		url := cam.URL
		log.Info("drawn camera", "camera", name, "url", url)
		d.urls[name] = url
		u, err := config.NewCameraURL(url)
		if err != nil {
			return d, fmt.Errorf("drawn camera %s: %w", name, err)
		}
		cfg.Cameras = append(cfg.Cameras, config.Camera{Name: config.Name(name), URL: u, Settings: cfg.Defaults})
	}
	return d, nil
}

// close ends the cameras and waits for that.
func (d *drawnCameras) close() {
	for _, p := range d.procs {
		p.Close()
	}
}
