package measure

import (
	_ "embed" // for the page
	"fmt"
	"html/template"
	"io"
)

// Most rows of the page's lists.
const (
	pagePeople = 200
	pageLeaks  = 500
)

//go:embed page.html
var pageText string

//go:embed style.css
var styleText string

// Style is how the pages of Scrim's measurements look.
func Style() template.CSS { return template.CSS(styleText) } //nolint:gosec // ours

var pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{
	"px":    func(v float64) string { return fmt.Sprintf("%.1f", v) },
	"style": Style,
}).Parse(pageText))

// page is what the template shows.
type page struct {
	*Result
	Rows     [][3]string // name, headline, hard
	Tables   []pageTable
	Bars     []barPlot
	Area     linePlot
	Times    timePlot
	Leaks    []Leak
	LeaksTop int // not shown
}

type pageTable struct {
	Name string
	Rows []Group
}

// WriteHTML writes a page that needs nothing else: no scripts, no other files.
func (r *Result) WriteHTML(w io.Writer) error {
	p := page{
		Result: r, Tables: []pageTable{{"Size, pixels", r.BySize}, {"Yaw, degrees", r.ByYaw}},
		Bars: []barPlot{newBars("Covered, by size in pixels", r.BySize), newBars("Covered, by yaw in degrees", r.ByYaw)},
		Area: newLines(r), Times: newTimes(r), Leaks: r.Leaks[:min(len(r.Leaks), pageLeaks)],
	}
	p.LeaksTop = len(r.Leaks) - len(p.Leaks) + r.LeaksLeftOut
	for _, row := range headlineRows {
		p.Rows = append(p.Rows, [3]string{row.name, row.value(&r.Headline), row.value(&r.Hard)})
	}
	return pageTemplate.Execute(w, p)
}
