package measure

import (
	"cmp"
	"math"
	"slices"

	"scrim/redact/geom"
)

// sameRegion is the minimum IoU of regions without a track that count as the same one.
const sameRegion = 0.3

// flickerSums are the sums of a Flicker.
type flickerSums struct {
	appear, vanish  int
	moved, jittered float64
	moves, jitters  int
}

func (u *flickerSums) result(seconds float64) Flicker {
	return Flicker{
		Appear: over(float64(u.appear), seconds), Vanish: over(float64(u.vanish), seconds), TrueAppear: none,
		Move: over(u.moved, u.moves), Jitter: over(u.jittered, u.jitters),
	}
}

// trackedRegion is a region that is tracked from frame to frame.
type trackedRegion struct {
	box    geom.Box
	track  uint64
	size   int // buckets
	yaw    int
	motion [4]float64 // of the edges since the frame before
	moving bool       // there was a frame before
}

// regionMatcher tracks the regions of one video.
type regionMatcher struct {
	last    []trackedRegion
	started bool
	matches []match
}

type match struct {
	a, b int
	iou  float64
}

// step compares the regions of a frame with those of the previous frame; add is called
// once for each region with the changes.
func (f *regionMatcher) step(now []trackedRegion, add func(r *trackedRegion, what func(*flickerSums))) {
	defer func() { f.last, f.started = append(f.last[:0], now...), true }()
	if !f.started {
		return
	}
	from := f.match(now)
	gone := make([]bool, len(f.last))
	for i := range gone {
		gone[i] = true
	}
	for i := range now {
		r := &now[i]
		if from[i] < 0 {
			add(r, func(u *flickerSums) { u.appear++ })
			continue
		}
		gone[from[i]] = false
		old := &f.last[from[i]]
		a, b := old.box, r.box
		r.motion, r.moving = [4]float64{b.X - a.X, b.Y - a.Y, b.X + b.W - a.X - a.W, b.Y + b.H - a.Y - a.H}, true
		var moved, jitter float64
		for k, v := range r.motion {
			moved += math.Abs(v) / 4
			jitter += math.Abs(v-old.motion[k]) / 4
		}
		add(r, func(u *flickerSums) {
			u.moved += moved
			u.moves++
			if old.moving {
				u.jittered += jitter
				u.jitters++
			}
		})
	}
	for i := range f.last {
		if gone[i] {
			add(&f.last[i], func(u *flickerSums) { u.vanish++ })
		}
	}
}

// match returns for each region the index of the same region in the previous frame, or
// −1: that of the same track, or without a track, the one with the largest IoU.
func (f *regionMatcher) match(now []trackedRegion) []int {
	from, taken := make([]int, len(now)), make([]bool, len(f.last))
	byTrack := map[uint64]int{}
	for k := range f.last {
		if t := f.last[k].track; t != 0 {
			byTrack[t] = k
		}
	}
	f.matches = f.matches[:0]
	for i := range now {
		from[i] = -1
		if now[i].track != 0 {
			if k, ok := byTrack[now[i].track]; ok && !taken[k] {
				from[i], taken[k] = k, true
			}
			continue
		}
		for k := range f.last {
			if f.last[k].track != 0 {
				continue
			}
			if iou := now[i].box.IoU(f.last[k].box); iou >= sameRegion {
				f.matches = append(f.matches, match{i, k, iou})
			}
		}
	}
	eachBestMatch(f.matches, func(m match) {
		if from[m.a] < 0 && !taken[m.b] {
			from[m.a], taken[m.b] = m.b, true
		}
	})
	return from
}

// eachBestMatch calls use for the matches, the best first. It sorts them.
func eachBestMatch(matches []match, use func(match)) {
	slices.SortFunc(matches, func(a, b match) int {
		return cmp.Or(cmp.Compare(b.iou, a.iou), cmp.Compare(a.a, b.a), cmp.Compare(a.b, b.b))
	})
	for _, m := range matches {
		use(m)
	}
}
