package measure

import (
	_ "embed" // for the page
	"io"

	"scrim/pipeline/measure/plot"
)

// Maximum numbers of rows on the page.
const (
	pagePeople = 200
	pageLeaks  = 500
)

//go:embed page.html
var pageText string

var pageTemplate = plot.Page(pageText)

// page is the data of the template.
type page struct {
	*Result
	Rows   [][3]string // name, headline, hard
	Tables []pageTable
	Bars   []barPlot
	Area   *plot.Lines
	Times  *plot.Rows
	Leaks  []Leak
	// PeopleLeft and LeaksTop count those that are not shown.
	PeopleLeft, LeaksTop int
}

type pageTable struct {
	Name string
	Rows []Group
}

// WriteHTML writes a self-contained page.
func (r *Result) WriteHTML(w io.Writer) error {
	p := page{
		Result: r, Tables: []pageTable{{"Size, pixels", r.BySize}, {"Yaw, degrees", r.ByYaw}},
		Bars: []barPlot{newBars("Covered, by size in pixels", r.BySize), newBars("Covered, by yaw in degrees", r.ByYaw)},
		Area: newLines(r), Leaks: r.Leaks[:min(len(r.Leaks), pageLeaks)],
	}
	p.Times, p.PeopleLeft = newTimes(r)
	p.LeaksTop = len(r.Leaks) - len(p.Leaks) + r.LeaksLeftOut
	for _, row := range headlineRows {
		p.Rows = append(p.Rows, [3]string{row.name, row.value(&r.Headline), row.value(&r.Hard)})
	}
	return pageTemplate.Execute(w, p)
}
