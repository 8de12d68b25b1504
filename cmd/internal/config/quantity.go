package config

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"scrim/redact/geom"
)

// Duration is a time span, written with its unit: 250ms, 2s, 1m30s.
type Duration time.Duration

// UnmarshalText accepts the positive durations that time.ParseDuration accepts.
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	if err != nil || v <= 0 {
		return fmt.Errorf("invalid duration %q: must be positive and have a unit, such as 250ms or 2s", clip(text))
	}
	*d = Duration(v)
	return nil
}

// String returns the span with its unit.
func (d Duration) String() string { return time.Duration(d).String() }

// Bitrate is a bit rate in bit/s; 0 chooses it by picture size.
type Bitrate int

// MinBitrate and MaxBitrate bound a Bitrate, in bit/s.
const (
	MinBitrate = 64_000
	MaxBitrate = 100_000_000
)

// UnmarshalText accepts "auto", "4Mbit/s", "800kbit/s", "1.5 Mbit/s" or a number
// of bit/s.
func (b *Bitrate) UnmarshalText(text []byte) error {
	s := strings.TrimSpace(string(text))
	if s == "auto" {
		*b = 0
		return nil
	}
	factor := 1.0
	for _, u := range []struct {
		suffix string
		factor float64
	}{{"Mbit/s", 1e6}, {"kbit/s", 1e3}, {"bit/s", 1}} {
		if rest, ok := strings.CutSuffix(s, u.suffix); ok {
			s, factor = strings.TrimSpace(rest), u.factor
			break
		}
	}
	v, err := parseDecimal(s)
	if err != nil {
		return fmt.Errorf("invalid bit rate %q: must be 4Mbit/s, 800kbit/s, a number of bit/s, or auto", clip(text))
	}
	// Written so that NaN fails as well.
	if v *= factor; !(v >= MinBitrate && v <= MaxBitrate) {
		return fmt.Errorf("invalid bit rate %q: must be from 64kbit/s to 100Mbit/s", clip(text))
	}
	*b = Bitrate(v)
	return nil
}

// String returns the rate with its unit.
func (b Bitrate) String() string {
	switch {
	case b == 0:
		return "auto"
	case b%1_000_000 == 0:
		return fmt.Sprintf("%dMbit/s", b/1_000_000)
	case b%1000 == 0:
		return fmt.Sprintf("%dkbit/s", b/1000)
	}
	return fmt.Sprintf("%dbit/s", int(b))
}

// The bounds of a DetectSize, and the number that it must be a multiple of.
const (
	minDetectSize = 160
	maxDetectSize = 1920
	detectStride  = 32
)

// DetectSize is the longer side of the detector's input, in pixels: a multiple
// of 32 (the largest stride of YuNet) from 160 to 1920.
type DetectSize int

// UnmarshalText accepts a decimal number.
func (s *DetectSize) UnmarshalText(text []byte) error {
	v, err := strconv.Atoi(string(text))
	if err != nil || v%detectStride != 0 || v < minDetectSize || v > maxDetectSize {
		return fmt.Errorf("invalid detector size %q: must be a multiple of 32 from 160 to 1920, such as 640", clip(text))
	}
	*s = DetectSize(v)
	return nil
}

// MaxLookahead bounds the look-ahead, in pictures.
const MaxLookahead = 30

// Lookahead is a number of pictures, 0 to MaxLookahead.
type Lookahead int

// UnmarshalText accepts an integer.
func (l *Lookahead) UnmarshalText(text []byte) error {
	return integer(l, text, 0, MaxLookahead, "look-ahead", fmt.Sprintf("a number of pictures from 0 to %d", MaxLookahead))
}

// Rotation is a geom.Rotation in degrees.
type Rotation geom.Rotation

// UnmarshalText accepts 0, 90, 180 and 270.
func (r *Rotation) UnmarshalText(text []byte) error {
	v, err := strconv.Atoi(string(text))
	if err != nil || geom.Rotation(v).Check() != nil {
		return fmt.Errorf("invalid rotation %q: must be 0, 90, 180 or 270, the degrees by which to turn the picture clockwise", clip(text))
	}
	*r = Rotation(v)
	return nil
}

// Rotation returns r as a geom.Rotation.
func (r Rotation) Rotation() geom.Rotation { return geom.Rotation(r) }

// The bounds of a Threshold.
const (
	minThreshold = 0.05
	maxThreshold = 0.95
)

// Threshold is a detector's score, from 0.05 to 0.95.
type Threshold float64

// UnmarshalText accepts a decimal fraction.
func (t *Threshold) UnmarshalText(text []byte) error {
	return decimal(t, text, minThreshold, maxThreshold, "threshold", "a number from 0.05 to 0.95; 0.3 is recommended")
}

// maxPadding bounds a Padding.
const maxPadding = 2

// Padding is a fraction of a face's size, from 0 to 2.
type Padding float64

// UnmarshalText accepts a decimal fraction.
func (p *Padding) UnmarshalText(text []byte) error {
	return decimal(p, text, 0, maxPadding, "padding", "a fraction of the face from 0 to 2, such as 0.3")
}

// maxCells bounds Cells.
const maxCells = 32

// Cells is a number of cells along the longer side of a region, from 1 to 32.
type Cells int

// UnmarshalText accepts a decimal number.
func (c *Cells) UnmarshalText(text []byte) error {
	return integer(c, text, 1, maxCells, "number of cells", "from 1 to 5, or up to 32 with cosmetic: true")
}

// maxPort is the highest UDP port.
const maxPort = 65535

// Port is a UDP port; 0 means any.
type Port uint16

// UnmarshalText accepts a decimal number.
func (p *Port) UnmarshalText(text []byte) error {
	return integer(p, text, 0, maxPort, "port", "a number from 0 to 65535")
}

// integer stores a number within bounds. The error reads "invalid NOUN: must be RULE".
func integer[T ~int | ~uint16](to *T, text []byte, least, most int, noun, rule string) error {
	v, err := strconv.Atoi(string(text))
	if err != nil || v < least || v > most {
		return fmt.Errorf("invalid %s %q: must be %s", noun, clip(text), rule)
	}
	*to = T(v)
	return nil
}

// decimal stores a decimal fraction within bounds, as integer does.
func decimal[T ~float64](to *T, text []byte, least, most float64, noun, rule string) error {
	v, err := parseDecimal(string(text))
	if err != nil || !(v >= least && v <= most) { // so written for NaN
		return fmt.Errorf("invalid %s %q: must be %s", noun, clip(text), rule)
	}
	*to = T(v)
	return nil
}

// parseDecimal accepts digits with an optional fraction, but not the hexadecimal,
// infinity and NaN forms of strconv.
func parseDecimal(s string) (float64, error) {
	if s == "" || strings.Trim(s, "0123456789.") != "" {
		return 0, strconv.ErrSyntax
	}
	return strconv.ParseFloat(s, 64)
}

// clip bounds a value that an error quotes with %q, which shows what cannot be seen.
func clip(text []byte) string { return bound(string(text), 60) }

// bound cuts text at a rune.
func bound(text string, maxBytes int) string {
	if len(text) > maxBytes {
		return strings.ToValidUTF8(text[:maxBytes], "") + "…"
	}
	return text
}
