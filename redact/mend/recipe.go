package mend

import (
	"math"

	"scrim/redact/condition"
)

// Recipe says how pictures are mended. The zero Recipe leaves them as they are.
type Recipe struct {
	// Low and High are the levels between which most of the picture lies, 0 to 255 in
	// full range; they are stretched apart. High is 0 where nothing is stretched.
	Low, High float64
	// Noise is the standard deviation of the noise in levels, before anything is
	// stretched; 0 where nothing is smoothed.
	Noise float64
}

const (
	// Pictures are stretched whose range is below poorRange, until it is fineRange, in
	// levels.
	poorRange, fineRange = 110, 130
	// The median of a picture lies within closeMedian of the darkest or the brightest
	// part where half of the picture or more is too dark or too bright, whatever lies in
	// the rest; until it is clearMedian away. Then medianSpan times the distance is stretched.
	closeMedian, clearMedian = 18, 23
	medianSpan               = 4
	// Cells stray that lie farther outside the range that is stretched than strayShare of it,
	// and strayNoise times the noise. A part in which leastStrays of them do is looked at
	// as it is, too.
	strayShare  = 0.25
	strayNoise  = 1.5
	leastStrays = 4
	// leastRange is the least range in levels that is stretched: in less there is
	// nothing to see.
	leastRange = 8
	// tail is how many levels of the mended picture are left for each e-fold of light above
	// High, and of its lack below Low.
	tail = 30
	// Noise is smoothed from loudNoise on, until it is below quietNoise, in levels
	// after stretching.
	loudNoise, quietNoise = 6, 4.5
	// The deviation of the Gaussian is leastSigma pixels, more by sigmaLevel for each level
	// of noise after stretching, and mostSigma at most.
	leastSigma, sigmaLevel, mostSigma = 0.4, 0.036, 2
	// From codedGain on what a codec has left of the noise is stretched as well: it is
	// coarser than noise, and hardly measured. Such pictures are smoothed by codedSigma
	// at least, and looked at a second time, smoothed by softSigma, or softMore more.
	codedGain           = 4
	codedSigma          = 0.7
	softSigma, softMore = 1.6, 0.5
	// A recipe is kept until what is measured differs by drift, as a share: whenever it
	// changes everything is inspected again.
	drift = 0.2
	// maxChroma is the most by which colours are strengthened.
	maxChroma = 12
)

// Choose returns the recipe for pictures of condition c. was is the recipe of the pictures
// before: small changes keep it. The noise must have been measured in the copy that is mended.
func Choose(c condition.Condition, was Recipe) Recipe {
	r := stretching(c, was)
	if was.High > 0 && r.High > 0 && r.near(was) {
		r.Low, r.High = was.Low, was.High
	}
	return r.WithNoise(c.Noise, was)
}

// WithNoise returns r for a copy of the same picture at another scale, in which noise was
// measured. was is the recipe of that copy before.
func (r Recipe) WithNoise(noise float64, was Recipe) Recipe {
	limit := float64(loudNoise)
	if was.Noise > 0 {
		limit = quietNoise
	}
	r.Noise = 0
	if noise*r.gain() < limit {
		return r
	}
	r.Noise = noise
	if math.Abs(noise-was.Noise) <= drift*was.Noise {
		r.Noise = was.Noise
	}
	return r
}

// stretching returns the part of the recipe that is about brightness.
func stretching(c condition.Condition, was Recipe) (r Recipe) {
	near, poor := float64(closeMedian), float64(poorRange)
	if was.High > 0 {
		near, poor = clearMedian, fineRange
	}
	low, high := c.Dark, c.Bright
	switch above, below := c.Bright-c.Median, c.Median-c.Dark; {
	case below < near && below <= above:
		high = min(high, c.Dark+max(medianSpan*below, leastRange))
	case above < near:
		low = max(low, c.Bright-max(medianSpan*above, leastRange))
	}
	if high-low >= poor {
		return Recipe{}
	}
	if high-low < leastRange {
		middle := min(max((low+high)/2, leastRange/2), 255-leastRange/2)
		low, high = middle-leastRange/2, middle+leastRange/2
	}
	return Recipe{Low: low, High: high}
}

// near reports whether the range to be stretched is about the same.
func (r Recipe) near(o Recipe) bool {
	least := drift * (o.High - o.Low)
	return math.Abs(r.Low-o.Low) <= least && math.Abs(r.High-o.High) <= least
}

// ends returns what Low and High become.
func (r Recipe) ends() (low, high float64) {
	return tail * math.Log(255/(255-r.Low)), 255 - tail*math.Log(255/r.High)
}

// Slope returns the factor by which differences of levels grow at a level.
func (r Recipe) Slope(level float64) float64 {
	switch {
	case r.High == 0:
		return 1
	case level < r.Low:
		return tail / (255 - max(level, 0))
	case level > r.High:
		return tail / min(level, 255)
	}
	return r.gain()
}

// gain returns by how much levels between Low and High are stretched.
func (r Recipe) gain() float64 {
	if r.High == 0 {
		return 1
	}
	low, high := r.ends()
	return (high - low) / (r.High - r.Low)
}

// Level returns what a level becomes when it is mended. Both are 0 to 255.
func (r Recipe) Level(l float64) float64 {
	if r.High == 0 {
		return l
	}
	low, high := r.ends()
	switch {
	case l < r.Low:
		return tail * math.Log(255/(255-max(l, 0)))
	case l > r.High:
		return 255 - tail*math.Log(255/min(l, 255))
	}
	return low + (l-r.Low)*(high-low)/(r.High-r.Low)
}

// chroma returns the factor of the colours.
func (r Recipe) chroma() float64 { return min(max(r.gain(), 1), maxChroma) }

// coded reports whether what a codec has left counts.
func (r Recipe) coded() bool { return r.High > 0 && (r.gain() >= codedGain || r.Noise > 0) }

// Sigma returns the deviation of the Gaussian of a look in pixels; 0: nothing is smoothed.
func (r Recipe) Sigma(of Look) (sigma float64) {
	if of == Plain {
		return 0
	}
	if r.Noise > 0 {
		sigma = min(leastSigma+sigmaLevel*r.Noise*r.gain(), mostSigma)
	}
	if r.coded() {
		sigma = max(sigma, codedSigma)
	}
	if of == Soft {
		sigma = min(max(sigma+softMore, softSigma), mostSigma)
	}
	return sigma
}

// Look is one of the copies in which a part of a picture is looked at.
type Look int

// The looks.
const (
	// Plain is the picture as it is.
	Plain Look = iota
	// Mended is stretched and smoothed as the noise needs.
	Mended
	// Soft is Mended, smoothed more.
	Soft
	looks
)
