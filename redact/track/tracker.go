package track

import (
	"cmp"
	"image"
	"math"
	"slices"
	"time"

	"scrim/redact/face"
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
	// minAffinity is the least affinity of a track and a face that may be the same.
	minAffinity = 0.15
	// maxSizeRatio bounds how much a face grows or shrinks from one picture to
	// the next.
	maxSizeRatio = 2.0
	// velocityGain is the weight of a new measurement of the velocity.
	velocityGain = 0.4
	// maxSpeed bounds the velocity that is believed, in face sizes a second.
	maxSpeed = 12.0
	// coast is the time constant with which a lost face is thought to slow down.
	coast = 2 * time.Second
	// reach is by how much further from its prediction a face may be found again
	// for each second for which it was lost, in face sizes.
	reach = 4.0
	// unknownSpeed is the speed, in face sizes a second, that a face may have
	// which was found only once; unknownReach is how far that is believed, and
	// doubtfulReach where it may be no face.
	unknownSpeed  = 8.0
	unknownReach  = 1.0
	doubtfulReach = 0.4
	// minHold is how long a lost face of which little is believed stays covered.
	minHold = 250 * time.Millisecond
	// weakIoU is the least IoU of a weak sighting with where a face is thought to
	// be.
	weakIoU = 0.5
	// holdWeak is how long a face stays covered after a weak sighting, once the time
	// after the last one that was not weak is over.
	holdWeak = 150 * time.Millisecond
	// weakFor is how long weak sightings alone carry a face on.
	weakFor = time.Second
	// doubtful and certain are the scores at which a single sighting says nothing
	// beyond itself, and at which it leaves no doubt that there is a face.
	doubtful, certain = 0.35, 0.75
	// braking is how fast a face slows down at most, in face sizes per second
	// squared: 1.5 m/s², a walker who stops, for a face of 19 cm.
	braking = 8.0
	// steadySightings is how many sightings in a row must have been where they had
	// been expected before a velocity is believed so far that what lies behind is
	// given up.
	steadySightings = 5
	// calmGrowth and growth are by how much of its size a held region grows on
	// each side in a second, where the face stood still and where it moved by
	// restless face sizes a second or more.
	calmGrowth, growth, restless = 0.15, 0.3, 1.0
	// shrink is the time constant with which what is covered of a face shrinks to
	// what was found: detectors find half of a face, too.
	shrink = 250 * time.Millisecond
	// sameIoU is the least IoU of a face with where it was thought to be that
	// leaves no doubt that it is the same.
	sameIoU = 0.3
	// calmMargin is added around a region that is made anew, as a fraction of
	// the face's size, so that small movements stay within it; calmExcess is how
	// many times larger than needed a region may become before it is made anew;
	// calmStep is by how many face sizes each of its sides then moves inwards in a
	// picture at most.
	calmMargin = 0.06
	calmExcess = 1.3
	calmStep   = 0.4
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
	box      face.Box // as last found
	env      face.Box // what is covered of it, when last found
	ghost    bool     // a place that stays covered; no face is taken for it
	score    float64
	vx, vy   float64 // of the centre, pixels a second
	found    time.Time
	rect     image.Rectangle // what was obscured last
	lost     bool
	predBox  face.Box  // where it is thought to be now
	first    time.Time // when it was first found, and where
	firstBox face.Box
	gap      bool      // it was found again now, after pictures without it
	gapFrom  time.Time // when it had been found before, and where
	gapBox   face.Box
	misses   int       // pictures since it was found
	velocity bool      // vx, vy were measured
	weak     bool      // found by a weak sighting only
	sure     time.Time // when it was last found by one that is not weak
	steady   int       // sightings in a row that were where they had been expected
	surely   place     // where it was when it was last found by one that is not weak
	doubt    float64   // that it is a face at all, 0 to 1: less with each sighting
}

// place is what is known of a face's whereabouts and movement at a sighting.
type place struct {
	env    face.Box
	vx, vy float64
	steady int
}

// Tracker follows the faces of one camera. It is not safe for concurrent use.
type Tracker struct {
	o       Options
	last    uint64
	tracks  []*track
	spare   []*track
	pairs   []pair
	taken   []bool
	regions []face.Region
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
}

// Update takes the faces found in one picture of the given size in pixels, and
// returns what must be obscured in it, valid until the next call. Every face
// lies within the region of its track; tracks without a face in this picture
// are held.
func (t *Tracker) Update(at time.Time, faces []face.Face, width, height int) []face.Region {
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
		tr.measure(f, at)
	}
	for i, f := range faces {
		if !t.taken[i] && !f.Weak {
			t.begin(f, at)
		}
	}
	t.bound()
	return t.cover(at, image.Rect(0, 0, width, height))
}

// expire gives up the tracks that were held for their time.
func (t *Tracker) expire(at time.Time) {
	t.tracks = slices.DeleteFunc(t.tracks, func(tr *track) bool {
		gone := at.Sub(tr.sure) > tr.hold(t.o.Hold) && at.Sub(tr.found) > tr.linger(t.o.Hold) && tr.misses >= MinHoldPictures
		if gone {
			t.spare = append(t.spare, tr)
		}
		return gone
	})
}

// predict returns where a box that was last measured is thought to be, slowing
// down.
func (tr *track) predict(b face.Box, at time.Time) face.Box {
	dt := max(0, at.Sub(tr.found)).Seconds()
	travel := coast.Seconds() * (1 - math.Exp(-dt/coast.Seconds()))
	b.X += tr.vx * travel
	b.Y += tr.vy * travel
	return b
}

// unknown returns by how much of its size the region grows in so many seconds
// while the face's velocity is not known: by less where it may be no face.
func (tr *track) unknown(seconds float64) float64 {
	return min(unknownReach-(unknownReach-doubtfulReach)*tr.doubt, unknownSpeed*seconds)
}

// stopped returns where a box that was last measured is at least by now: as if
// it had begun to stop as soon as it was lost. While its velocity is in doubt
// that is where it was.
func (tr *track) stopped(b face.Box, at time.Time) face.Box {
	speed, limit := math.Hypot(tr.vx, tr.vy), braking*math.Sqrt(tr.box.Area())
	if tr.steady < steadySightings || speed <= 0 || limit <= 0 {
		return b
	}
	dt := min(max(0, at.Sub(tr.found)).Seconds(), speed/limit)
	travel := dt - limit*dt*dt/2/speed
	b.X += tr.vx * travel
	b.Y += tr.vy * travel
	return b
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
			case f.Weak && (tr.predBox.IoU(f.Box) < weakIoU || at.Sub(tr.sure) > weakFor):
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
func affinity(a, b face.Box, gate float64) float64 {
	sa, sb := math.Sqrt(a.Area()), math.Sqrt(b.Area())
	if sa <= 0 || sb <= 0 || sa > maxSizeRatio*sb || sb > maxSizeRatio*sa {
		return 0
	}
	d := math.Hypot(a.X+a.W/2-b.X-b.W/2, a.Y+a.H/2-b.Y-b.H/2) / ((sa + sb) / 2)
	return (max(0, 1-d/gate) + a.IoU(b)) / 2 * min(sa, sb) / max(sa, sb)
}

// measure takes over a face that was found.
func (tr *track) measure(f face.Face, at time.Time) {
	if dt := at.Sub(tr.found).Seconds(); dt > 0 {
		limit := maxSpeed * math.Sqrt(f.Box.Area())
		if tr.steady++; tr.predBox.IoU(f.Box) < sameIoU {
			tr.steady = 0
		}
		vx := clamp((f.Box.X+f.Box.W/2-tr.box.X-tr.box.W/2)/dt, limit)
		vy := clamp((f.Box.Y+f.Box.H/2-tr.box.Y-tr.box.H/2)/dt, limit)
		if tr.velocity {
			vx, vy = tr.vx+velocityGain*(vx-tr.vx), tr.vy+velocityGain*(vy-tr.vy)
		}
		tr.vx, tr.vy, tr.velocity = vx, vy, true
	}
	tr.env = envelope(f.Box, tr.predict(tr.env, at), at.Sub(tr.found))
	tr.gap, tr.gapFrom, tr.gapBox = tr.misses > 1, tr.found, tr.box
	tr.box, tr.score, tr.found, tr.misses = f.Box, f.Score, at, 0
	if tr.weak = f.Weak; !tr.weak {
		tr.doubt *= doubt(f.Score)
		tr.sure, tr.surely = at, place{tr.env, tr.vx, tr.vy, tr.steady}
	}
}

// doubt returns how much a sighting of a score leaves open whether there is a
// face.
func doubt(score float64) float64 {
	return 1 - min(max((score-doubtful)/(certain-doubtful), 0), 1)
}

// hold returns how long the face stays covered once it is lost: the whole time
// if it is one, less the more doubt there is.
func (tr *track) hold(whole time.Duration) time.Duration {
	least := min(minHold, whole)
	return whole - time.Duration(tr.doubt*float64(whole-least))
}

// linger returns how long the face stays covered after its last sighting, for the
// whole time only if that was no weak one.
func (tr *track) linger(whole time.Duration) time.Duration {
	if tr.weak {
		return min(holdWeak, whole)
	}
	return tr.hold(whole)
}

// growth returns by how much of its size the region grows in a second in which
// nothing is known of the face.
func (tr *track) growth() float64 {
	size := math.Sqrt(tr.box.Area())
	if size <= 0 {
		return growth
	}
	return calmGrowth + (growth-calmGrowth)*min(1, math.Hypot(tr.vx, tr.vy)/(restless*size))
}

// envelope returns what must be covered of a face: what was found, and what was
// covered before as far as it has not shrunk yet.
func envelope(found, before face.Box, dt time.Duration) face.Box {
	f := 1 - math.Exp(-max(0, dt).Seconds()/shrink.Seconds())
	mix := func(from, to float64) float64 { return from + f*(to-from) }
	left := min(found.X, mix(before.X, found.X))
	top := min(found.Y, mix(before.Y, found.Y))
	right := max(found.X+found.W, mix(before.X+before.W, found.X+found.W))
	bottom := max(found.Y+found.H, mix(before.Y+before.H, found.Y+found.H))
	return face.Box{X: left, Y: top, W: right - left, H: bottom - top}
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

func clamp(v, limit float64) float64 { return min(max(v, -limit), limit) }

// begin starts a track.
func (t *Tracker) begin(f face.Face, at time.Time) {
	tr := t.fresh()
	*tr = track{
		id: tr.id, box: f.Box, env: f.Box, score: f.Score, found: at, first: at, firstBox: f.Box,
		doubt: doubt(f.Score), sure: at, surely: place{env: f.Box},
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

// cover returns the region of every track that reaches into the picture.
func (t *Tracker) cover(at time.Time, bounds image.Rectangle) []face.Region {
	t.regions = t.regions[:0]
	for _, tr := range t.tracks {
		source := face.Detected
		need := face.Pad(tr.env, t.o.Padding, t.o.PaddingTop)
		if tr.weak {
			source = face.Tracked
		}
		if tr.lost {
			source = face.Held
			lost := at.Sub(tr.found).Seconds()
			grown := tr.growth() * min(1, lost/t.o.Hold.Seconds())
			if !tr.velocity {
				grown = max(grown, tr.unknown(lost))
			}
			// And all the way to where it would be by now if it had stopped: people do.
			need = face.Pad(tr.predict(tr.env, at), t.o.Padding+grown, t.o.PaddingTop+grown).
				Union(face.Pad(tr.stopped(tr.env, at), t.o.Padding+calmGrowth*lost, t.o.PaddingTop))
		}
		if tr.weak && at.Sub(tr.sure) <= tr.hold(t.o.Hold) {
			// Something else may have carried the weak sightings off.
			was := *tr
			was.found, was.vx, was.vy, was.steady = tr.sure, tr.surely.vx, tr.surely.vy, tr.surely.steady
			need = need.Union(face.Pad(was.stopped(tr.surely.env, at), t.o.Padding, t.o.PaddingTop))
		}
		tr.settle(need)
		if tr.rect.Overlaps(bounds) {
			t.regions = append(t.regions, face.Region{Rect: tr.rect, Face: tr.box, Score: tr.score, Source: source, Track: tr.id})
		}
	}
	return t.regions
}

// settle makes the region hold what is needed. It stays as it is while it
// does so without being much too large, grows at once, and shrinks in steps.
func (tr *track) settle(need image.Rectangle) {
	if need.In(tr.rect) && float64(tr.rect.Dx())*float64(tr.rect.Dy()) <= calmExcess*float64(need.Dx())*float64(need.Dy()) {
		return
	}
	size := math.Max(tr.box.W, tr.box.H)
	r := need.Inset(-int(math.Ceil(calmMargin * size)))
	if before := tr.rect; before.Overlaps(r) {
		step := int(math.Ceil(calmStep * size))
		r.Min.X, r.Min.Y = min(r.Min.X, before.Min.X+step), min(r.Min.Y, before.Min.Y+step)
		r.Max.X, r.Max.Y = max(r.Max.X, before.Max.X-step), max(r.Max.Y, before.Max.Y-step)
	}
	tr.rect = r
}
