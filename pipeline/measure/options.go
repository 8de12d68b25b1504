package measure

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"scrim/redact/geom"
)

// Definitions of covered, found and padding.
const (
	CoveredShare = 0.95
	FoundIoU     = 0.5
	PadSide      = 0.6
	PadTop       = 1.0
)

// Steady people are in view for at least SteadySeconds with a face of at least SteadySize
// pixels. They should never be exposed for more than SteadyRun consecutive frames.
const (
	SteadySeconds = 5
	SteadySize    = 48
	SteadyRun     = 1
)

// MaxLeaks is the maximum number of leaks in a Result.
const MaxLeaks = 10_000

// rounding is the tolerance for sums of floats of the size of pictures.
const rounding = 1e-9

// roundSeconds rounds seconds to microseconds, against sums such as 4.000000000000003.
func roundSeconds(seconds float64) float64 { return math.Round(seconds*1e6) / 1e6 }

// Filter selects the faces of the headline.
type Filter struct {
	// MinSize is the minimum size in pixels.
	MinSize float64 `json:"min_size"`
	// MaxYaw is the maximum yaw in degrees. A face with unknown yaw passes.
	MaxYaw float64 `json:"max_yaw"`
	// MinVisible is the minimum visible share of the face.
	MinVisible float64 `json:"min_visible"`
}

// DefaultFilter is the default of the command line.
var DefaultFilter = Filter{MinSize: 16, MaxYaw: 45, MinVisible: 0.6}

func (f Filter) check() error {
	for _, v := range []struct {
		name string
		v    float64
		most float64
	}{{"minimum size", f.MinSize, MaxSide}, {"maximum yaw", f.MaxYaw, 180}, {"minimum visible share", f.MinVisible, 1}} {
		if !(v.v >= 0 && v.v <= v.most) {
			return fmt.Errorf("invalid %s %v: must be from 0 to %v", v.name, v.v, v.most)
		}
	}
	return nil
}

func (f Filter) size(t *TrueFace) bool { return t.size() >= f.MinSize }

func (f Filter) yaw(t *TrueFace) bool { return !(math.Abs(t.Yaw) > f.MaxYaw) }

func (f Filter) visible(t *TrueFace) bool { return t.Visible >= f.MinVisible }

// Options are the options of Score.
type Options struct {
	Filter Filter
	// Cover is what should have been obscured; empty is CoverFaces.
	Cover Cover
	// ReportFirst and TruthFirst are the numbers of the first frame in reports and
	// truths; nil means 0, and that a file that seems to start elsewhere is an error.
	ReportFirst, TruthFirst *int
	// Rotate is by how much the truth is turned clockwise: a turned camera's truth is of its
	// own pictures, and its video is upright. Labelled stills cannot be turned.
	Rotate geom.Rotation
	// IgnorePTS matches frames by their numbers only.
	IgnorePTS bool
}

func (o Options) check() error {
	for _, first := range []*int{o.ReportFirst, o.TruthFirst} {
		if first != nil && (*first < 0 || *first > math.MaxInt32) {
			return errors.New("invalid number of the first frame: must not be negative")
		}
	}
	if o.Cover != "" && !slices.Contains(Covers(), o.Cover) {
		return fmt.Errorf("invalid cover %.20q: must be faces, people or motion", string(o.Cover))
	}
	if err := o.Rotate.Check(); err != nil {
		return err
	}
	return o.Filter.check()
}

// bucket is a range of faces.
type bucket struct {
	name string
	to   float64 // exclusive
}

var sizeBuckets = []bucket{{"<16", 16}, {"16–24", 24}, {"24–48", 48}, {"48–96", 96}, {"96–200", 200}, {"≥200", math.Inf(1)}}

// A yaw of exactly 45° belongs to the bucket up to 45°, as in the filter.
var yawBuckets = []bucket{
	{"0–15", math.Nextafter(15, 16)}, {"15–45", math.Nextafter(45, 46)}, {"45–75", math.Nextafter(75, 76)}, {">75", math.Inf(1)}, {"unknown", 0},
}

// noFace is the row of regions without a face.
const noFace = "no face"

func sizeBucket(t *TrueFace) int {
	for i, b := range sizeBuckets {
		if t.size() < b.to {
			return i
		}
	}
	return len(sizeBuckets) - 1
}

func yawBucket(t *TrueFace) int {
	if math.IsNaN(t.Yaw) {
		return len(yawBuckets) - 1
	}
	for i, b := range yawBuckets {
		if math.Abs(t.Yaw) < b.to {
			return i
		}
	}
	return len(yawBuckets) - 1
}
