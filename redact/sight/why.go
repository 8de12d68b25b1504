package sight

import "scrim/redact/condition"

// Why it is not proved that the detector sees. These are all there are.
const (
	// WhyUntested: the condition left what was proved, and the next test has not run yet.
	WhyUntested = "not tested yet"
	// WhyCovered: there is nothing in the picture. The lens is covered, or sprayed.
	WhyCovered     = "covered"
	WhyTooDark     = "too dark"
	WhyTooBright   = "too bright"
	WhyTooNoisy    = "too noisy"
	WhyBlurred     = "blurred"
	WhyLowContrast = "low contrast"
	// WhyNotFound: painted faces are not found, though the picture's condition is good.
	WhyNotFound = "faces are not found"
)

// Whys lists them.
func Whys() []string {
	return []string{WhyUntested, WhyCovered, WhyTooDark, WhyTooBright, WhyTooNoisy, WhyBlurred, WhyLowContrast, WhyNotFound}
}

// A picture is named after what is worst, as a multiple of these.
const (
	darkLevel     = 70   // Bright is below
	whiteShare    = 0.2  // Clipped is above, where the median is brightMedian or more
	brightMedian  = 170  // levels
	noiseLevel    = 8    // Noise is above, in levels at the detector's scale
	blurShare     = 0.06 // Blur is above this share of the height of the faces that are needed
	contrastLevel = 60   // Range is below
)

// emptyContrast and emptyRange are the contrast and range of levels below which there is nothing
// in a picture: noise adds noiseRange times its deviation to its range.
const (
	emptyContrast = 2.0
	emptyRange    = 10.0
	noiseRange    = 1.5
)

// empty reports whether nothing can be made out in a picture. In one that is nearly black it may
// only be dark.
func empty(c condition.Condition) bool {
	return c.Contrast < emptyContrast && c.Range() < emptyRange+noiseRange*c.Noise
}

// why returns the word for a condition in which faces of need pixels are not found. scale is by how
// much the detector's input is smaller than the picture.
func why(c condition.Condition, need, scale float64) string {
	bright := 0.0
	if c.Median >= brightMedian {
		bright = c.Clipped / whiteShare
	}
	worst, word := 1.0, WhyNotFound
	for _, cause := range []struct {
		badness float64
		word    string
	}{
		{darkLevel / max(c.Bright, 1), WhyTooDark},
		{bright, WhyTooBright},
		{c.Noise / scale / noiseLevel, WhyTooNoisy},
		{c.Blur / max(blurShare*need, 1), WhyBlurred},
		// In the dark the range is small, too.
		{contrastLevel / max(c.Range(), 1) * min(c.Bright/darkLevel, 1), WhyLowContrast},
	} {
		if cause.badness > worst {
			worst, word = cause.badness, cause.word
		}
	}
	if empty(c) && c.Bright >= emptyRange*2 {
		return WhyCovered
	}
	return word
}
