package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/term"

	"scrim/cmd/internal/cli"
	"scrim/cmd/internal/config"
	"scrim/cmd/internal/programs"
	"scrim/pipeline/batch"
	"scrim/pipeline/ipc"
)

// RedactCmd redacts files and folders.
type RedactCmd struct {
	In  string `arg:"" name:"in" help:"File or folder to redact." type:"path"`
	Out string `short:"o" required:"" placeholder:"OUT" help:"Output file or folder. For video, the extension selects the format: .mp4, .mov or .mkv." type:"path"`
	RedactorFlags
	Config string `placeholder:"FILE.yaml" help:"Use the settings of a camera in this YAML file, such as zones and style. Flags override them." type:"path"`
	SetFlags
	Camera     string              `placeholder:"NAME" help:"Camera in that file, if it has several."`
	Style      config.Style        `placeholder:"STYLE" help:"How faces are obscured: veil, blur, mosaic or fill. Default: veil, or the camera's."`
	Size       []config.DetectSize `placeholder:"PIXELS" help:"Longer sides of the detector's inputs, multiples of 32. Default: 640, 1280 and the camera's."`
	Engine     config.Engine       `placeholder:"ENGINE" help:"Engine of the network: auto, scrim, scrim-avx2 or opencv. Default: auto, or the camera's."`
	Threshold  config.Threshold    `placeholder:"SCORE" help:"Minimum score of a face, 0.05 to 0.95. Default: 0.3, or the camera's."`
	Rotate     RotateFlag          `placeholder:"DEGREES" help:"Turn pictures clockwise by 0, 90, 180 or 270; auto only looks all ways. Default: auto."`
	RotateView *bool               `placeholder:"BOOL" help:"False: --rotate does not turn the output. Default: true, or the camera's."`
	Cover      config.Cover        `placeholder:"COVER" help:"What is obscured: faces, people or motion, that is all that moves. Default: faces, or the camera's."`
	Absorb     *config.AbsorbTime  `placeholder:"TIME" help:"How long what stands still stays covered, from 10s; 0: forever. Default: 10m, or the camera's."`
	Need       config.Need         `placeholder:"HEIGHT" help:"Height from which on faces must be found: 48px, or 5% of the picture's. Default: 5%."`
	WhenBlind  config.WhenBlind    `placeholder:"WHAT" help:"Hide in blind pictures: motion, slate (all) or warn (found faces). Default: motion, or the camera's."`
	Cosmetic   bool                `help:"Accept that faces may be shown or recovered."`
	Tiles      bool                `help:"Also find very small faces; takes several times as long."`
	Lookahead  config.Lookahead    `default:"30" help:"Look-ahead in pictures, 0 to 30 (${default})."`
	SecondLook bool                `default:"true" negatable:"" help:"Detect again after obscuring, and obscure what is still found. On by default."`
	Report     string              `placeholder:"FILE.jsonl" help:"Write a line of JSON per picture: the obscured regions and their reasons." type:"path"`
	KeepAudio  bool                `help:"Copy the audio tracks. Beware: a voice identifies a person."`
	Overwrite  bool                `help:"Replace existing files."`
}

// Run redacts the files. It fails if one could not be redacted, or has blind pictures.
func (c RedactCmd) Run(ctx context.Context, log *slog.Logger, out io.Writer) error {
	plan, err := batch.NewPlan(c.In, c.Out, c.Overwrite)
	if err != nil {
		return redactError(err)
	}
	program, err := programs.Find("scrim-redactor", "--redactor", c.Redactor)
	if err != nil {
		return err
	}
	settings, err := c.settings(log)
	if err != nil {
		return err
	}
	if c.KeepAudio {
		log.Warn("keeping audio: a voice identifies a person, too")
	}
	// When the terminal closes the program cleans up and ends, except under nohup.
	closed := ctx
	if !signal.Ignored(syscall.SIGHUP) {
		var stop context.CancelFunc
		closed, stop = signal.NotifyContext(ctx, syscall.SIGHUP)
		defer stop()
	}
	o := batch.Options{Plan: plan, Report: c.Report, Program: program, Settings: settings, Log: log}
	if term.IsTerminal(int(os.Stderr.Fd())) { //nolint:gosec // a descriptor fits
		o.Progress = os.Stderr
	}
	done, err := batch.Run(closed, o)
	if err != nil && closed.Err() != nil && ctx.Err() == nil {
		err = errHungUp
	}
	if err != nil {
		return redactError(err)
	}
	if _, err := fmt.Fprintln(out, done); err != nil {
		return err
	}
	if err := failure(done); err != nil {
		return err
	}
	return blindness(done)
}

// redactError adds the advice to an error of package batch.
func redactError(err error) error {
	if errors.Is(err, batch.ErrExists) {
		err = fmt.Errorf("%w; name another file, or replace it with --overwrite", err)
	}
	return fmt.Errorf("redact: %w", err)
}

// errHungUp is returned when the terminal was closed.
var errHungUp = errors.New("interrupted: the terminal was closed")

// failure is one line about the files that could not be redacted.
func failure(r *batch.Result) error {
	switch len(r.Failed) {
	case 0:
		return nil
	case 1:
		return r.Failed[0]
	}
	return fmt.Errorf("%d of %d files could not be redacted; see the errors above", len(r.Failed), r.Files)
}

// blindStatus is the exit status if all files were redacted, but some have blind pictures.
const blindStatus = 3

// blindness is one line about the files that have blind pictures.
func blindness(r *batch.Result) error {
	if r.Blind == 0 {
		return nil
	}
	return &cli.StatusError{
		Status: blindStatus,
		Err:    fmt.Errorf("redact: the detector cannot see in all pictures of %d of %d files; see the warnings above, and look at these outputs", r.Blind, r.Files),
	}
}

// settings are the first message to the redactor.
func (c RedactCmd) settings(log *slog.Logger) (ipc.Files, error) {
	cfg, cam, err := c.camera()
	if err != nil {
		return ipc.Files{}, err
	}
	detect, err := programs.Detector(cmp.Or(c.Model, cfg.Model), log)
	if err != nil {
		return ipc.Files{}, err
	}
	of := cfg.Redactor(cam)
	detect.Threshold, detect.Tiles, detect.TileAreas = of.Detect.Threshold, of.Detect.Tiles || c.Tiles, of.Detect.TileAreas
	if detect.Engine = of.Detect.Engine; c.Engine != "" {
		detect.Engine = string(c.Engine)
	}
	if c.Threshold != 0 {
		detect.Threshold = float64(c.Threshold)
	}
	if c.Style != "" {
		of.Obscure.Style = string(c.Style)
	}
	of.Obscure.Cosmetic = of.Obscure.Cosmetic || c.Cosmetic
	c.cover(&of)
	if of.Sight.WhenBlind == string(config.WhenBlindWarn) && !of.Obscure.Cosmetic {
		return ipc.Files{}, errors.New("redact: --when-blind warn shows faces that the detector cannot see; choose motion or slate, or add --cosmetic")
	}
	s := ipc.Files{
		Detect: detect, Lookahead: int(c.Lookahead), KeepAudio: c.KeepAudio, SecondLook: c.SecondLook,
		Obscure: of.Obscure, Zones: of.Zones, Cover: of.Cover, Sight: of.Sight,
	}
	c.rotate(&s, of.Rotate)
	for _, size := range c.sizes(cam) {
		s.Sizes = append(s.Sizes, int(size))
	}
	if of.Obscure.Cosmetic {
		log.Warn("cosmetic: faces may be shown or recovered")
	}
	if s.Sight.NeedPercent > config.RiskyNeedPercent {
		log.Warn(fmt.Sprintf("need is above %d%% of the picture's height: smaller faces may be recognised and not found", config.RiskyNeedPercent))
	}
	for i := range cam.Zones {
		log.Info("zone of the camera", "camera", cam.Name, "zone", cam.Zones[i].String())
	}
	return s, nil
}

// cover overrides what is obscured, and the sight that is needed.
func (c RedactCmd) cover(of *ipc.Config) {
	if c.Cover != "" {
		of.Cover.Mode = string(c.Cover)
	}
	if c.Absorb != nil {
		of.Cover.Absorb = time.Duration(*c.Absorb)
	}
	if c.Need != (config.Need{}) {
		of.Sight.NeedPixels, of.Sight.NeedPercent = c.Need.Pixels, c.Need.Percent
	}
	if c.WhenBlind != "" {
		of.Sight.WhenBlind = string(c.WhenBlind)
	}
}

// sizes are the sizes of the detector's inputs: without --size a recording is inspected
// at least as well as its camera is, live.
func (c RedactCmd) sizes(cam *config.Camera) []config.DetectSize {
	if len(c.Size) > 0 {
		return c.Size
	}
	sizes := []config.DetectSize{640, 1280}
	if cam.Detect.Size != 0 && !slices.Contains(sizes, cam.Detect.Size) {
		sizes = append(sizes, cam.Detect.Size)
	}
	return sizes
}

// camera returns the configuration and the camera whose settings apply; without --config
// both have the defaults.
func (c RedactCmd) camera() (*config.Config, *config.Camera, error) {
	if c.Config == "" {
		switch {
		case c.Camera != "":
			return nil, nil, errors.New("redact: --camera needs --config, the file that defines the camera")
		case len(c.Set) > 0:
			return nil, nil, errors.New("redact: --set needs --config, the file whose settings it overrides")
		}
		cfg := config.Default()
		return cfg, &config.Camera{Settings: cfg.Defaults}, nil
	}
	// Passwords are not needed.
	cfg, _, err := c.source(c.Config).Inspect(0)
	if err != nil {
		return nil, nil, err
	}
	names := make([]string, 0, len(cfg.Cameras))
	for i := range cfg.Cameras {
		cam := &cfg.Cameras[i]
		if names = append(names, string(cam.Name)); c.Camera == string(cam.Name) || c.Camera == "" && len(cfg.Cameras) == 1 {
			return cfg, cam, nil
		}
	}
	if c.Camera == "" {
		return nil, nil, fmt.Errorf("redact: %s has %d cameras; choose one with --camera: %s", c.Config, len(names), strings.Join(names, ", "))
	}
	return nil, nil, fmt.Errorf("redact: %s has no camera %.64q; it has %s", c.Config, c.Camera, strings.Join(names, ", "))
}
