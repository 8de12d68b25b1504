package measure

import (
	"cmp"
	"errors"
	"fmt"
	"math"

	"scrim/redact/geom"
)

// everywhere is the picture of a still that the report lacks.
var everywhere = geom.Box{X: -2 * maxCoordinate, Y: -2 * maxCoordinate, W: 5 * maxCoordinate, H: 5 * maxCoordinate}

// Score scores reports against truths. The caller owns the Result; the pairs are not
// modified. It fails if the files of a pair do not match.
func Score(pairs []Pair, o Options) (*Result, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	if len(pairs) == 0 {
		return nil, errors.New("nothing to score: no file in the truth")
	}
	s := newScorer(o)
	for i, p := range pairs {
		var err error
		if p.Truth, err = p.Truth.turned(o.Rotate); err != nil {
			return nil, err
		}
		if err := s.pair(i, p); err != nil {
			return nil, err
		}
	}
	return s.result(), nil
}

// scorer scores all frames of all pairs.
type scorer struct {
	o Options
	r Result

	headline, hard *tally
	size, yaw      []bucketTally // the last is for no face
	steady         *tally
	flickerAll     flickerSums
	appearances    int
	areaFrames     int
	obscured       float64
	wrong          float64

	areas   areaUnion
	clock   float64 // seconds on the time line
	names   []string
	people  map[personKey]*presence
	matcher regionMatcher
	moves   movement
	bodies  Bodies
	trunks  float64 // sum of the covered shares of trunks

	regions, cover, zones, holes, some []geom.Box
	tracked                            []trackedRegion
	owners                             []int
	matches                            []match
	found                              []float64
}

// presence is where a person was last seen, whatever group the face was in.
type presence struct {
	frame, episode int
	exposed        bool
}

func newScorer(o Options) *scorer {
	s := &scorer{o: o, headline: newTally("headline"), hard: newTally("hard"), steady: newTally(""), people: map[personKey]*presence{}}
	s.r.Filter, s.r.Cover, s.r.Sources = o.Filter, cmp.Or(o.Cover, CoverFaces), map[geom.Source]int{}
	for _, b := range sizeBuckets {
		s.size = append(s.size, bucketTally{tally: newTally(b.name)})
	}
	for _, b := range yawBuckets {
		s.yaw = append(s.yaw, bucketTally{tally: newTally(b.name)})
	}
	s.size, s.yaw = append(s.size, bucketTally{tally: newTally(noFace)}), append(s.yaw, bucketTally{tally: newTally(noFace)})
	return s
}

// bucketTally is a group of faces of similar size or yaw.
type bucketTally struct {
	*tally
	area    float64 // the sum of the shares that are falsely obscured
	flicker flickerSums
}

// pair scores one video or still.
func (s *scorer) pair(n int, p Pair) error {
	s.names = append(s.names, truthName(p.Truth))
	if p.Truth.Still {
		return s.still(n, p)
	}
	truthFirst, reportFirst, err := p.align(s.o)
	if err != nil {
		return err
	}
	s.r.Videos++
	s.matcher, s.moves = regionMatcher{}, movement{}
	k := 0
	for i := range p.Truth.Frames {
		t := &p.Truth.Frames[i]
		number := t.Frame - truthFirst
		for k < len(p.Report.Frames) && p.Report.Frames[k].Frame-reportFirst < number {
			s.r.Extra++
			k++
		}
		var r *ReportFrame
		if k < len(p.Report.Frames) && p.Report.Frames[k].Frame-reportFirst == number {
			r = &p.Report.Frames[k]
			k++
			if err := s.same(p, i, r); err != nil {
				return err
			}
		}
		dt := p.Truth.lasts(i)
		s.r.Seconds += dt
		s.frame(n, i, number, t, r, dt)
		s.clock += dt
	}
	s.r.Extra += len(p.Report.Frames) - k
	return nil
}

// same checks that r is of the picture of frame i of the truth.
func (s *scorer) same(p Pair, i int, r *ReportFrame) error {
	t := &p.Truth.Frames[i]
	switch {
	case r.Width != t.Width || r.Height != t.Height:
		return fmt.Errorf("%s: frame %d has %d×%d pixels, and %d×%d in %s",
			place(p.Report.Path, r.Line), r.Frame, r.Width, r.Height, t.Width, t.Height, place(p.Truth.Path, t.Line))
	case !s.o.IgnorePTS && math.Abs(r.PTS-t.PTS) > p.Truth.lasts(i)/2 && len(p.Truth.Frames) > 1:
		return fmt.Errorf("%s: frame %d is at %.4g s, and at %.4g s in %s; use --ignore-pts only if they are the same picture",
			place(p.Report.Path, r.Line), r.Frame, r.PTS, t.PTS, place(p.Truth.Path, t.Line))
	}
	return nil
}

// still scores a single picture. It takes a second on the time line, but no time in the
// scores.
func (s *scorer) still(n int, p Pair) error {
	s.r.Stills++
	s.matcher, s.moves = regionMatcher{}, movement{}
	var r *ReportFrame
	if len(p.Report.Frames) > 1 {
		return fmt.Errorf("%s: %s of %s is a still, but the report has several lines for it",
			place(p.Report.Path, p.Report.Frames[1].Line), p.Truth.File, p.Truth.Path)
	}
	if len(p.Report.Frames) == 1 {
		r = &p.Report.Frames[0]
	}
	s.frame(n, 0, 0, &p.Truth.Frames[0], r, 0)
	s.clock++
	return nil
}

// frame scores frame i of pair n, shown for dt seconds. r is nil if the report lacks it.
func (s *scorer) frame(n, i, number int, t *TruthFrame, r *ReportFrame, dt float64) {
	s.r.Frames++
	picture := geom.Box{W: float64(t.Width), H: float64(t.Height)}
	if r != nil {
		picture = geom.Box{W: float64(r.Width), H: float64(r.Height)}
	} else {
		s.r.Missing++
		r = &ReportFrame{}
	}
	known := picture.Area() > 0
	if !known {
		picture = everywhere
	}
	s.regions, s.cover, s.zones = s.regions[:0], s.cover[:0], s.zones[:0]
	for k := range r.Regions {
		s.r.Sources[r.Regions[k].Source]++
		s.cover = append(s.cover, r.Regions[k].Box)
	}
	s.find(t, r)
	s.r.Blind.add(t, r, known && s.areas.union(picture, s.cover) >= picture.Area()-rounding, dt)
	s.moves.step(t, known && unlearned(r, picture))
	for k := range t.Faces {
		f := &t.Faces[k]
		inside := f.Box.Clip(picture)
		if f.Ignore || inside.Area() == 0 {
			continue
		}
		l := observation{
			key: personKey{n, f.Person}, face: f, iou: s.found[k], at: s.clock, dt: dt, frame: number,
			coverage: min(s.areas.union(inside, s.cover)/inside.Area(), 1),
			counts:   s.r.Cover != CoverMotion || s.moves.counts(f.Person),
		}
		l.exposed = l.coverage < CoveredShare-rounding
		if s.observe(&l, i); s.r.Cover == CoverPeople && known {
			s.body(&l, t.Bodies[f.Person].Clip(picture))
		}
	}
	if known {
		s.area(n, number, picture, t, r)
	}
	s.flicker(r)
}

// find matches face boxes with true faces, the best first, and stores the IoU of every
// face that was found.
func (s *scorer) find(t *TruthFrame, r *ReportFrame) {
	s.found, s.matches = append(s.found[:0], make([]float64, len(t.Faces))...), s.matches[:0]
	used := make([]bool, len(r.Regions))
	for i := range r.Regions {
		if !r.Regions[i].hasFace() {
			continue
		}
		s.r.Boxes++
		for k := range t.Faces {
			if iou := r.Regions[i].Face.IoU(t.Faces[k].Box); iou >= FoundIoU-rounding {
				s.matches = append(s.matches, match{i, k, iou})
			}
		}
	}
	eachBestMatch(s.matches, func(m match) {
		if used[m.a] || s.found[m.b] > 0 {
			return
		}
		used[m.a], s.found[m.b] = true, m.iou
		s.r.Matched++
	})
}

// body adds the trunk, within the picture, of a person whose face was observed.
func (s *scorer) body(l *observation, trunk geom.Box) {
	if f := s.o.Filter; trunk.Area() == 0 || !f.size(l.face) || !f.yaw(l.face) || !f.visible(l.face) {
		return
	}
	share := min(s.areas.union(trunk, s.cover)/trunk.Area(), 1)
	s.bodies.Frames++
	s.trunks += share
	if share >= BodyShare-rounding {
		s.bodies.Covered++
	}
}

// observe adds a face to its groups.
func (s *scorer) observe(l *observation, i int) {
	p := s.people[l.key]
	if p == nil {
		p = &presence{frame: i - 2}
		s.people[l.key] = p
	}
	if i > 0 && p.frame != i-1 {
		s.appearances++
	}
	if l.exposed && (!p.exposed || p.frame != i-1) {
		p.episode++
	}
	p.frame, p.exposed = i, l.exposed
	l.episode = p.episode

	f := s.o.Filter
	bySize, byYaw, byVisible := f.size(l.face), f.yaw(l.face), f.visible(l.face)
	if byYaw && byVisible && l.counts {
		s.size[sizeBucket(l.face)].add(l)
	}
	if bySize && byVisible && l.counts {
		s.yaw[yawBucket(l.face)].add(l)
	}
	if !bySize || !byYaw || !byVisible || !l.counts {
		s.hard.add(l)
		if st := s.headline.people[l.key]; st != nil {
			st.mark(l, hard)
		}
		return
	}
	st := s.headline.add(l)
	as := covered
	if l.exposed {
		as = exposed
		s.leak(st, l)
	}
	st.mark(l, as)
	if l.face.size() >= SteadySize {
		s.steady.add(l)
	}
}

// leak records an exposed face of the headline.
func (s *scorer) leak(st *personTally, l *observation) {
	if st.run == 1 {
		if len(s.r.Leaks) == MaxLeaks {
			st.leak = nil
			s.r.LeaksLeftOut++
			return
		}
		// Reserve the capacity so that pointers into the list stay valid.
		if s.r.Leaks == nil {
			s.r.Leaks = make([]Leak, 0, MaxLeaks)
		}
		s.r.Leaks = append(s.r.Leaks, Leak{File: s.names[l.key.pair], Person: l.key.person, First: l.frame, Coverage: 2})
		st.leak = &s.r.Leaks[len(s.r.Leaks)-1]
	}
	if st.leak == nil {
		return
	}
	st.leak.Last, st.leak.Frames, st.leak.Seconds = l.frame, st.run, st.leak.Seconds+l.dt
	if l.coverage < st.leak.Coverage {
		b := l.face.Box.Rect()
		st.leak.Coverage, st.leak.Size, st.leak.Yaw, st.leak.Visible = l.coverage, l.face.size(), Number(l.face.Yaw), l.face.Visible
		st.leak.Box = []int{b.Min.X, b.Min.Y, b.Dx(), b.Dy()}
	}
}

// area adds the obscured area and the false area.
func (s *scorer) area(n, number int, picture geom.Box, t *TruthFrame, r *ReportFrame) {
	s.holes = s.holes[:0]
	for k := range t.Faces {
		s.holes = append(s.holes, t.Faces[k].Box.Pad(PadSide, PadTop))
	}
	s.owners = s.owners[:0]
	for k := range r.Regions {
		if r.Regions[k].Source == geom.Zone {
			s.holes = append(s.holes, r.Regions[k].Box)
		} else {
			s.regions = append(s.regions, r.Regions[k].Box)
		}
		s.owners = append(s.owners, owner(t, &r.Regions[k]))
	}
	whole := picture.Area()
	all, wrong := s.areas.union(picture, s.cover)/whole, s.areas.except(picture, s.regions, s.holes)/whole
	s.areaFrames++
	s.obscured += all
	s.wrong += wrong
	s.r.timeline = append(s.r.timeline, moment{float32(s.clock), float32(all), float32(wrong)})
	a := &s.r.Area
	if s.areaFrames == 1 || wrong > float64(a.FalseMax) {
		a.FalseMax, a.FalseMaxFile, a.FalseMaxFrame = Number(wrong), s.names[n], number
	}
	a.ObscuredMax = max(a.ObscuredMax, Number(all))
	s.tracked = s.tracked[:0]
	for k := range r.Regions {
		if r.Regions[k].Source == geom.Zone {
			continue
		}
		v := trackedRegion{box: r.Regions[k].Box, track: r.Regions[k].Track, size: len(s.size) - 1, yaw: len(s.yaw) - 1}
		if f := s.owners[k]; f >= 0 {
			v.size, v.yaw = sizeBucket(&t.Faces[f]), yawBucket(&t.Faces[f])
		}
		s.tracked = append(s.tracked, v)
	}
	if wrong > 0 {
		s.share(s.size, picture, func(v *trackedRegion) int { return v.size })
		s.share(s.yaw, picture, func(v *trackedRegion) int { return v.yaw })
	}
}

// share adds the false area of every bucket.
func (s *scorer) share(buckets []bucketTally, picture geom.Box, in func(*trackedRegion) int) {
	for b := range buckets {
		s.some = s.some[:0]
		for k := range s.tracked {
			if in(&s.tracked[k]) == b {
				s.some = append(s.some, s.tracked[k].box)
			}
		}
		if len(s.some) > 0 {
			buckets[b].area += s.areas.except(picture, s.some, s.holes) / picture.Area()
		}
	}
}

// owner returns the face with the largest common area with a region, or −1. A region that
// covers half of the picture as a precaution belongs to no face.
func owner(t *TruthFrame, r *Region) int {
	if r.Source == geom.Zone || r.Source == geom.Failsafe {
		return -1
	}
	box := r.Box
	if r.hasFace() {
		box = r.Face
	}
	best, most := -1, 0.0
	for k := range t.Faces {
		if shared := box.Intersect(t.Faces[k].Box); shared > most {
			best, most = k, shared
		}
	}
	return best
}

// flicker compares the regions with those of the frame before.
func (s *scorer) flicker(r *ReportFrame) {
	if r.Line == 0 { // missing in the report
		s.matcher = regionMatcher{}
		return
	}
	s.matcher.step(s.tracked, func(v *trackedRegion, what func(*flickerSums)) {
		what(&s.flickerAll)
		what(&s.size[v.size].flicker)
		what(&s.yaw[v.yaw].flicker)
	})
}

func (s *scorer) result() *Result {
	r := &s.r
	r.Seconds = roundSeconds(r.Seconds)
	r.Headline, r.Hard = s.headline.result(r.Seconds), s.hard.result(r.Seconds)
	r.BySize, r.ByYaw = s.rows(s.size), s.rows(s.yaw)
	r.Area.Obscured, r.Area.False = over(s.obscured, s.areaFrames), over(s.wrong, s.areaFrames)
	if s.areaFrames == 0 {
		r.Area.ObscuredMax, r.Area.FalseMax = none, none
	}
	r.Blind.finish(r.Seconds)
	if b := &s.bodies; b.Frames > 0 {
		b.CoveredShare, b.Coverage = over(b.Covered, b.Frames), over(s.trunks, b.Frames)
		r.Bodies = b
	}
	r.Flicker = s.flickerAll.result(r.Seconds)
	r.Flicker.TrueAppear = over(float64(s.appearances), r.Seconds)
	for _, p := range s.steady.order {
		if roundSeconds(p.Seconds) < SteadySeconds {
			continue
		}
		r.Steady.People++
		if p.LongestRun <= SteadyRun {
			r.Steady.Held++
		}
	}
	r.Steady.Share = over(r.Steady.Held, r.Steady.People)
	r.People = make([]Person, 0, len(s.headline.order))
	for _, p := range s.headline.order {
		p.File, p.MeanCoverage = s.names[p.key.pair], over(p.coverage, p.Frames)
		p.Seconds, p.ExposedTime = roundSeconds(p.Seconds), roundSeconds(p.ExposedTime)
		r.People = append(r.People, p.Person)
	}
	r.length = s.clock
	for i := range r.Leaks {
		r.Leaks[i].Seconds = roundSeconds(r.Leaks[i].Seconds)
	}
	if r.Leaks == nil {
		r.Leaks = []Leak{}
	}
	return r
}

func (s *scorer) rows(buckets []bucketTally) []Group {
	rows := make([]Group, 0, len(buckets))
	for i := range buckets {
		b := &buckets[i]
		g := b.result(s.r.Seconds)
		area, flicker := over(b.area, s.areaFrames), b.flicker.result(s.r.Seconds)
		g.FalseArea, g.Flicker = &area, &flicker
		rows = append(rows, g)
	}
	return rows
}
