package measure

import (
	"math"
	"slices"
)

// personKey identifies a person over all files.
type personKey struct{ pair, person int }

// observation is one face in one frame, scored.
type observation struct {
	key      personKey
	face     *TrueFace
	coverage float64
	exposed  bool
	iou      float64 // of the box that found it; 0 without
	// episode numbers the times that the person is exposed without being covered
	// or out of view in between.
	episode int
	at      float64 // seconds on the time line
	dt      float64 // how long the frame is shown in seconds
	frame   int
	counts  bool // for what should have been obscured
}

// tally collects the faces of a group.
type tally struct {
	group  Group
	ious   float64
	shares float64
	time   float64 // exposed face-seconds
	people map[personKey]*personTally
	order  []*personTally
}

// personTally is the result for a person in a group.
type personTally struct {
	Person
	key      personKey
	began    float64
	covered  bool
	episode  int
	run      int
	coverage float64
	leak     *Leak
}

func newTally(name string) *tally {
	return &tally{group: Group{Name: name}, people: map[personKey]*personTally{}}
}

func (t *tally) add(l *observation) *personTally {
	s := t.people[l.key]
	if s == nil {
		s = &personTally{key: l.key, began: l.at, episode: -1}
		s.Person.Person, s.FirstCover, s.LeastCoverage = l.key.person, none, 1
		t.people[l.key] = s
		t.order = append(t.order, s)
	}
	g := &t.group
	g.Faces++
	t.shares += l.coverage
	if l.iou > 0 {
		g.Found++
		t.ious += l.iou
	}
	s.Frames++
	s.Seconds += l.dt
	s.coverage += l.coverage
	s.LargestSize = max(s.LargestSize, l.face.size())
	s.LeastCoverage = min(s.LeastCoverage, l.coverage)
	if !l.exposed {
		g.Covered++
		s.run = 0
		if !s.covered {
			s.covered, s.FirstCover = true, Number(roundSeconds(l.at-s.began))
		}
		return s
	}
	g.Exposed++
	t.time += l.dt
	s.Exposed++
	s.ExposedTime += l.dt
	if s.episode != l.episode {
		s.run, s.episode = 0, l.episode
	}
	s.run++
	s.LongestRun = max(s.LongestRun, s.run)
	return s
}

// result returns the group; seconds are those of all videos.
func (t *tally) result(seconds float64) Group {
	g := t.group
	g.Recall, g.IoU = over(g.Found, g.Faces), over(t.ious, g.Found)
	g.Coverage, g.CoveredShare, g.ExposedShare = over(t.shares, g.Faces), over(g.Covered, g.Faces), over(g.Exposed, g.Faces)
	g.People = len(t.order)
	never := 0
	var waits []float64
	for _, s := range t.order {
		if s.Exposed == 0 {
			never++
		}
		if s.covered {
			waits = append(waits, float64(s.FirstCover))
		}
		g.LongestRun = max(g.LongestRun, s.LongestRun)
	}
	g.NeverExposed, g.NeverCovered = over(never, g.People), g.People-len(waits)
	g.ExposedPerHour, g.FirstCoverMedian, g.FirstCoverP95, g.FirstCoverMax = none, none, none, none
	if seconds > 0 {
		g.ExposedPerHour = Number(t.time / seconds * 3600)
		slices.Sort(waits)
		g.FirstCoverMedian, g.FirstCoverP95, g.FirstCoverMax = quantile(waits, 0.5), quantile(waits, 0.95), quantile(waits, 1)
	}
	return g
}

// quantile returns the smallest of the sorted values that a share q does not exceed.
func quantile(sorted []float64, q float64) Number {
	if len(sorted) == 0 {
		return none
	}
	i := int(math.Ceil(q*float64(len(sorted)))) - 1
	return Number(sorted[min(max(i, 0), len(sorted)-1)])
}

// mark extends the person's last span, or starts another.
func (s *personTally) mark(l *observation, as state) {
	if n := len(s.spans); n > 0 {
		if p := &s.spans[n-1]; p.state == as && l.at-p.to < 1e-6 {
			p.to = l.at + l.dt
			return
		}
	}
	s.spans = append(s.spans, span{l.at, l.at + l.dt, as})
}
