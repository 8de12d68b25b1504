package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"

	"golang.org/x/term"

	"scrim/cmd/internal/config"
	"scrim/pipeline/wire"
)

// RedactCmd redacts files and folders.
type RedactCmd struct {
	In  string `arg:"" name:"in" help:"The file or folder to redact." type:"path"`
	Out string `short:"o" required:"" placeholder:"OUT" help:"The file or folder to write. Of video, the ending says how: .mp4, .mov or .mkv." type:"path"`
	WorkerFlags
	Style      config.Style        `default:"veil" help:"How faces are obscured: veil, blur, mosaic or fill."`
	Size       []config.DetectSize `default:"640,1280" placeholder:"PIXELS" help:"Longer sides of the detector's inputs, multiples of 32; each is used."`
	Threshold  config.Threshold    `default:"0.3" help:"Score from which on something counts as a face, 0.05 to 0.95."`
	Tiles      bool                `help:"Look for very small faces, too; it takes several times as long."`
	Lookahead  config.Lookahead    `default:"30" help:"By how many pictures a video is looked ahead, 0 to 30."`
	SecondLook bool                `default:"true" negatable:"" help:"Look at each picture once more after it was obscured, and obscure what is still found; --no-second-look saves the time."`
	Report     string              `placeholder:"FILE.jsonl" help:"Write a line for each picture: what was obscured where, and why." type:"path"`
	KeepAudio  bool                `help:"Copy the audio tracks. A voice identifies a person, too."`
	Overwrite  bool                `help:"Replace files that are there."`
}

// Run redacts what can be redacted, and fails when that was not all.
func (c RedactCmd) Run(ctx context.Context, log *slog.Logger, out io.Writer) error {
	plan, err := planRedaction(c.In, c.Out, c.Overwrite)
	if err != nil {
		return fmt.Errorf("redact: %w", err)
	}
	program, err := findProgram("scrim-redactor", "--redactor", c.Redactor)
	if err != nil {
		return err
	}
	settings, err := c.settings(log)
	if err != nil {
		return err
	}
	if c.KeepAudio {
		log.Warn("audio is kept: a voice identifies a person, too")
	}
	report, err := openReport(c.Report, c.Overwrite, plan)
	if err != nil {
		return fmt.Errorf("redact: %w", err)
	}
	defer report.discard()
	j := &redaction{program: program, settings: settings, report: report, log: log}
	if term.IsTerminal(int(os.Stderr.Fd())) { //nolint:gosec // a descriptor fits
		j.bar = newBar(os.Stderr, plan)
	}
	failed, err := j.run(ctx, plan.files)
	if err == nil {
		err = report.finish()
	}
	if err != nil {
		return fmt.Errorf("redact: %w", err)
	}
	if err := j.summary(out, plan, len(failed)); err != nil {
		return err
	}
	return redactFailure(failed, len(plan.files))
}

// redactFailure is the one line about what could not be redacted.
func redactFailure(failed []error, of int) error {
	switch len(failed) {
	case 0:
		return nil
	case 1:
		return failed[0]
	}
	return fmt.Errorf("%d of %d files could not be redacted; each is named above", len(failed), of)
}

// settings are what the redactor is told first.
func (c RedactCmd) settings(log *slog.Logger) (wire.Files, error) {
	detect, err := findDetector(c.Model, log)
	if err != nil {
		return wire.Files{}, err
	}
	detect.Threshold, detect.Tiles = float64(c.Threshold), c.Tiles
	o := config.Default().Defaults.Obscure
	s := wire.Files{
		Detect: detect, Lookahead: int(c.Lookahead), KeepAudio: c.KeepAudio, SecondLook: c.SecondLook,
		Obscure: wire.ObscureConfig{
			Style: string(c.Style), Padding: float64(o.Padding), PaddingTop: float64(o.PaddingTop), Cells: int(o.Cells),
		},
	}
	for _, size := range c.Size {
		s.Sizes = append(s.Sizes, int(size))
	}
	return s, nil
}

// errRefused is wrapped by errors about an output that is there.
var errRefused = errors.New("is there already; name another, or replace it with --overwrite")
