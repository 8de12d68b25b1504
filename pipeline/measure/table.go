package measure

import (
	"cmp"
	"fmt"
	"io"
	"text/tabwriter"
)

// tableLeaks is the number of leaks in WriteTable's list.
const tableLeaks = 20

// WriteTable prints the result as text.
func (r *Result) WriteTable(w io.Writer) error {
	p := NewTable(w)
	f := r.Filter
	p.Line("%d videos, %d stills; %d frames, %.1f s", r.Videos, r.Stills, r.Frames, r.Seconds)
	if r.Missing > 0 {
		p.Line("%d frames are not in the report: nothing counts as obscured in them", r.Missing)
	}
	if r.Extra > 0 {
		p.Line("%d frames of the report are not in the truth: not scored", r.Extra)
	}
	for i := range r.Live {
		p.Line("camera %s: %s", r.Live[i].Camera, r.Live[i].String())
	}
	p.Line("headline: faces of %g pixels and more, turned by %g° at most, %.0f %% visible%s; hard: all others\n", f.MinSize, f.MaxYaw, 100*f.MinVisible,
		map[bool]string{true: ", of people who have moved since the background was learned"}[r.Cover == CoverMotion])
	p.Line("\theadline\thard")
	for _, row := range headlineRows {
		p.Line("%s\t%s\t%s", row.name, row.value(&r.Headline), row.value(&r.Hard))
	}
	p.Line("")
	p.Line("steady people (%d s and more at %d pixels and more)\t%d", SteadySeconds, SteadySize, r.Steady.People)
	p.Line("  never exposed for more than %d frame\t%d\t%s", SteadyRun, r.Steady.Held, r.Steady.Share.Percent())
	p.Line("obscured area, mean and most\t%s\t%s", r.Area.Obscured.Percent(), r.Area.ObscuredMax.Percent())
	p.Line("falsely obscured area, mean and most\t%s\t%s\t(%s frame %d)",
		r.Area.False.Percent(), r.Area.FalseMax.Percent(), r.Area.FalseMaxFile, r.Area.FalseMaxFrame)
	if b := r.Bodies; b != nil {
		p.Line("trunks of the headline's people covered by %.0f %%, mean coverage\t%s\t%s\t(%d of %d)",
			100*BodyShare, b.CoveredShare.Percent(), b.Coverage.Percent(), b.Covered, b.Frames)
	}
	p.Line("blind\t%s", &r.Blind)
	p.Line("whole picture obscured\t%.1f s", r.Blind.WholeSeconds)
	p.Line("face boxes reported, and right\t%d\t%s", r.Boxes, over(r.Matched, r.Boxes).Percent())
	p.Line("regions that appear and vanish per second\t%s\t%s\t(people come into view: %s)",
		r.Flicker.Appear.Plain(2), r.Flicker.Vanish.Plain(2), r.Flicker.TrueAppear.Plain(2))
	p.Line("edges move and jitter per frame, pixels\t%s\t%s", r.Flicker.Move.Plain(2), r.Flicker.Jitter.Plain(2))
	p.groups("size, pixels", r.BySize)
	p.groups("yaw, degrees", r.ByYaw)
	p.leaks(r)
	return p.Flush()
}

// headlineRows are the rows of the first table.
var headlineRows = []struct {
	name  string
	value func(*Group) string
}{
	{"faces in all frames", func(g *Group) string { return fmt.Sprint(g.Faces) }},
	{"exposed (less than 95 % covered)", func(g *Group) string { return fmt.Sprintf("%d, %s", g.Exposed, g.ExposedShare.Percent()) }},
	{"mean coverage", func(g *Group) string { return g.Coverage.Percent() }},
	{"recall at IoU 0.5", func(g *Group) string { return g.Recall.Percent() }},
	{"mean IoU of those", func(g *Group) string { return g.IoU.Plain(2) }},
	{"people", func(g *Group) string { return fmt.Sprint(g.People) }},
	{"  never exposed", func(g *Group) string { return g.NeverExposed.Percent() }},
	{"  longest run of exposed frames", func(g *Group) string { return fmt.Sprint(g.LongestRun) }},
	{"  exposed face-seconds per hour", func(g *Group) string { return g.ExposedPerHour.Plain(1) }},
	{"  first covered after: median, 95 %, most", func(g *Group) string {
		return fmt.Sprintf("%s, %s, %s s", g.FirstCoverMedian.Plain(2), g.FirstCoverP95.Plain(2), g.FirstCoverMax.Plain(2))
	}},
	{"  never covered", func(g *Group) string { return fmt.Sprint(g.NeverCovered) }},
}

// Table prints lines in columns, which tabs separate.
type Table struct {
	w   *tabwriter.Writer
	err error // the first
}

// NewTable returns a Table on w. The caller calls Flush at the end.
func NewTable(w io.Writer) *Table { return &Table{w: tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)} }

// Line prints a line.
func (p *Table) Line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format+"\n", args...)
	}
}

// Flush prints what is left, and returns the first error.
func (p *Table) Flush() error { return cmp.Or(p.err, p.w.Flush()) }

func (p *Table) groups(name string, groups []Group) {
	p.Line("\n%s\tfaces\trecall\tcoverage\texposed\tshare\tpeople\tnever\trun\ts/hour\tfirst\tfalse area\tappear/s\tvanish/s\tmove\tjitter", name)
	for i := range groups {
		g := &groups[i]
		p.Line("%s\t%d\t%s\t%s\t%d\t%s\t%d\t%s\t%d\t%s\t%s\t%s\t%s\t%s\t%s\t%s",
			g.Name, g.Faces, g.Recall.Percent(), g.Coverage.Percent(), g.Exposed, g.ExposedShare.Percent(), g.People, g.NeverExposed.Percent(),
			g.LongestRun, g.ExposedPerHour.Plain(1), g.FirstCoverMax.Plain(2), g.FalseArea.Percent(),
			g.Flicker.Appear.Plain(2), g.Flicker.Vanish.Plain(2), g.Flicker.Move.Plain(2), g.Flicker.Jitter.Plain(2))
	}
}

func (p *Table) leaks(r *Result) {
	if len(r.Leaks) == 0 {
		return
	}
	p.Line("\nexposed\tperson\tframes\tcount\tseconds\tcoverage\tsize\tyaw\tvisible")
	for i, l := range r.Leaks {
		if i == tableLeaks {
			p.Line("… and %d more; --json lists them", len(r.Leaks)-tableLeaks+r.LeaksLeftOut)
			break
		}
		p.Line("%s\t%d\t%d–%d\t%d\t%.2f\t%s\t%.0f\t%s\t%s",
			l.File, l.Person, l.First, l.Last, l.Frames, l.Seconds, Number(l.Coverage).Percent(), l.Size, l.Yaw.Plain(0), Number(l.Visible).Percent())
	}
}
