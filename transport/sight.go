package transport

import "slices"

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
	BlindCovered  BlindReason = "covered"
	// BlindOther is everything else.
	BlindOther BlindReason = "other"
)

var blindReasons = []BlindReason{BlindDark, BlindBright, BlindNoisy, BlindBlurred, BlindContrast, BlindCovered, BlindOther}

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
