package measure

import (
	"cmp"
	"fmt"
	"io"
	"math"

	"scrim/redact/geom"
)

// unknown is the source of a region whose publisher did not name one.
const unknown geom.Source = "unknown"

// Region is what was obscured in a frame for one reason. It differs from
// geom.Region in that reports of other programs may have fractions of pixels.
type Region struct {
	// Box was obscured, all of it.
	Box geom.Box
	// Face is the box as found; it has no area when there is none.
	Face geom.Box
	// Score is the confidence, 0 to 1.
	Score float64
	// Source is one of package geom's, or "unknown".
	Source geom.Source
	// Track is the same for the same face over time; 0 when there is none.
	Track uint64
}

// RegionOf returns what viewers are shown of r.
func RegionOf(r geom.Region) Region {
	return Region{Box: geom.BoxOf(r.Rect), Face: r.Face, Score: r.Score, Source: cmp.Or(r.Source, unknown), Track: r.Track}
}

// hasFace reports whether the region says where a face is.
func (r *Region) hasFace() bool {
	return r.Face.Area() > 0 && r.Source != geom.Zone && r.Source != geom.Failsafe
}

// ReportFrame is what a report says of one frame.
type ReportFrame struct {
	Frame int
	// PTS is in seconds; NaN when the report does not say it.
	PTS           float64
	Width, Height int
	Regions       []Region
	// Line is the line of the report, from 1.
	Line int
}

// Report is what was obscured in one video or picture.
type Report struct {
	// Path is the report's, File the name that it gives to what was redacted.
	Path, File string
	// Frames are in ascending order of their numbers.
	Frames []ReportFrame
}

// reportLine is a line as it is written.
type reportLine struct {
	header
	Regions []struct {
		coordinates
		Face   *coordinates `json:"face"`
		Score  float64      `json:"score"`
		Source string       `json:"source"`
		Track  uint64       `json:"track"`
	} `json:"regions"`
}

// ReadReport reads a report, which is called path in errors. What it returns is
// the caller's: one Report for each file that the lines name, in the order of
// their first lines.
func ReadReport(r io.Reader, path string) ([]*Report, error) {
	var reports []*Report
	byFile := map[string]*Report{}
	var total count
	err := eachLine(r, path, func(n int, text []byte) error {
		var line reportLine
		if err := decode(text, &line); err != nil {
			return err
		}
		if err := line.check(); err != nil {
			return err
		}
		if err := total.add(len(line.Regions)); err != nil {
			return err
		}
		frame := ReportFrame{Frame: int(*line.Frame), PTS: math.NaN(), Width: int(line.Width), Height: int(line.Height), Line: n}
		if line.PTS != nil {
			frame.PTS = *line.PTS
		}
		if err := frame.take(&line); err != nil {
			return err
		}
		report := byFile[line.File]
		if report == nil {
			report = &Report{Path: path, File: line.File}
			byFile[line.File] = report
			reports = append(reports, report)
		}
		if k := len(report.Frames); k > 0 && report.Frames[k-1].Frame >= frame.Frame {
			return fmt.Errorf("frame %d comes after frame %d of line %d; a report has one line per frame, in order",
				frame.Frame, report.Frames[k-1].Frame, report.Frames[k-1].Line)
		}
		report.Frames = append(report.Frames, frame)
		return nil
	})
	return reports, err
}

func (f *ReportFrame) take(line *reportLine) error {
	if len(line.Regions) > 0 {
		f.Regions = make([]Region, 0, len(line.Regions))
	}
	for i := range line.Regions {
		in := &line.Regions[i]
		out := Region{Score: in.Score, Track: in.Track}
		var err error
		if out.Source, err = source(in.Source); err != nil {
			return fmt.Errorf("region %d: %w", i, err)
		}
		if out.Box, err = in.box(); err != nil {
			return fmt.Errorf("region %d: %w", i, err)
		}
		if in.Face != nil {
			if out.Face, err = in.Face.box(); err != nil {
				return fmt.Errorf("face of region %d: %w", i, err)
			}
		}
		f.Regions = append(f.Regions, out)
	}
	return nil
}

// source returns a constant, so that no line keeps its memory.
func source(s string) (geom.Source, error) {
	for _, known := range []geom.Source{geom.Detected, geom.Tracked, geom.Held, geom.Backfilled, geom.Zone, geom.Failsafe} {
		if s == string(known) {
			return known, nil
		}
	}
	return "", fmt.Errorf("source %.40q is none of detected, tracked, held, backfilled, zone, failsafe", s)
}
