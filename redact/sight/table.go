package sight

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"math"
	"regexp"

	"scrim/redact/condition"
)

// tables is written by pipeline/measure/sightfit.
//
//go:embed table.json
var tables []byte

// Table says from which size on a detector finds faces, by the condition of the picture.
// It is fitted on degraded photographs, for the weights of one network.
type Table struct {
	// Model is the network's name for people, and SHA256 the hash of its weights in hex.
	Model  string `json:"model"`
	SHA256 string `json:"sha256"`
	// Clean is the size in clean pictures: the height of a face in pixels of the
	// detector's input.
	Clean float64 `json:"clean"`
	// Base is the size from which the curves count, up or down to Clean: that of the faces that
	// are found in the clean picture, in one that is as good.
	Base float64 `json:"base"`
	// Largest is the largest size that was measured. What is beyond it is not known.
	Largest float64 `json:"largest"`
	// The curves say by how many octaves the size grows: with the noise as a share of the
	// contrast, with the contrast in levels, with the blur in pixels of the picture
	// that was measured, and with the share of overexposed pixels.
	Noise    Curve `json:"noise"`
	Contrast Curve `json:"contrast"`
	Blur     Curve `json:"blur"`
	White    Curve `json:"white"`
	// UnknownBlur is by how many octaves it grows if noise hides how sharp the picture is.
	UnknownBlur float64 `json:"unknown_blur"`
}

// Point is a point of a Curve.
type Point struct {
	X       float64 `json:"x"`
	Octaves float64 `json:"octaves"`
}

// Curve is linear between its points, which are in the order of X, and level outside.
type Curve []Point

// At returns the curve's value at x.
func (c Curve) At(x float64) float64 {
	if len(c) == 0 {
		return 0
	}
	if !(x > c[0].X) {
		return c[0].Octaves
	}
	for i := 1; i < len(c); i++ {
		if a, b := c[i-1], c[i]; x < b.X {
			return a.Octaves + (b.Octaves-a.Octaves)*(x-a.X)/(b.X-a.X)
		}
	}
	return c[len(c)-1].Octaves
}

// Features are what a Table looks at, of a condition.
type Features struct {
	// NoiseShare is the noise as a share of the contrast.
	NoiseShare float64
	// Contrast is in levels.
	Contrast float64
	// Blur is in pixels; 0: unknown.
	Blur float64
	// White is the share of pixels that are overexposed, 0 to 1.
	White float64
}

const (
	// leastContrast is the contrast that a picture of one colour counts as, in levels.
	leastContrast = 0.25
	// Clipped pixels count as white, and as overexposed, where the median is whiteMedian, and not
	// at all where it is greyMedian: noise clips many in the dark, and a white wall may be right.
	greyMedian, whiteMedian = 150, 250
)

// FeaturesOf returns the features of a condition.
func FeaturesOf(c condition.Condition) Features {
	contrast := max(c.Contrast, leastContrast)
	white := min(max((c.Median-greyMedian)/(whiteMedian-greyMedian), 0), 1)
	return Features{NoiseShare: c.Noise / contrast, Contrast: contrast, Blur: c.Blur, White: white * c.Clipped}
}

// Effects are by how many octaves a condition makes the size larger, by cause.
type Effects struct{ Noise, Contrast, Blur, White float64 }

// Octaves returns by how many octaves all of them make the size larger: the root of the sum of their
// squares. Two small ones are less than their sum, and next to a large one small ones
// hardly count, as with blurs and noises.
func (e Effects) Octaves() float64 {
	return math.Sqrt(e.Noise*e.Noise + e.Contrast*e.Contrast + e.Blur*e.Blur + e.White*e.White)
}

// Effects returns what each of the features does.
func (t *Table) Effects(f Features) Effects {
	e := Effects{Noise: t.Noise.At(f.NoiseShare), Contrast: t.Contrast.At(f.Contrast), White: t.White.At(f.White), Blur: t.UnknownBlur}
	if f.Blur > 0 {
		e.Blur = t.Blur.At(f.Blur)
	}
	return e
}

// Size returns the size from which on faces are found with certainty in pictures of that
// condition: the height of a face in pixels of the picture that was measured, which must have
// the scale of the detector's input. It is infinite if it or the condition is beyond what was
// measured.
func (t *Table) Size(c condition.Condition) float64 {
	f := FeaturesOf(c)
	size := max(t.Clean, t.Base*math.Exp2(t.Effects(f).Octaves()))
	if f.NoiseShare > t.Noise.last() || f.Contrast < t.Contrast[0].X || f.Blur > t.Blur.last() || f.White > t.White.last() || !(size <= t.Largest) {
		return math.Inf(1)
	}
	return size
}

// last returns where the curve ends.
func (c Curve) last() float64 { return c[len(c)-1].X }

// FindTable returns the table of the network whose weights have that SHA-256, in hex; nil
// if none was fitted.
func FindTable(sha256 string) (*Table, error) {
	all, err := ParseTables(tables)
	if err != nil {
		return nil, fmt.Errorf("built-in table of sights: %w", err)
	}
	for i := range all {
		if all[i].SHA256 == sha256 {
			return &all[i], nil
		}
	}
	return nil, nil
}

// ParseTables reads tables, and checks that they make sense.
func ParseTables(data []byte) ([]Table, error) {
	var file struct {
		Tables []Table `json:"tables"`
	}
	if err := json.Unmarshal(data, &file); err != nil {
		return nil, err
	}
	for i := range file.Tables {
		t := &file.Tables[i]
		if err := t.check(); err != nil {
			return nil, fmt.Errorf("table of %s: %w", t.Model, err)
		}
	}
	return file.Tables, nil
}

// FormatTables returns the text of a file of tables, which ParseTables reads.
func FormatTables(all []Table) ([]byte, error) {
	data, err := json.MarshalIndent(map[string][]Table{"tables": all}, "", "  ")
	if err != nil {
		return nil, err
	}
	return append(pointRE.ReplaceAll(data, []byte("{ $1, $2 }")), '\n'), nil
}

// pointRE is a point over several lines.
var pointRE = regexp.MustCompile(`\{\s+("x": [^,]+),\s+("octaves": \S+)\s+\}`)

// check reports what is wrong with t. A worse condition never makes a smaller size.
func (t *Table) check() error {
	if len(t.SHA256) != 64 || !(t.Clean > 0) || !(t.Base > 0) || !(t.Largest >= t.Clean) || !(t.UnknownBlur >= 0) {
		return fmt.Errorf("hash %.70q, clean size %v, base %v, largest %v or unknown blur %v make no sense", t.SHA256, t.Clean, t.Base, t.Largest, t.UnknownBlur)
	}
	for _, c := range []struct {
		name    string
		curve   Curve
		falling bool
	}{{"noise", t.Noise, false}, {"contrast", t.Contrast, true}, {"blur", t.Blur, false}, {"white", t.White, false}} {
		if len(c.curve) == 0 {
			return fmt.Errorf("the curve of %s has no point", c.name)
		}
		for i, p := range c.curve {
			if !(p.Octaves >= 0) || i > 0 && (!(p.X > c.curve[i-1].X) || (p.Octaves-c.curve[i-1].Octaves)*sign(c.falling) < 0) {
				return fmt.Errorf("the curve of %s is out of order at point %d", c.name, i)
			}
		}
	}
	return nil
}

func sign(falling bool) float64 {
	if falling {
		return -1
	}
	return 1
}
