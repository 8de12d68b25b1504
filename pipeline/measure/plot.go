package measure

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"scrim/pipeline/measure/plot"
)

// Sizes of bars in SVG units.
const (
	barStep   = 90
	barWidth  = 30
	barHeight = 160
)

// barPlot has two bars per bucket: the covered share and the found share.
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

func (r *Result) timeTicks() []plot.Tick {
	return plot.Ticks(r.length, plot.Width, func(v float64) string { return fmt.Sprintf("%g", v) })
}

// newLines plots the obscured and the falsely obscured area over time. If there are
// more frames than pixels, it shows the largest.
func newLines(r *Result) *plot.Lines {
	p := &plot.Lines{Label: "area over time", X: r.timeTicks()}
	if len(r.timeline) == 0 || r.length <= 0 {
		return p
	}
	most := 0.01
	var all, wrong [plot.Width]float64
	var has [plot.Width]bool
	for _, m := range r.timeline {
		i := column(float64(m.at), r.length)
		all[i], wrong[i], has[i] = max(all[i], float64(m.obscured)), max(wrong[i], float64(m.wrong)), true
		most = max(most, float64(m.obscured))
	}
	p.Lines = make([][]plot.Point, 2)
	for i := range plot.Width {
		if has[i] {
			p.Lines[0] = append(p.Lines[0], plot.Point{X: float64(i), Y: plot.Scale(all[i], most, plot.LineHeight)})
			p.Lines[1] = append(p.Lines[1], plot.Point{X: float64(i), Y: plot.Scale(wrong[i], most, plot.LineHeight)})
		}
	}
	p.Y = plot.Ticks(most, plot.LineHeight, func(v float64) string { return fmt.Sprintf("%g %%", math.Round(1e6*v)/1e4) })
	return p
}

func column(at, length float64) int {
	return min(max(int(at/length*plot.Width), 0), plot.Width-1)
}

var stateNames = map[state]string{covered: "covered", hard: "hard", exposed: "exposed"}

// newTimes plots a row for each person, those who are exposed longest first. It returns
// how many people are left out.
func newTimes(r *Result) (p *plot.Rows, left int) {
	people := slices.Clone(r.People)
	slices.SortStableFunc(people, func(a, b Person) int {
		return cmp.Or(cmp.Compare(b.ExposedTime, a.ExposedTime), cmp.Compare(b.Exposed, a.Exposed))
	})
	p = &plot.Rows{Label: "exposure of each person over time", X: r.timeTicks()}
	left = max(len(people)-pagePeople, 0)
	for _, v := range people[:len(people)-left] {
		p.Rows = append(p.Rows, plot.Row{Label: fmt.Sprintf("%s %d", v.File, v.Person), Parts: v.parts(r.length)})
	}
	return p, left
}

// parts returns the spans of a person: a column shows the worst state in it, so that a
// single exposed frame is visible.
func (p *Person) parts(length float64) []plot.Part {
	if length <= 0 {
		return nil
	}
	var columns [plot.Width]uint8 // state + 1
	for _, s := range p.spans {
		// A column that a span only touches with its end does not count.
		for i := column(s.from, length); i <= column(math.Nextafter(s.to, s.from), length); i++ {
			columns[i] = max(columns[i], uint8(s.state)+1)
		}
	}
	var parts []plot.Part
	for i := 0; i < plot.Width; {
		end := i + 1
		for end < plot.Width && columns[end] == columns[i] {
			end++
		}
		if columns[i] > 0 {
			parts = append(parts, plot.Part{X: float64(i), W: float64(end - i), Class: stateNames[state(columns[i]-1)]})
		}
		i = end
	}
	return parts
}
