package obscure

import (
	"cmp"
	"errors"
	"fmt"
)

// Style is how a region is made unrecognisable.
type Style string

// The styles.
const (
	// Veil fills a region smoothly from the pixels around it.
	Veil Style = "veil"
	// Blur interpolates smoothly between a few coarse, quantised cells.
	Blur Style = "blur"
	// Mosaic shows those cells.
	Mosaic Style = "mosaic"
	// Fill paints one dark grey.
	Fill Style = "fill"
)

// Bounds of what an Obscurer takes.
const (
	// DefaultCells is the number of cells along the longer side of a region
	// when none is given.
	DefaultCells = 5
	// MaxCells is the most cells along the longer side that are not known to
	// be undone.
	MaxCells = 5
	// MaxCosmeticCells is the most cells along the longer side of any region.
	MaxCosmeticCells = 64
	// DefaultFeather is the width of the band in which a region fades into its
	// surroundings, as a fraction of its longer side, when none is given, and
	// MaxFeather the most.
	DefaultFeather = 0.03
	MaxFeather     = 0.25
	// MaxRegions is the most regions in one picture: those of the tracker, and a
	// camera's zones.
	MaxRegions = 1024 + 16
)

// ErrWeak is wrapped by errors about settings that can be undone.
var ErrWeak = errors.New("obscuring that can be undone")

// ParseStyle returns the style of that name, or an error that lists them.
func ParseStyle(s string) (Style, error) {
	switch st := Style(s); st {
	case Veil, Blur, Mosaic, Fill:
		return st, nil
	}
	return "", fmt.Errorf("unknown style %q: use %s, %s, %s or %s", s, Veil, Blur, Mosaic, Fill)
}

// Options are what an Obscurer is made of.
type Options struct {
	// Style is the style; empty means Veil.
	Style Style
	// Cells is the number of cells along the longer side of a region, for Blur
	// and Mosaic. 0 means DefaultCells.
	Cells int
	// Cosmetic admits settings that can be undone.
	Cosmetic bool
	// Seed varies the noise on the cells. Anyone who knows it can take the noise
	// off, so it is best drawn at random and told to nobody.
	Seed uint64
	// Feather is the width of the band around a region in which it fades into its
	// surroundings, as a fraction of its longer side; it is 4 to 12 pixels all the
	// same, and there is none around regions below 8 pixels. The region itself is
	// obscured in full. 0 means DefaultFeather, below 0 none.
	Feather float64
	// Surface paints what Veil covers regions with; nil: code in Go.
	Surface Surface
}

// Check returns why New would refuse o; nil when it would not.
func (o Options) Check() error {
	_, err := o.check()
	return err
}

// check returns o with its defaults, or why it is refused.
func (o Options) check() (Options, error) {
	o.Style = cmp.Or(o.Style, Veil)
	o.Cells = cmp.Or(o.Cells, DefaultCells)
	o.Feather = cmp.Or(o.Feather, DefaultFeather)
	if o.Surface == nil {
		o.Surface = paintSurface
	}
	if _, err := ParseStyle(string(o.Style)); err != nil {
		return o, err
	}
	if o.Cells < 1 || o.Cells > MaxCosmeticCells {
		return o, fmt.Errorf("%d cells along a region: use 1 to %d, or up to %d where recognition is acceptable",
			o.Cells, MaxCells, MaxCosmeticCells)
	}
	if !(o.Feather <= MaxFeather) { // not a number, too
		return o, fmt.Errorf("a feather of %v of a region: use a fraction up to %v, or -1 for none", o.Feather, MaxFeather)
	}
	if cells := o.Style == Blur || o.Style == Mosaic; cells && o.Cells > MaxCells && !o.Cosmetic {
		return o, fmt.Errorf("%w: %s of %d cells can be recognised by a trained network "+
			"(McPherson, Shokri, Shmatikov: Defeating Image Obfuscation with Deep Learning, 2016; "+
			"Hill et al.: On the (In)effectiveness of Mosaicing and Blurring as Tools for Document Redaction, PoPETs 2016); "+
			"use at most %d cells, or say `cosmetic: true` where that is acceptable", ErrWeak, o.Style, o.Cells, MaxCells)
	}
	return o, nil
}
