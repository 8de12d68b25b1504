package measure

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"strings"

	"scrim/redact/geom"
)

// unknown is the source of a region without one.
const unknown geom.Source = "unknown"

// Region is an obscured region of a frame. It differs from
// geom.Region in that reports of other programs may have fractions of pixels.
type Region struct {
	// Box was obscured completely.
	Box geom.Box
	// Face is the detected box; empty if there is none.
	Face geom.Box
	// Score is the confidence, 0 to 1.
	Score float64
	// Source is one of package geom's, or "unknown".
	Source geom.Source
	// Track identifies a face over time; 0 if there is none.
	Track uint64
}

// RegionOf converts a region.
func RegionOf(r geom.Region) Region {
	return Region{Box: geom.BoxOf(r.Rect), Face: r.Face, Score: r.Score, Source: cmp.Or(r.Source, unknown), Track: r.Track}
}

// hasFace reports whether the region has a face box.
func (r *Region) hasFace() bool {
	switch r.Source {
	case geom.Zone, geom.Failsafe, geom.Moving, geom.Body:
		return false
	}
	return r.Face.Area() > 0
}

// ReportFrame is a frame of a report.
type ReportFrame struct {
	Frame int
	// PTS is in seconds; NaN if unknown.
	PTS           float64
	Width, Height int
	Regions       []Region
	// Blind is why it is not proved that the detector sees in the picture, such as "too
	// dark"; empty: it sees, or nobody knows.
	Blind string
	// Line is the line of the report, from 1.
	Line int
}

// Report has the obscured regions of one video or picture.
type Report struct {
	// Path is the report's path, File the name of the redacted file in it.
	Path, File string
	// Frames are in ascending order of their numbers.
	Frames []ReportFrame
}

// reportLine is a line of a report.
type reportLine struct {
	header
	Blind   string `json:"blind"`
	Regions []struct {
		coordinates
		Face   *coordinates `json:"face"`
		Score  float64      `json:"score"`
		Source string       `json:"source"`
		Track  uint64       `json:"track"`
	} `json:"regions"`
}

// ReadReport reads a report; path is its name in errors. It returns one Report for each
// file in it, in the order of their first lines. The caller owns the result.
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
		if len(line.Blind) > maxReason {
			return fmt.Errorf("reason for blindness of %d bytes: at most %d are allowed", len(line.Blind), maxReason)
		}
		frame.Blind = strings.Clone(line.Blind)
		if err := frame.setRegions(&line); err != nil {
			return err
		}
		report := byFile[line.File]
		if report == nil {
			report = &Report{Path: path, File: line.File}
			byFile[line.File] = report
			reports = append(reports, report)
		}
		if k := len(report.Frames); k > 0 && report.Frames[k-1].Frame >= frame.Frame {
			return fmt.Errorf("frame %d after frame %d of line %d; a report has one line per frame, in order",
				frame.Frame, report.Frames[k-1].Frame, report.Frames[k-1].Line)
		}
		report.Frames = append(report.Frames, frame)
		return nil
	})
	return reports, err
}

func (f *ReportFrame) setRegions(line *reportLine) error {
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

// source returns a constant, so that the line's memory is not retained.
func source(s string) (geom.Source, error) {
	for _, known := range []geom.Source{geom.Detected, geom.Tracked, geom.Held, geom.Backfilled, geom.Zone, geom.Failsafe, geom.Moving, geom.Body} {
		if s == string(known) {
			return known, nil
		}
	}
	return "", fmt.Errorf("invalid source %.40q: must be detected, tracked, held, backfilled, zone, failsafe, moving or body", s)
}
