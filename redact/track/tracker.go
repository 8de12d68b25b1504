package track

import (
	"cmp"
	"image"
	"math"
	"slices"
	"time"

	"scrim/redact/face"
	"scrim/redact/geom"
)

const (
	// MinPadding is the least padding on any side, as a fraction of the face's
	// size. Ears, hair and chin recognise a person, too.
	MinPadding = 0.3
	// DefaultPaddingTop is the padding above, where the hair is.
	DefaultPaddingTop = 0.5
	// DefaultHold is how long a face stays covered after the detector lost it.
	DefaultHold = time.Second
	// HoldAfterWeak is that for a detector that reports weak sightings, too: a face
	// is lost then only when not even they are left.
	HoldAfterWeak = 400 * time.Millisecond
	// MinHoldPictures is for how many pictures a lost face stays covered at least,
	// where pictures come slowly.
	MinHoldPictures = 4
	// MaxTracks bounds the faces that are followed at a time. Beyond it those
	// lost longest are given up first.
	MaxTracks = 1024
)

const (
	// blindFor is how long a tracker that begins, or has seen nothing for more than
	// blindAfter and blindPictures, takes weak sightings for faces: it cannot know which
	// of them it would have carried on.
	blindFor      = weakFor
	blindAfter    = HoldAfterWeak
	blindPictures = 3
	// minAffinity is the least affinity of a track and a face that may be the same.
	minAffinity = 0.15
	// maxSizeRatio bounds how much a face grows or shrinks from one picture to
	// the next.
	maxSizeRatio = 2.0
	// reach is by how much further from its prediction a face may be found again
	// for each second for which it was lost, in face sizes.
	reach = 4.0
	// weakIoU is the least IoU of a weak sighting with where a face is thought to
	// be.
	weakIoU = 0.5
	// sameIoU is the least IoU of a face with where it was thought to be that
	// leaves no doubt that it is the same.
	sameIoU = 0.3
)

// Options are a Tracker's settings.
type Options struct {
	// Padding on the left, right and below, and PaddingTop above, as fractions
	// of the face's size. Less than MinPadding counts as MinPadding unless
	// Cosmetic is set; 0 means MinPadding and DefaultPaddingTop.
	Padding, PaddingTop float64
	// Cosmetic admits less padding: its owner accepts that faces are recovered.
	Cosmetic bool
	// Hold is how long a lost face stays covered; 0 means DefaultHold, or
	// HoldAfterWeak with Weak.
	Hold time.Duration
	// Weak says that the detector reports weak sightings.
	Weak bool
}

// track is one face over time.
type track struct {
	id       uint64
	box      geom.Box // as last found
	env      geom.Box // what is covered of it, when last found
	ghost    bool     // a place that stays covered; no face is taken for it
	score    float64
	vx, vy   float64 // of the centre, pixels a second
	found    time.Time
	rect     image.Rectangle // what was obscured last
	lost     bool
	predBox  geom.Box  // where it is thought to be now
	first    time.Time // when it was first found, and where
	firstBox geom.Box
	gap      bool      // it was found again now, after pictures without it
	gapFrom  time.Time // when it had been found before, and where
	gapBox   geom.Box
	misses   int       // pictures since it was found
	velocity bool      // vx, vy were measured
	weak     bool      // found by a weak sighting only
	sure     time.Time // when it was last found by one that is not weak
	steady   int       // sightings in a row that were where they had been expected
	surely   place     // where it was when it was last found by one that is not weak
	doubt    float64   // that it is a face at all, 0 to 1: less with each sighting
	near     float64   // how near to the camera it is, 0 to 1
}

// place is what is known of a face's whereabouts and movement at a sighting.
type place struct {
	env    geom.Box
	vx, vy float64
	steady int
	score  float64
}

// Tracker follows the faces of one camera. It is not safe for concurrent use.
type Tracker struct {
	o       Options
	last    uint64
	since   time.Time     // it knows what was before, from a while after this on; zero: nothing yet
	seen    time.Time     // the last picture
	pace    time.Duration // about how long there is between two; 0: unknown
	short   float64       // the shorter side of the picture, pixels
	tracks  []*track
	spare   []*track
	pairs   []pair
	taken   []bool
	regions []geom.Region
}

// pair is a track and a face that may be the same.
type pair struct {
	track, face int
	affinity    float64
}

// New returns a Tracker that follows nothing yet.
func New(o Options) *Tracker {
	least := MinPadding
	if o.Cosmetic {
		least = 0
	}
	if o.PaddingTop == 0 {
		o.PaddingTop = DefaultPaddingTop
	}
	if o.Padding == 0 || !(o.Padding >= least) {
		o.Padding = MinPadding
	}
	if !(o.PaddingTop >= least) {
		o.PaddingTop = MinPadding
	}
	if o.Hold <= 0 {
		if o.Hold = DefaultHold; o.Weak {
			o.Hold = HoldAfterWeak
		}
	}
	return &Tracker{o: o}
}

// Reset forgets all faces. Numbers of tracks are not used again.
func (t *Tracker) Reset() {
	t.spare = append(t.spare, t.tracks...)
	t.tracks = t.tracks[:0]
	t.since = time.Time{}
}

// Update takes the faces found in one picture of the given size in pixels, and
// returns what must be obscured in it, valid until the next call. Every face
// lies within the region of its track; tracks without a face in this picture
// are held.
func (t *Tracker) Update(at time.Time, faces []face.Face, width, height int) []geom.Region {
	t.short = float64(min(width, height))
	t.remember(at)
	t.expire(at)
	for _, tr := range t.tracks {
		tr.lost, tr.gap = true, false
		tr.misses++
		tr.predBox = tr.predict(tr.box, at)
	}
	t.associate(faces, at)
	for _, p := range t.pairs {
		tr, f := t.tracks[p.track], faces[p.face]
		if tr.misses > 0 && tr.predBox.IoU(f.Box) < sameIoU {
			// It may be somebody else, while the one who was here still is.
			t.haunt(tr)
		}
		t.measure(tr, f, at)
	}
	for i, f := range faces {
		if !t.taken[i] && (!f.Weak || t.credible(f.Box, at, width, height)) {
			t.begin(f, at)
		}
	}
	t.bound()
	return t.cover(at, image.Rect(0, 0, width, height))
}

// remember notes that there is a picture, and whether much has gone unseen before it.
func (t *Tracker) remember(at time.Time) {
	gap := at.Sub(t.seen)
	switch {
	case t.since.IsZero():
		t.since, t.pace = at, 0
	case gap > max(blindAfter, blindPictures*t.pace):
		t.since = at
		if t.pace > 0 { // pictures may come slowly from now on
			gap = min(gap, 2*t.pace)
		}
		t.pace = gap
	default:
		t.pace = gap
	}
	t.seen = at
}

// credible reports whether a track may begin with a weak sighting: one of somebody who
// may be coming into the picture, since of a face that the edge cuts off less is to be
// seen, and the detector doubts it; and any while nothing is known of what was before.
// Near the camera it does not doubt faces.
func (t *Tracker) credible(b geom.Box, at time.Time, width, height int) bool {
	cut := b.X < 0 || b.Y < 0 || b.X+b.W > float64(width) || b.Y+b.H > float64(height)
	return t.near(b) == 0 && (cut || at.Sub(t.since) < blindFor)
}

// expire gives up the tracks that were held for their time.
func (t *Tracker) expire(at time.Time) {
	t.tracks = slices.DeleteFunc(t.tracks, func(tr *track) bool {
		gone := t.over(tr, at)
		if gone {
			t.spare = append(t.spare, tr)
		}
		return gone
	})
}

// associate leaves in t.pairs which track is which face, best first, each at
// most once, and in t.taken which faces have a track.
func (t *Tracker) associate(faces []face.Face, at time.Time) {
	t.pairs = t.pairs[:0]
	for i, tr := range t.tracks {
		for j, f := range faces {
			if tr.ghost {
				break
			}
			a := affinity(tr.predBox, f.Box, 1+reach*at.Sub(tr.found).Seconds())
			switch {
			case f.Weak && (tr.predBox.IoU(f.Box) < weakIoU || at.Sub(tr.sure) > tr.weakly()):
				continue
			case f.Weak:
				a-- // after all that are sure
			case a < minAffinity:
				continue
			}
			t.pairs = append(t.pairs, pair{i, j, a})
		}
	}
	slices.SortStableFunc(t.pairs, func(a, b pair) int { return cmp.Compare(b.affinity, a.affinity) })
	t.taken = append(t.taken[:0], make([]bool, len(faces))...)
	kept := t.pairs[:0]
	for _, p := range t.pairs {
		if tr := t.tracks[p.track]; tr.lost && !t.taken[p.face] {
			tr.lost, t.taken[p.face] = false, true
			kept = append(kept, p)
		}
	}
	t.pairs = kept
}

// affinity says how likely two boxes are the same face, 0 to 1: by overlap, and
// by how near they are to one another; at gate sizes they are strangers.
func affinity(a, b geom.Box, gate float64) float64 {
	sa, sb := math.Sqrt(a.Area()), math.Sqrt(b.Area())
	if sa <= 0 || sb <= 0 || sa > maxSizeRatio*sb || sb > maxSizeRatio*sa {
		return 0
	}
	d := math.Hypot(a.X+a.W/2-b.X-b.W/2, a.Y+a.H/2-b.Y-b.H/2) / ((sa + sb) / 2)
	return (max(0, 1-d/gate) + a.IoU(b)) / 2 * min(sa, sb) / max(sa, sb)
}

// haunt leaves a ghost in the place of a track that goes on elsewhere.
func (t *Tracker) haunt(tr *track) {
	g := t.fresh()
	id := g.id
	*g = *tr
	g.id, g.ghost, g.lost = id, true, true
}

// fresh returns a new track with a number of its own.
func (t *Tracker) fresh() *track {
	var tr *track
	if n := len(t.spare); n > 0 {
		tr, t.spare = t.spare[n-1], t.spare[:n-1]
	} else {
		tr = new(track)
	}
	t.last++
	*tr = track{id: t.last}
	t.tracks = append(t.tracks, tr)
	return tr
}

// begin starts a track.
func (t *Tracker) begin(f face.Face, at time.Time) {
	tr := t.fresh()
	near := t.near(f.Box)
	*tr = track{
		id: tr.id, box: f.Box, env: f.Box, score: f.Score, found: at, first: at, firstBox: f.Box,
		near: near, doubt: doubt(f.Score, near), sure: at, surely: place{env: f.Box, score: f.Score},
	}
}

// bound gives up the tracks that were lost longest when there are too many.
func (t *Tracker) bound() {
	if len(t.tracks) <= MaxTracks {
		return
	}
	slices.SortStableFunc(t.tracks, func(a, b *track) int { return b.found.Compare(a.found) })
	for n := len(t.tracks); n > MaxTracks && t.tracks[n-1].lost; n-- {
		t.spare = append(t.spare, t.tracks[n-1])
		t.tracks = t.tracks[:n-1]
	}
}
