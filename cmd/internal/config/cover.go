package config

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"scrim/transport"
)

// Cover is what is obscured.
type Cover string

// The covers.
const (
	CoverFaces  Cover = "faces"
	CoverPeople Cover = "people"
	CoverMotion Cover = "motion"
)

// UnmarshalText accepts one of the covers.
func (c *Cover) UnmarshalText(text []byte) error { return choose(c, text, "cover", covers...) }

// WhenBlind is what a blind camera shows.
type WhenBlind string

// What it may show.
const (
	// WhenBlindMotion is its picture, with everything covered that moves.
	WhenBlindMotion WhenBlind = "motion"
	// WhenBlindSlate is a slate.
	WhenBlindSlate WhenBlind = "slate"
	// WhenBlindWarn is its picture.
	WhenBlindWarn WhenBlind = "warn"
)

// UnmarshalText accepts one of them.
func (w *WhenBlind) UnmarshalText(text []byte) error {
	return choose(w, text, "when_blind", whenBlinds...)
}

var (
	covers     = []Cover{CoverFaces, CoverPeople, CoverMotion}
	whenBlinds = []WhenBlind{WhenBlindMotion, WhenBlindSlate, WhenBlindWarn}
)

// The bounds of a Need, in pixels and in percent of the picture's height. From
// RiskyNeedPercent on a face may be recognised that need not be found.
const (
	minNeedPixels    = 8
	maxNeedPixels    = 1000
	minNeedPercent   = 1
	maxNeedPercent   = 50
	RiskyNeedPercent = transport.RiskyNeedPercent
)

// Need is the height from which on faces must be found: Pixels, or if that is 0, Percent
// of the picture's height.
type Need struct {
	Pixels  int
	Percent float64
}

// UnmarshalText accepts "48px" and "5%".
func (n *Need) UnmarshalText(text []byte) error {
	s := string(text)
	if number, ok := strings.CutSuffix(s, "px"); ok {
		if v, err := strconv.Atoi(number); err == nil && v >= minNeedPixels && v <= maxNeedPixels {
			*n = Need{Pixels: v}
			return nil
		}
	}
	if number, ok := strings.CutSuffix(s, "%"); ok {
		if v, err := parseDecimal(number); err == nil && v >= minNeedPercent && v <= maxNeedPercent {
			*n = Need{Percent: v}
			return nil
		}
	}
	return fmt.Errorf("invalid need %q: must be a height from %dpx to %dpx, or from %d%% to %d%% of the picture's height",
		clip(text), minNeedPixels, maxNeedPixels, minNeedPercent, maxNeedPercent)
}

// String returns the height with its unit.
func (n Need) String() string {
	if n.Pixels > 0 {
		return fmt.Sprintf("%dpx", n.Pixels)
	}
	return strconv.FormatFloat(n.Percent, 'f', -1, 64) + "%"
}

// minAbsorb is the least AbsorbTime other than 0.
const minAbsorb = 10 * time.Second

// AbsorbTime is how long what stands still stays covered; 0: forever.
type AbsorbTime time.Duration

// UnmarshalText accepts 0 and durations from 10s.
func (a *AbsorbTime) UnmarshalText(text []byte) error {
	if string(text) == "0" {
		*a = 0
		return nil
	}
	v, err := time.ParseDuration(string(text))
	if err != nil || v != 0 && v < minAbsorb {
		return fmt.Errorf("invalid absorb time %q: must be at least %v, such as 10m, or 0 forever", clip(text), minAbsorb)
	}
	*a = AbsorbTime(v)
	return nil
}

// String returns the time with its unit.
func (a AbsorbTime) String() string { return time.Duration(a).String() }

// The bounds of a SightInterval.
const (
	minSightInterval = time.Second
	maxSightInterval = time.Minute
)

// SightInterval is the time between two sight tests.
type SightInterval time.Duration

// UnmarshalText accepts durations from 1s to 1m.
func (i *SightInterval) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	if err != nil || v < minSightInterval || v > maxSightInterval {
		return fmt.Errorf("invalid interval of sight tests %q: must be from %v to %v, such as 10s", clip(text), minSightInterval, maxSightInterval)
	}
	*i = SightInterval(v)
	return nil
}

// String returns the interval with its unit.
func (i SightInterval) String() string { return time.Duration(i).String() }
