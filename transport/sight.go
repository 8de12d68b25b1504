package transport

import (
	"fmt"
	"slices"
	"time"
)

// BlindReason is why it is not proved that the detector sees in a camera's pictures. There
// are a few, for counting.
type BlindReason string

// The reasons.
const (
	BlindDark     BlindReason = "too dark"
	BlindBright   BlindReason = "too bright"
	BlindNoisy    BlindReason = "too noisy"
	BlindBlurred  BlindReason = "blurred"
	BlindContrast BlindReason = "low contrast"
	// BlindCovered: there is nothing in the picture. The lens is covered, or sprayed.
	BlindCovered BlindReason = "covered"
	// BlindUntested: the picture has changed, and was not tested yet.
	BlindUntested BlindReason = "not tested yet"
	// BlindNotFound: painted faces are not found, though the picture is good.
	BlindNotFound BlindReason = "faces are not found"
	// BlindOther is everything else.
	BlindOther BlindReason = "other"
)

var blindReasons = []BlindReason{
	BlindDark, BlindBright, BlindNoisy, BlindBlurred, BlindContrast, BlindCovered, BlindUntested, BlindNotFound, BlindOther,
}

// BlindReasons returns all reasons.
func BlindReasons() []BlindReason { return slices.Clone(blindReasons) }

// Known returns r if it is empty or one of BlindReasons, and BlindOther otherwise: other
// processes are not trusted.
func (r BlindReason) Known() BlindReason {
	if r == "" || slices.Contains(blindReasons, r) {
		return r
	}
	return BlindOther
}

// CoveredBy is what hides people from viewers.
type CoveredBy string

// What may hide them.
const (
	// CoveredByFaces, CoveredByPeople: faces that were found are covered, or also the
	// bodies below them.
	CoveredByFaces  CoveredBy = "faces"
	CoveredByPeople CoveredBy = "people"
	// CoveredByMotion: everything is covered that differs from the learned background.
	CoveredByMotion CoveredBy = "motion"
	// CoveredBySlate: no picture is shown.
	CoveredBySlate CoveredBy = "slate"
)

// Known returns c if it is one of the constants, and the empty CoveredBy otherwise.
func (c CoveredBy) Known() CoveredBy {
	switch c {
	case CoveredByFaces, CoveredByPeople, CoveredByMotion, CoveredBySlate:
		return c
	}
	return ""
}

// The bounds of a Sight.
const (
	// MaxSightParts bounds the parts of a picture.
	MaxSightParts = 32
	// maxFaceSize bounds sizes of faces, in pixels.
	maxFaceSize = 2 * MaxSide
	// maxDetectSize bounds the size of the detector's input, in pixels.
	maxDetectSize = MaxSide
)

// faceSizes are the least heights of the size classes of faces, in pixels. Each is about
// a quarter more than the one before.
var faceSizes = [...]int{8, 10, 13, 16, 20, 25, 32, 40, 50, 64, 80, 100, 128, 160, 200, 256}

// FaceSizeClasses is the number of size classes.
const FaceSizeClasses = len(faceSizes)

// FaceSizes returns the least height of each size class of faces, in pixels. The first
// class has the smaller ones, too.
func FaceSizes() []int { return slices.Clone(faceSizes[:]) }

// FaceSizeClass returns the number of the size class of a face of that height in pixels.
func FaceSizeClass(height float64) int {
	i := 0
	for i+1 < len(faceSizes) && height >= float64(faceSizes[i+1]) {
		i++
	}
	return i
}

// Sight is what is known of how small the faces are that are found in a camera's
// pictures, from the sight tests of its redactor. Sizes are heights of faces in pixels of
// the picture; 0: unknown, or nothing is found with certainty.
type Sight struct {
	// Size is the sight: from that size on faces are found with certainty. It is the
	// worse of Painted, by faces that are painted into the camera's pictures, and Table,
	// by their condition.
	Size    float64 `json:"size"`
	Painted float64 `json:"painted,omitempty"`
	Table   float64 `json:"table,omitempty"`
	// Need is the size from which on they must be found.
	Need float64 `json:"need"`
	// Proved is set if the sight is no worse than Need in the last picture. If not, Why
	// says why.
	Proved bool        `json:"proved"`
	Why    BlindReason `json:"why,omitempty"`
	// Tested is when the last sight test ended.
	Tested time.Time `json:"tested,omitzero"`
	// Warning is what an operator must know, in one line.
	Warning string `json:"warning,omitempty"`
	// Condition is that of the last picture; nil: unknown, or left out.
	Condition *Condition `json:"condition,omitempty"`
	// DetectSize is the longer side of the detector's input in pixels. Tiles is set if it
	// looks everywhere in the picture's own resolution, too.
	DetectSize int  `json:"detect_size,omitempty"`
	Tiles      bool `json:"tiles,omitempty"`
	// Cols and Rows divide the picture into parts, which Parts lists row by row; 0: they
	// are unknown, or left out.
	Cols  int         `json:"cols,omitempty"`
	Rows  int         `json:"rows,omitempty"`
	Parts []SightPart `json:"parts,omitempty"`
}

// SightPart is a part of the picture.
type SightPart struct {
	// Size is the sight there.
	Size float64 `json:"size"`
	// Faces counts the faces that were found there in the last day, by size class; see
	// FaceSizes. A face counts once in each class. Nil: none.
	Faces []uint32 `json:"faces,omitempty"`
}

// Condition is what was measured of a picture: levels from 0 (black) to 255 (white),
// noise and contrast as standard deviations in levels.
type Condition struct {
	// Dark, Median and Bright are the levels below which 1, 50 and 99 % of the picture are.
	Dark     float64 `json:"dark"`
	Median   float64 `json:"median"`
	Bright   float64 `json:"bright"`
	Contrast float64 `json:"contrast"`
	Noise    float64 `json:"noise"`
	// Blur is the standard deviation of a Gaussian in pixels; 0: unknown.
	Blur float64 `json:"blur"`
	// Clipped is the share of pixels that are as black or as white as can be.
	Clipped float64 `json:"clipped"`
}

// Check checks a Sight from another process against its bounds.
func (s *Sight) Check() error {
	for _, size := range []float64{s.Size, s.Painted, s.Table, s.Need} {
		if err := checkFaceSize(size); err != nil {
			return err
		}
	}
	if c := s.Condition; c != nil {
		for _, level := range []float64{c.Dark, c.Median, c.Bright, c.Contrast, c.Noise, c.Blur, 255 * c.Clipped} {
			if !(level >= 0 && level <= 255) {
				return fmt.Errorf("sight: condition with %g, which is not within 0 to 255", level)
			}
		}
	}
	if s.DetectSize < 0 || s.DetectSize > maxDetectSize {
		return fmt.Errorf("sight: detector size %d is not within 0 to %d", s.DetectSize, maxDetectSize)
	}
	if s.Cols < 0 || s.Rows < 0 || s.Cols > MaxSightParts || s.Rows > MaxSightParts || s.Cols*s.Rows > MaxSightParts || len(s.Parts) != s.Cols*s.Rows {
		return fmt.Errorf("sight: %d parts of %dx%d", len(s.Parts), s.Cols, s.Rows)
	}
	for _, p := range s.Parts {
		if err := checkFaceSize(p.Size); err != nil {
			return err
		}
		if len(p.Faces) != 0 && len(p.Faces) != FaceSizeClasses {
			return fmt.Errorf("sight: faces of %d size classes instead of %d", len(p.Faces), FaceSizeClasses)
		}
	}
	return nil
}

func checkFaceSize(size float64) error {
	if !(size >= 0 && size <= maxFaceSize) { // so written for NaN
		return fmt.Errorf("sight: size of %g pixels is not within 0 to %d", size, maxFaceSize)
	}
	return nil
}

// Summary returns s without Condition and parts; nil for nil.
func (s *Sight) Summary() *Sight {
	if s == nil {
		return nil
	}
	out := *s
	out.Condition, out.Cols, out.Rows, out.Parts = nil, 0, 0, nil
	return &out
}

// RiskyNeedPercent is the share of the picture's height above which a need is risky, in
// percent: smaller faces may be recognised.
const RiskyNeedPercent = 8

// recognisableFace is the height in pixels below which a need is never risky: so small a
// face is not recognised.
const recognisableFace = 20

// RiskyNeedText says so to operators.
const RiskyNeedText = "need is above 8 % of the picture's height: smaller faces may be recognised and not found; lower need"

// NeedIsRisky reports whether what must be found is above RiskyNeedPercent, and smaller
// faces may be recognised.
func (s *Status) NeedIsRisky() bool {
	return s.Sight != nil && s.Height > 0 && s.Sight.Need > recognisableFace && 100*s.Sight.Need > RiskyNeedPercent*float64(s.Height)
}
