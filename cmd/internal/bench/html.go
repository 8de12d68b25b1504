package bench

import (
	_ "embed" // for the page
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"scrim/pipeline/measure/plot"
)

//go:embed page.html
var pageText string

var pageTemplate = plot.Page(pageText)

// page is the data of the template.
type page struct {
	*Result
	Text    string
	CPUs    *plot.Rows
	Times   *plot.Rows
	Share   *plot.Lines
	Seconds *plot.Lines
	Course  *plot.Lines
}

// WriteHTML writes a self-contained page.
func (r *Result) WriteHTML(w io.Writer) error {
	var text strings.Builder
	if err := r.WriteTable(&text); err != nil {
		return err
	}
	return pageTemplate.Execute(w, page{
		Result: r, Text: text.String(), CPUs: r.cpuBars(), Times: r.stageBars(), Share: r.shareLines(), Seconds: r.secondLines(), Course: r.courseLine(),
	})
}

// newBars plots values as bars over one another, the longest first; classes are their
// colours.
func newBars(label string, names []string, values [][]float64, classes []string) *plot.Rows {
	most := 0.0
	for _, v := range values {
		most = max(most, slices.Max(v))
	}
	p := &plot.Rows{Label: label, X: plot.Ticks(most, plot.Width, msLabel)}
	for i, v := range values {
		var row plot.Row
		var notes []string
		for k, x := range v {
			row.Parts = append(row.Parts, plot.Part{W: plot.Scale(x, most, plot.Width), Class: classes[k]})
			notes = append(notes, fmt.Sprintf("%.2f", x))
		}
		slices.Reverse(notes)
		row.Label = names[i] + ": " + strings.Join(notes, ", ")
		p.Rows = append(p.Rows, row)
	}
	return p
}

// cpuBars compares the CPU times over the clip.
func (r *Result) cpuBars() *plot.Rows {
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
	return newBars("CPU time per picture", names, values, []string{"covered"})
}

// stageBars shows the latency of each stage.
func (r *Result) stageBars() *plot.Rows {
	names, values := make([]string, 0, len(r.Stages)), make([][]float64, 0, len(r.Stages))
	for _, s := range r.Stages {
		names, values = append(names, strings.ReplaceAll(s.Name, "_", " ")), append(values, []float64{s.P99, s.P95, s.P50})
	}
	return newBars("latency of stages", names, values, []string{"hard", "found", "covered"})
}

// shareLines shows how many pictures are how late, with equal distances between 90 %,
// 99 %, 99.9 % and so on.
func (r *Result) shareLines() *plot.Lines {
	const decades = 4
	at := func(p float64) float64 { return plot.Width * min(-math.Log10(1-p/100)/decades, 1) }
	most := 0.0
	for _, points := range r.Percentiles {
		for _, q := range points {
			most = max(most, q[1])
		}
	}
	p := &plot.Lines{Label: "share of pictures by added latency", Y: plot.Ticks(most, plot.LineHeight, msLabel)}
	for _, name := range []string{Added, AddedViewer} {
		var line []plot.Point
		for _, q := range r.Percentiles[name] {
			line = append(line, plot.Point{X: at(q[0]), Y: plot.Scale(q[1], most, plot.LineHeight)})
		}
		p.Lines = append(p.Lines, line)
	}
	for _, q := range []float64{0, 50, 90, 99, 99.9, 99.99} {
		p.X = append(p.X, plot.Tick{At: at(q), Label: fmt.Sprintf("%g %%", q)})
	}
	return p
}

func msLabel(v float64) string { return fmt.Sprintf("%g ms", v) }

// secondLines is the CPU time over the clip.
func (r *Result) secondLines() *plot.Lines {
	var all [][]float64
	for _, l := range []*Loop{r.Offline, r.Baseline} {
		if l != nil {
			all = append(all, l.Seconds)
		}
	}
	return series("CPU time per picture over the clip", all, "s", 1)
}

// courseLine is the first camera's latency over time.
func (r *Result) courseLine() *plot.Lines {
	step := max((len(r.Timeline)+plot.Width-1)/plot.Width, 1)
	var most []float64
	for part := range slices.Chunk(r.Timeline, step) {
		most = append(most, slices.Max(part))
	}
	return series("added latency of the first camera", [][]float64{most}, "pictures", float64(step))
}

// series plots consecutive values, each as wide as scale units.
func series(label string, all [][]float64, unit string, scale float64) *plot.Lines {
	most, count := 0.0, 0
	for _, values := range all {
		count = max(count, len(values))
		for _, v := range values {
			most = max(most, v)
		}
	}
	p := &plot.Lines{Label: label}
	if count < 2 {
		return p
	}
	for _, values := range all {
		line := make([]plot.Point, 0, len(values))
		for k, v := range values {
			line = append(line, plot.Point{X: plot.Width * float64(k) / float64(count-1), Y: plot.Scale(v, most, plot.LineHeight)})
		}
		p.Lines = append(p.Lines, line)
	}
	p.X = plot.Ticks(float64(count-1)*scale, plot.Width, func(v float64) string { return fmt.Sprintf("%g %s", v, unit) })
	p.Y = plot.Ticks(most, plot.LineHeight, msLabel)
	return p
}
