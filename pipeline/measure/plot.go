package measure

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
)

// Sizes of plots in SVG units.
const (
	barStep    = 90
	barWidth   = 30
	barHeight  = 160
	plotWidth  = 900
	lineHeight = 180
	rowHeight  = 16
	plotTicks  = 6
)

// barPlot has two bars per bucket: the share that was covered and the share
// that was found.
type barPlot struct {
	Title  string
	Width  int
	Bars   []bar
	Height int
}

type bar struct {
	X, Middle        float64
	Name             string
	Faces            int
	Covered, Found   float64 // heights
	CoveredY, FoundY float64
	Known            bool
	Share, Recall    string
}

func newBars(title string, groups []Group) barPlot {
	p := barPlot{Title: title, Height: barHeight}
	for _, g := range groups {
		if g.Name == noFace {
			continue
		}
		b := bar{
			X: float64(barStep*len(p.Bars)) + 15, Name: g.Name, Faces: g.Faces, Known: g.Faces > 0,
			Share: g.CoveredShare.Percent(), Recall: g.Recall.Percent(),
		}
		b.Middle = b.X + barWidth
		if b.Known {
			b.Covered, b.Found = barHeight*float64(g.CoveredShare), barHeight*float64(g.Recall)
		}
		b.CoveredY, b.FoundY = barHeight-b.Covered, barHeight-b.Found
		p.Bars = append(p.Bars, b)
	}
	p.Width = barStep * len(p.Bars)
	return p
}

// Tick is a mark on an axis.
type Tick struct {
	At    float64
	Label string
}

// Ticks returns marks at round numbers from 0 to most, over a length.
func Ticks(most, length float64, label func(float64) string) []Tick {
	if !(most > 0) {
		return nil
	}
	step := math.Pow(10, math.Floor(math.Log10(most/plotTicks)))
	for _, f := range []float64{1, 2, 5, 10} {
		if most/(step*f) <= plotTicks {
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

func (r *Result) timeTicks() []Tick {
	return Ticks(r.length, plotWidth, func(v float64) string { return fmt.Sprintf("%g", v) })
}

// linePlot is the obscured and the falsely obscured area over time. Where
// there are more frames than pixels it shows the most.
type linePlot struct {
	Width, Height   int
	Obscured, Wrong string // points of polylines
	X, Y            []Tick
}

func newLines(r *Result) linePlot {
	p := linePlot{Width: plotWidth, Height: lineHeight, X: r.timeTicks()}
	if len(r.timeline) == 0 || r.length <= 0 {
		return p
	}
	most := 0.01
	var all, wrong [plotWidth]float64
	var has [plotWidth]bool
	for _, m := range r.timeline {
		i := column(float64(m.at), r.length)
		all[i], wrong[i], has[i] = max(all[i], float64(m.obscured)), max(wrong[i], float64(m.wrong)), true
		most = max(most, float64(m.obscured))
	}
	var a, w strings.Builder
	for i := range plotWidth {
		if has[i] {
			fmt.Fprintf(&a, "%d,%.1f ", i, lineHeight*(1-all[i]/most))
			fmt.Fprintf(&w, "%d,%.1f ", i, lineHeight*(1-wrong[i]/most))
		}
	}
	p.Obscured, p.Wrong = a.String(), w.String()
	p.Y = Ticks(most, lineHeight, func(v float64) string { return fmt.Sprintf("%g %%", math.Round(1e6*v)/1e4) })
	for i := range p.Y {
		p.Y[i].At = lineHeight - p.Y[i].At
	}
	return p
}

func column(at, length float64) int {
	return min(max(int(at/length*plotWidth), 0), plotWidth-1)
}

// timePlot has a row for each person, those who are exposed longest first.
type timePlot struct {
	Width, Height, RowHeight int
	Rows                     []timeRow
	X                        []Tick
	Left                     int // people who are not shown
}

type timeRow struct {
	Y     float64
	Label string
	Parts []timePart
}

// timePart is one rectangle; Class is covered, hard or exposed.
type timePart struct {
	X, W  float64
	Class string
}

var stateNames = map[state]string{covered: "covered", hard: "hard", exposed: "exposed"}

func newTimes(r *Result) timePlot {
	people := slices.Clone(r.People)
	slices.SortStableFunc(people, func(a, b Person) int {
		return cmp.Or(cmp.Compare(b.ExposedTime, a.ExposedTime), cmp.Compare(b.Exposed, a.Exposed))
	})
	p := timePlot{Width: plotWidth, RowHeight: rowHeight - 4, X: r.timeTicks()}
	p.Left = max(len(people)-pagePeople, 0)
	for i, v := range people[:len(people)-p.Left] {
		row := timeRow{Y: float64(i * rowHeight), Label: fmt.Sprintf("%s %d", v.File, v.Person)}
		row.Parts = v.parts(r.length)
		p.Rows = append(p.Rows, row)
	}
	p.Height = max(len(p.Rows), 1) * rowHeight
	return p
}

// parts draws the spans of a person: a column shows the worst that happens in
// it, so that one exposed frame is seen.
func (p *Person) parts(length float64) []timePart {
	if length <= 0 {
		return nil
	}
	var columns [plotWidth]uint8 // state + 1
	for _, s := range p.spans {
		// A column that a span only touches with its end is not its own.
		for i := column(s.from, length); i <= column(math.Nextafter(s.to, s.from), length); i++ {
			columns[i] = max(columns[i], uint8(s.state)+1)
		}
	}
	var parts []timePart
	for i := 0; i < plotWidth; {
		end := i + 1
		for end < plotWidth && columns[end] == columns[i] {
			end++
		}
		if columns[i] > 0 {
			parts = append(parts, timePart{float64(i), float64(end - i), stateNames[state(columns[i]-1)]})
		}
		i = end
	}
	return parts
}
