package pipeline

import (
	"math"
	"time"

	"scrim/redact/sight"
	"scrim/transport"
)

// sightInterval is the time between two reports of the sight that say the same of Proved
// and Why.
const sightInterval = time.Second

// sightReporter is a redact.Sight that tells more than its verdicts.
type sightReporter interface {
	Report() sight.Report
}

// sightNews decides when the sight is reported. It is used by the redact stage.
type sightNews struct {
	from sightReporter // nil: nothing is known
	at   time.Time     // of the last report
	said transport.Sight
}

// next returns the report that is due now; nil: none is.
func (n *sightNews) next(now time.Time) *transport.Sight {
	if n.from == nil {
		return nil
	}
	r := n.from.Report()
	due := n.at.IsZero() || now.Sub(n.at) >= sightInterval
	if !due && r.Proved == n.said.Proved && transport.BlindReason(r.Why) == n.said.Why {
		return nil
	}
	if r.At.IsZero() {
		return nil // no picture yet
	}
	n.at, n.said = now, sightOf(&r)
	said := n.said
	return &said
}

// sightOf returns a report as it is sent.
func sightOf(r *sight.Report) transport.Sight {
	c := transport.Condition(r.Condition)
	for _, v := range []*float64{&c.Dark, &c.Median, &c.Bright, &c.Contrast, &c.Noise, &c.Blur, &c.Clipped} {
		*v = math.Round(*v*100) / 100
	}
	s := transport.Sight{
		Size: r.Size, Painted: r.Painted, Table: r.Table, Need: r.Need, Proved: r.Proved, Why: transport.BlindReason(r.Why),
		Tested: r.TestedAt, Warning: r.Warning, Condition: &c,
	}
	if len(r.Cells) == 0 {
		return s
	}
	for s.Cols < len(r.Cells) && r.Cells[s.Cols].Y == r.Cells[0].Y {
		s.Cols++
	}
	s.Rows = len(r.Cells) / s.Cols
	for _, cell := range r.Cells {
		s.Parts = append(s.Parts, transport.SightPart{Size: cell.Size})
	}
	return s
}

// noteSight adds what is new of the sight to the next output.
func (p *Pipeline) noteSight() {
	if s := p.sightNews.next(p.now()); s != nil {
		p.sight.Store(s)
	}
}
