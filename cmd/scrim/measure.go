package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"scrim/cmd/internal/cli"
	"scrim/pipeline/measure"
	"scrim/redact/geom"
)

// MeasureCmd scores reports of redacted files, or live redacted video, against ground
// truth.
type MeasureCmd struct {
	Truth  []string `required:"" sep:"none" placeholder:"PATH" help:"True face positions: a file of scrim-camera --truth, a faces.json, or a folder. Repeatable."`
	Report []string `sep:"none" placeholder:"PATH" help:"Obscured regions: a file of scrim redact --report, or a folder. As many as --truth make pairs."`

	Output cli.Output `embed:""`

	Cover measure.Cover `default:"faces" help:"What is scored (${default}): faces, people (trunks, too) or motion (faces of people who have moved)."`

	MinSize    float64  `default:"16" placeholder:"PIXELS" help:"Smaller faces count as hard, not in the headline (${default})."`
	MaxYaw     *float64 `placeholder:"DEGREES" help:"Faces that are turned further count as hard. Default: 45; with --cover motion all count."`
	MinVisible float64  `default:"0.6" placeholder:"SHARE" help:"Faces that are less visible count as hard (${default})."`

	ReportFirst *int `placeholder:"N" help:"Number of the first frame in reports. Default: 0."`
	TruthFirst  *int `placeholder:"N" help:"Number of the first frame in truths. Default: 0."`
	Rotate      int  `placeholder:"DEGREES" help:"Rotation of a camera that hangs turned, 90, 180 or 270, if its video is upright."`
	IgnorePTS   bool `name:"ignore-pts" help:"Match frames by number only, not by time."`

	Live   LiveFlags     `embed:"" group:"Live (measure published video instead of a report)"`
	Limits MeasureLimits `embed:"" group:"Limits (exit status 1 if one is exceeded)"`
}

// MeasureLimits are the limits of a result.
type MeasureLimits struct {
	MaxExposed    *measure.Share `placeholder:"SHARE" help:"Maximum share of exposed face frames, such as 0.1%."`
	MaxRun        *int           `placeholder:"N" help:"Maximum number of consecutive frames in which a person is exposed."`
	MaxFalseArea  *measure.Share `placeholder:"SHARE" help:"Maximum mean share of the frame that is obscured without a face."`
	MaxArea       *measure.Share `placeholder:"SHARE" help:"Maximum mean share of the frame that is obscured."`
	MinCoverage   *measure.Share `placeholder:"SHARE" help:"Minimum mean share of a face's area that is obscured."`
	MinRecall     *measure.Share `placeholder:"SHARE" help:"Minimum share of faces that are found, at an IoU of 0.5."`
	MinSteady     *measure.Share `placeholder:"SHARE" help:"Minimum share of people (in view for 5 s at 48 pixels) who are never exposed for more than a frame."`
	MaxBlind      *measure.Share `placeholder:"SHARE" help:"Maximum share of the time in which it was not proved that the detector sees."`
	MaxFalseBlind *measure.Share `placeholder:"SHARE" help:"Maximum share of the time of clear pictures in which it was not proved that the detector sees."`
}

// Run scores, prints and writes the result; it fails if a limit is exceeded.
func (c *MeasureCmd) Run(ctx context.Context, out io.Writer, log *slog.Logger) error {
	result, err := c.score(ctx, log)
	if err != nil {
		return fmt.Errorf("measure: %w", err)
	}
	if err := c.Output.Write(out, result); err != nil {
		return fmt.Errorf("measure: %w", err)
	}
	if err := measure.Limits(c.Limits).Check(result); err != nil {
		return fmt.Errorf("measure: %w", err)
	}
	return nil
}

func (c *MeasureCmd) score(ctx context.Context, log *slog.Logger) (*measure.Result, error) {
	if err := c.Live.check(c.Truth, c.Report); err != nil {
		return nil, err
	}
	if c.Live.NATS != "" && (c.ReportFirst != nil || c.TruthFirst != nil || c.IgnorePTS) {
		return nil, errors.New("--report-first, --truth-first and --ignore-pts are for reports; frames of a live run are matched by capture time")
	}
	if err := c.Output.Check(); err != nil {
		return nil, err
	}
	o := measure.Options{
		Filter: measure.Filter{MinSize: c.MinSize, MaxYaw: measure.DefaultFilter.MaxYaw, MinVisible: c.MinVisible},
		Cover:  c.Cover, ReportFirst: c.ReportFirst, TruthFirst: c.TruthFirst, IgnorePTS: c.IgnorePTS, Rotate: geom.Rotation(c.Rotate),
	}
	switch {
	case c.MaxYaw != nil:
		o.Filter.MaxYaw = *c.MaxYaw
	case c.Cover == measure.CoverMotion:
		o.Filter.MaxYaw = 180
	}
	if c.Live.NATS != "" {
		return c.Live.measure(ctx, c.Truth, newLiveRuns(log, c.Live.Camera...), o, log)
	}
	pairs, left, err := measure.Load(c.Truth, c.Report)
	if err != nil {
		return nil, err
	}
	if len(left) > 0 {
		log.Warn("not scoring files of reports without a truth", "count", len(left), "first", left[0].File, "report", left[0].Path)
	}
	return measure.Score(pairs, o)
}
