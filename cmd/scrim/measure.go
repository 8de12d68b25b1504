package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"scrim/pipeline/atomicfile"
	"scrim/pipeline/measure"
)

// MeasureCmd scores reports of redacted files, or what is published now, against
// ground truth.
type MeasureCmd struct {
	Truth  []string `required:"" sep:"none" placeholder:"PATH" help:"Where faces truly are: from scrim-camera --truth, a faces.json, a folder. Repeatable."`
	Report []string `sep:"none" placeholder:"PATH" help:"What was obscured: from scrim redact --report, or a folder. As many as truths: pairs."`

	JSON string `name:"json" placeholder:"FILE" help:"Write everything as JSON; - is standard output, in place of the table."`
	HTML string `name:"html" placeholder:"FILE" help:"Write a page with plots that needs nothing else."`

	MinSize    float64 `default:"16" placeholder:"PIXELS" help:"Faces that are smaller are hard and do not count for the headline (${default})."`
	MaxYaw     float64 `default:"45" placeholder:"DEGREES" help:"So are those that are turned further (${default})."`
	MinVisible float64 `default:"0.6" placeholder:"SHARE" help:"So are those of which less can be seen (${default})."`

	ReportFirst *int `placeholder:"N" help:"Number of the first frame in reports; they count from 0."`
	TruthFirst  *int `placeholder:"N" help:"Number of the first frame in truths; they count from 0."`
	IgnorePTS   bool `name:"ignore-pts" help:"Match frames by number alone, whatever their times."`

	Live   LiveFlags     `embed:"" group:"Live (what cameras publish, in place of a report)"`
	Limits MeasureLimits `embed:"" group:"Limits (status 1 if one is not kept)"`
}

// MeasureLimits are what a result has to keep.
type MeasureLimits struct {
	MaxExposed   *measure.Share `placeholder:"SHARE" help:"Most exposed face-frames, such as 0.1%."`
	MaxRun       *int           `placeholder:"N" help:"Most frames in a row in which a person is exposed."`
	MaxFalseArea *measure.Share `placeholder:"SHARE" help:"Most of the frame that is obscured for no face, in the mean."`
	MaxArea      *measure.Share `placeholder:"SHARE" help:"Most of the frame that is obscured, in the mean."`
	MinCoverage  *measure.Share `placeholder:"SHARE" help:"Least share of the area of faces that is obscured, in the mean."`
	MinRecall    *measure.Share `placeholder:"SHARE" help:"Least share of faces that are found at an IoU of 0.5."`
	MinSteady    *measure.Share `placeholder:"SHARE" help:"Least share of people, 5 s in view at 48 pixels, never exposed longer than a frame."`
}

// Run scores, prints and writes; it fails when a limit is not kept.
func (c *MeasureCmd) Run(ctx context.Context, out io.Writer, log *slog.Logger) error {
	result, err := c.score(ctx, log)
	if err != nil {
		return fmt.Errorf("measure: %w", err)
	}
	if err := c.write(out, result); err != nil {
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
		return nil, errors.New("--report-first, --truth-first and --ignore-pts are about reports; of a live run, frames are matched by the time of capture")
	}
	for _, path := range []string{c.HTML, c.JSON} {
		if path == "" || path == "-" {
			continue
		}
		if err := atomicfile.Check(path); err != nil { // before what takes long
			return nil, err
		}
	}
	filter := measure.Filter{MinSize: c.MinSize, MaxYaw: c.MaxYaw, MinVisible: c.MinVisible}
	if c.Live.NATS != "" {
		return c.Live.measure(ctx, c.Truth, newLiveRuns(log, c.Live.Camera...), measure.Options{Filter: filter}, log)
	}
	pairs, left, err := measure.Load(c.Truth, c.Report)
	if err != nil {
		return nil, err
	}
	if len(left) > 0 {
		log.Warn("files in reports that are in no truth are not scored", "count", len(left), "first", left[0].File, "report", left[0].Path)
	}
	return measure.Score(pairs, measure.Options{Filter: filter, ReportFirst: c.ReportFirst, TruthFirst: c.TruthFirst, IgnorePTS: c.IgnorePTS})
}

func (c *MeasureCmd) write(out io.Writer, r *measure.Result) error {
	asJSON := func(w io.Writer) error {
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		return enc.Encode(r)
	}
	if c.HTML != "" {
		if err := atomicfile.Write(c.HTML, r.WriteHTML); err != nil {
			return err
		}
	}
	switch c.JSON {
	case "":
	case "-":
		return asJSON(out)
	default:
		if err := atomicfile.Write(c.JSON, asJSON); err != nil {
			return err
		}
	}
	return r.WriteTable(out)
}
