package bench

import (
	_ "embed" // for the page
	"fmt"
	"html/template"
	"io"
	"math"
	"slices"
	"strings"

	"scrim/pipeline/atomicfile"
	"scrim/pipeline/measure"
)

//go:embed page.html
var pageText string

var pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{
	"px":    func(v float64) string { return fmt.Sprintf("%.1f", v) },
	"ms":    func(v float64) string { return fmt.Sprintf("%.2f", v) },
	"style": measure.Style,
}).Parse(pageText))

// Sizes of plots in SVG units.
const (
	plotWidth  = 860
	plotHeight = 180
	rowHeight  = 18
)

// page is what the template shows.
type page struct {
	*Result
	Text    string
	CPUs    barPlot
	Times   barPlot
	Share   linePlot
	Seconds linePlot
	Course  linePlot
}

// barPlot has a row for each thing, with bars over one another, the longest first.
type barPlot struct {
	Width, Height, Bar int
	Rows               []barRow
	X                  []measure.Tick
}

type barRow struct {
	Y    float64
	Name string
	Note string
	Bars []bar
}

type bar struct {
	W     float64
	Class string
}

// linePlot has lines of points.
type linePlot struct {
	Width, Height int
	Lines         []line
	X, Y          []measure.Tick
}

type line struct{ Class, Points string }

// WriteHTMLFile writes a page that needs nothing else: no scripts, no other
// files.
func (r *Result) WriteHTMLFile(path string) error {
	return atomicfile.Write(path, r.WriteHTML)
}

// WriteHTML writes the page.
func (r *Result) WriteHTML(w io.Writer) error {
	var text strings.Builder
	if err := r.Table(&text); err != nil {
		return err
	}
	return pageTemplate.Execute(w, page{
		Result: r, Text: text.String(), CPUs: r.cpuBars(), Times: r.stageBars(), Share: r.shareLines(), Seconds: r.secondLines(), Course: r.courseLine(),
	})
}

// newBars makes a plot of values; classes name the colours of a row's bars.
func newBars(names []string, values [][]float64, classes []string, unit string) barPlot {
	most := 0.0
	for _, v := range values {
		for _, x := range v {
			most = max(most, x)
		}
	}
	p := barPlot{Width: plotWidth, Height: rowHeight * len(names), Bar: rowHeight - 4}
	p.X = measure.Ticks(most, plotWidth, func(v float64) string { return fmt.Sprintf("%g %s", v, unit) })
	for i, v := range values {
		row := barRow{Y: float64(i * rowHeight), Name: names[i]}
		var notes []string
		for k, x := range v {
			row.Bars = append(row.Bars, bar{W: plotWidth * x / max(most, 1e-9), Class: classes[k]})
			notes = append(notes, fmt.Sprintf("%.2f", x))
		}
		slices.Reverse(notes)
		row.Note = strings.Join(notes, ", ")
		p.Rows = append(p.Rows, row)
	}
	return p
}

// cpuBars compares what went through the clip.
func (r *Result) cpuBars() barPlot {
	var names []string
	var values [][]float64
	add := func(name string, l *Loop) {
		if l != nil {
			names, values = append(names, name), append(values, []float64{l.CPU})
		}
	}
	add("baseline", r.Baseline)
	add("scrim-redactor", r.Offline)
	for _, p := range r.Peers {
		add(p.Name, p.Loop)
	}
	return newBars(names, values, []string{"covered"}, "ms")
}

// stageBars shows where time goes.
func (r *Result) stageBars() barPlot {
	names, values := make([]string, 0, len(r.Stages)), make([][]float64, 0, len(r.Stages))
	for _, s := range r.Stages {
		names, values = append(names, strings.ReplaceAll(s.Name, "_", " ")), append(values, []float64{s.P99, s.P95, s.P50})
	}
	return newBars(names, values, []string{"hard", "found", "covered"}, "ms")
}

// newLines makes a plot of lines over the same places.
func newLines(x, y []measure.Tick, lines ...line) linePlot {
	p := linePlot{Width: plotWidth, Height: plotHeight, X: x, Y: y, Lines: lines}
	for i := range p.Y {
		p.Y[i].At = plotHeight - p.Y[i].At
	}
	return p
}

// shareLines shows how many pictures are how late: nine of ten, 99 of a hundred
// and so on have the same distance.
func (r *Result) shareLines() linePlot {
	const decades = 4
	at := func(p float64) float64 { return plotWidth * min(-math.Log10(1-p/100)/decades, 1) }
	most := 0.0
	for _, points := range r.Percentiles {
		for _, q := range points {
			most = max(most, q[1])
		}
	}
	shown := []string{Added, AddedViewer}
	lines := make([]line, 0, len(shown))
	for i, name := range shown {
		var b strings.Builder
		for _, q := range r.Percentiles[name] {
			fmt.Fprintf(&b, "%.1f,%.1f ", at(q[0]), plotHeight*(1-q[1]/max(most, 1e-9)))
		}
		lines = append(lines, line{[]string{"line", "line wrong"}[i], b.String()})
	}
	marks := []float64{0, 50, 90, 99, 99.9, 99.99}
	x := make([]measure.Tick, 0, len(marks))
	for _, p := range marks {
		x = append(x, measure.Tick{At: at(p), Label: fmt.Sprintf("%g %%", p)})
	}
	return newLines(x, measure.Ticks(most, plotHeight, msLabel), lines...)
}

func msLabel(v float64) string { return fmt.Sprintf("%g ms", v) }

// secondLines is CPU time over the clip.
func (r *Result) secondLines() linePlot {
	var all [][]float64
	for _, l := range []*Loop{r.Offline, r.Baseline} {
		if l != nil {
			all = append(all, l.Seconds)
		}
	}
	return series(all, "s", 1)
}

// courseLine is the first camera's latency over time.
func (r *Result) courseLine() linePlot {
	values := r.Timeline
	step := (len(values) + plotWidth - 1) / plotWidth
	var most []float64
	for part := range slices.Chunk(values, max(step, 1)) {
		most = append(most, slices.Max(part))
	}
	return series([][]float64{most}, "pictures", float64(max(step, 1)))
}

// series draws values one after the other, each as wide as scale units.
func series(all [][]float64, unit string, scale float64) linePlot {
	most, count := 0.0, 0
	for _, values := range all {
		count = max(count, len(values))
		for _, v := range values {
			most = max(most, v)
		}
	}
	if count < 2 {
		return linePlot{Width: plotWidth, Height: plotHeight}
	}
	var lines []line
	for i, values := range all {
		var b strings.Builder
		for k, v := range values {
			fmt.Fprintf(&b, "%.1f,%.1f ", plotWidth*float64(k)/float64(count-1), plotHeight*(1-v/max(most, 1e-9)))
		}
		lines = append(lines, line{[]string{"line", "line wrong"}[i], b.String()})
	}
	x := measure.Ticks(float64(count-1)*scale, plotWidth, func(v float64) string { return fmt.Sprintf("%g %s", v, unit) })
	return newLines(x, measure.Ticks(most, plotHeight, msLabel), lines...)
}
