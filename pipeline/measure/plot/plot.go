// Package plot has the plots and the look of the pages on which Scrim's measurements
// are shown. A page is self-contained: SVG, no scripts, no other files.
package plot

import (
	_ "embed" // for templates and style
	"fmt"
	"html/template"
	"math"
	"strings"
)

//go:embed plot.html
var templates string

//go:embed style.css
var style string

// Page parses a page's template. It begins with {{template "head" "title"}} and may use
//
//	{{template "rows" .Rows}}    a plot of Rows
//	{{template "lines" .Lines}}  a plot of Lines
//	{{template "key" "class"}}   a colour of a legend: covered, found, hard, exposed, line or wrong
//	{{px .Number}}               a number in SVG units
func Page(text string) *template.Template {
	return template.Must(template.Must(template.New("page").Funcs(template.FuncMap{
		"px":    func(v float64) string { return fmt.Sprintf("%.1f", v) },
		"style": func() template.CSS { return template.CSS(style) }, //nolint:gosec // ours
	}).Parse(templates)).Parse(text))
}

// Width is the width of a plot in SVG units, and margin that of the labels to its left.
const (
	Width  = 900
	margin = 220
)

// Tick is a mark on an axis.
type Tick struct {
	At    float64
	Label string
}

// maxTicks bounds the marks on an axis, without that at 0.
const maxTicks = 6

// rounding is the share by which values may differ by rounding.
const rounding = 1e-9

// Ticks returns marks at round numbers from 0 to most, over a length.
func Ticks(most, length float64, label func(float64) string) []Tick {
	if !(most > 0) {
		return nil
	}
	step := math.Pow(10, math.Floor(math.Log10(most/maxTicks)))
	for _, f := range []float64{1, 2, 5, 10} {
		if most/(step*f) <= maxTicks {
			step *= f
			break
		}
	}
	// Three times 0.1 is 0.30000000000000004, and 3 divided by 10 is 0.3.
	digits := math.Pow(10, max(0, math.Ceil(-math.Log10(step)-rounding)))
	var out []Tick
	for i := 0; float64(i)*step <= most*(1+rounding); i++ {
		v := math.Round(float64(i)*step*digits) / digits
		out = append(out, Tick{v / most * length, label(v)})
	}
	return out
}

// Rows has a row for each item, such as a bar or the spans of a person.
type Rows struct {
	// Label describes the plot for screen readers.
	Label string
	Rows  []Row
	X     []Tick
}

// Row is a row of rectangles, drawn in order.
type Row struct {
	Label string
	Parts []Part
}

// Part is a rectangle; Class is its colour.
type Part struct {
	X, W  float64
	Class string
}

// rowStep is the distance of rows, in SVG units.
const rowStep = 18

// Height returns the height of all rows.
func (r *Rows) Height() int { return max(len(r.Rows), 1) * rowStep }

// Top returns the upper edge of row i.
func (*Rows) Top(i int) int { return i * rowStep }

// Bar returns the height of a rectangle.
func (*Rows) Bar() int { return rowStep - 4 }

// ViewBox returns the area of the plot with its labels.
func (r *Rows) ViewBox() string {
	return fmt.Sprintf("%d 0 %d %d", -margin, Width+margin, r.Height())
}

// Lines has one or two lines over the same axes.
type Lines struct {
	// Label describes the plot for screen readers.
	Label string
	Lines [][]Point
	X, Y  []Tick
}

// Point is a point of a line in SVG units: X from the left, Y above the axis.
type Point struct{ X, Y float64 }

// LineHeight is the height of a plot of lines in SVG units.
const LineHeight = 180

// Width returns the width of the plot.
func (*Lines) Width() int { return Width }

// Height returns the height of the plot.
func (*Lines) Height() int { return LineHeight }

// ViewBox returns the area of the plot with its labels.
func (*Lines) ViewBox() string {
	return fmt.Sprintf("%d -10 %d %d", -margin, Width+margin, LineHeight+30)
}

// Down converts a height above the axis to SVG's coordinates, which point down.
func (*Lines) Down(y float64) float64 { return LineHeight - y }

// Points returns a line in SVG's notation.
func (*Lines) Points(line []Point) string {
	var b strings.Builder
	for _, p := range line {
		fmt.Fprintf(&b, "%g,%.1f ", math.Round(10*p.X)/10, LineHeight-p.Y)
	}
	return b.String()
}

// Scale converts a value from 0 to most to a length.
func Scale(v, most, length float64) float64 { return v / max(most, 1e-9) * length }
