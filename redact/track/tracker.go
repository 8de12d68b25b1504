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
	// MinPadding is the minimum padding on any side, as a fraction of the face's
	// size. Ears, hair and chin identify a person, too.
	MinPadding = 0.3
	// DefaultPaddingTop is the padding above, where the hair is.
	DefaultPaddingTop = 0.5
	// DefaultHold is how long a face stays covered after the detector lost it.
	DefaultHold = time.Second
	// HoldWithWeak is the default hold with a detector that reports weak sightings:
	// a face is lost only after these have ended, too.
	HoldWithWeak = 400 * time.Millisecond
	// MinHoldPictures is the minimum number of pictures for which a lost face stays
	// covered. It matters at low frame rates.
	MinHoldPictures = 4
	// MaxTracks is the maximum number of tracks. Beyond it the tracks of the faces
	// that were lost longest end first.
	MaxTracks = 1024
)

const (
	// For startupTime after the first picture, weak sightings may start tracks: the
	// tracker does not know yet which of them continue a track. The same applies
	// after a gap of more than maxGapTime and maxGapIntervals intervals.
	startupTime     = weakCarryTime
	maxGapTime      = HoldWithWeak
	maxGapIntervals = 3
	// minAffinity is the minimum affinity of a track and a face that may be the same.
	minAffinity = 0.15
	// maxSizeRatio limits how much a face grows or shrinks from one picture to
	// the next.
	maxSizeRatio = 2.0
	// reach is how much further from its prediction a face may be found again, in
	// face sizes per second since it was lost.
	reach = 4.0
	// weakIoU is the minimum IoU of a weak sighting with the prediction.
	weakIoU = 0.5
	// sameIoU is the minimum IoU of a face with the prediction at which it certainly
	// is the same face.
	sameIoU = 0.3
)

// Options are a Tracker's settings.
type Options struct {
	// Padding on the left, right and below, and PaddingTop above, as fractions
	// of the face's size. Less than MinPadding counts as MinPadding unless
	// Cosmetic is set; 0 means MinPadding and DefaultPaddingTop.
	Padding, PaddingTop float64
	// Cosmetic allows less padding: the owner accepts that faces are recovered.
	Cosmetic bool
	// Hold is how long a lost face stays covered; 0 means DefaultHold, or
	// HoldWithWeak with Weak.
	Hold time.Duration
	// Weak is set if the detector reports weak sightings.
	Weak bool
}

// track is one face over time.
type track struct {
	id    uint64
	ghost bool            // covers a place that its face may not have left; matches no face
	lost  bool            // not found in this picture
	rect  image.Rectangle // obscured in the last picture

	// The last sighting.
	found    time.Time
	box      geom.Box
	env      geom.Box // what is covered of the face
	score    float64
	rotation geom.Rotation
	weak     bool     // it was a weak sighting
	misses   int      // pictures since
	predBox  geom.Box // predicted for this picture
	vx, vy   float64  // of the centre, pixels per second
	velocity bool     // vx, vy were measured
	steady   int      // sightings in a row that were where they were predicted

	// The last sighting that was not weak.
	confidentAt   time.Time
	lastConfident place

	// The first sighting.
	first    time.Time
	firstBox geom.Box

	// The sighting before, if the face was found again in this picture.
	gap      bool
	gapStart time.Time
	gapBox   geom.Box

	uncertainty float64 // that it is a face, 0 to 1; falls with each sighting
	proximity   float64 // to the camera, 0 to 1
}

// place is the position and movement of a face at a sighting.
type place struct {
	env    geom.Box
	vx, vy float64
	steady int
	score  float64
}

// Tracker tracks the faces of one camera. It is not safe for concurrent use.
type Tracker struct {
	o    Options
	last uint64 // the highest number of a track

	resumedAt   time.Time // the first picture, or the first after a gap
	lastPicture time.Time
	interval    time.Duration // about the time between pictures; 0: unknown
	short       float64       // the shorter side of the picture in pixels
	restless    bool

	tracks  []*track
	free    []*track // for reuse
	pairs   []pair
	taken   []bool
	regions []geom.Region
}

// pair is a track and a face that may be the same.
type pair struct {
	track, face int
	affinity    float64
}

// New returns a Tracker without tracks.
func New(o Options) *Tracker { return &Tracker{o: o.WithDefaults()} }

// WithDefaults returns o with defaults for what is not set, and a padding that is
// not too small.
func (o Options) WithDefaults() Options {
	minPadding := MinPadding
	if o.Cosmetic {
		minPadding = 0
	}
	o.PaddingTop = cmp.Or(o.PaddingTop, DefaultPaddingTop)
	if o.Padding == 0 || !(o.Padding >= minPadding) {
		o.Padding = MinPadding
	}
	if !(o.PaddingTop >= minPadding) {
		o.PaddingTop = MinPadding
	}
	if o.Hold <= 0 {
		if o.Hold = DefaultHold; o.Weak {
			o.Hold = HoldWithWeak
		}
	}
	return o
}

// SetRestless says whether pictures, from the next one on, change all over, as in rain or noise.
// Any face may be missed there, however near it is, so whatever was found stays covered for
// longer.
func (t *Tracker) SetRestless(restless bool) { t.restless = restless }

// Reset forgets all faces. Numbers of tracks are not used again.
func (t *Tracker) Reset() {
	t.free = append(t.free, t.tracks...)
	t.tracks = t.tracks[:0]
	t.resumedAt = time.Time{}
}

// Update adds the faces found in one picture of the given size in pixels. It
// returns what must be obscured in the picture, valid until the next call. Every
// face lies within the region of its track; tracks without a face in this picture
// are held.
func (t *Tracker) Update(at time.Time, faces []face.Face, width, height int) []geom.Region {
	t.short = float64(min(width, height))
	t.notePicture(at)
	t.dropExpired(at)
	for _, tr := range t.tracks {
		tr.lost, tr.gap = true, false
		tr.misses++
		tr.predBox = tr.predict(tr.box, at)
	}
	t.associate(faces, at)
	for _, p := range t.pairs {
		tr, f := t.tracks[p.track], faces[p.face]
		if tr.misses > 0 && tr.predBox.IoU(f.Box) < sameIoU {
			// It may be another person, and the first one may still be here.
			t.leaveGhost(tr)
		}
		t.measure(tr, f, at)
	}
	for i, f := range faces {
		if !t.taken[i] && (!f.Weak || t.mayStart(f.Box, at, width, height)) {
			t.start(f, at)
		}
	}
	t.limitTracks()
	return t.regionsNow(at, image.Rect(0, 0, width, height))
}

// notePicture updates the interval of pictures and detects gaps between them.
func (t *Tracker) notePicture(at time.Time) {
	gap := at.Sub(t.lastPicture)
	switch {
	case t.resumedAt.IsZero():
		t.resumedAt, t.interval = at, 0
	case gap > max(maxGapTime, maxGapIntervals*t.interval):
		t.resumedAt = at
		if t.interval > 0 { // the frame rate may be low from now on
			gap = min(gap, 2*t.interval)
		}
		t.interval = gap
	default:
		t.interval = gap
	}
	t.lastPicture = at
}

// mayStart reports whether a weak sighting may start a track:
//
//   - at the edge of the picture, where a face that comes in is only partly visible
//     and scores less;
//   - for startupTime after the start or a gap, anywhere.
//
// Near the camera faces do not score that low.
func (t *Tracker) mayStart(b geom.Box, at time.Time, width, height int) bool {
	cut := b.X < 0 || b.Y < 0 || b.X+b.W > float64(width) || b.Y+b.H > float64(height)
	return t.proximity(b) == 0 && (cut || at.Sub(t.resumedAt) < startupTime)
}

// dropExpired ends the tracks that were held for their time.
func (t *Tracker) dropExpired(at time.Time) {
	t.tracks = slices.DeleteFunc(t.tracks, func(tr *track) bool {
		gone := t.expired(tr, at)
		if gone {
			t.free = append(t.free, tr)
		}
		return gone
	})
}

// associate sets t.pairs to the tracks and faces that match, best first, each at
// most once, and t.taken to whether a face has a track.
func (t *Tracker) associate(faces []face.Face, at time.Time) {
	t.pairs = t.pairs[:0]
	for i, tr := range t.tracks {
		for j, f := range faces {
			if tr.ghost {
				break
			}
			a := affinity(tr.predBox, f.Box, 1+reach*at.Sub(tr.found).Seconds())
			switch {
			case f.Weak && (tr.predBox.IoU(f.Box) < weakIoU || at.Sub(tr.confidentAt) > tr.maxWeakAge()):
				continue
			case f.Weak:
				a-- // after all confident ones
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

// affinity returns how likely two boxes are the same face, 0 to 1, from their
// overlap and distance. Beyond maxDistance, in face sizes, the distance adds nothing.
func affinity(a, b geom.Box, maxDistance float64) float64 {
	sa, sb := math.Sqrt(a.Area()), math.Sqrt(b.Area())
	if sa <= 0 || sb <= 0 || sa > maxSizeRatio*sb || sb > maxSizeRatio*sa {
		return 0
	}
	d := math.Hypot(a.X+a.W/2-b.X-b.W/2, a.Y+a.H/2-b.Y-b.H/2) / ((sa + sb) / 2)
	return (max(0, 1-d/maxDistance) + a.IoU(b)) / 2 * min(sa, sb) / max(sa, sb)
}

// leaveGhost leaves a ghost in the place of a track that continues elsewhere.
func (t *Tracker) leaveGhost(tr *track) {
	g := t.newTrack()
	id := g.id
	*g = *tr
	g.id, g.ghost, g.lost = id, true, true
}

// newTrack adds a track with a new number.
func (t *Tracker) newTrack() *track {
	var tr *track
	if n := len(t.free); n > 0 {
		tr, t.free = t.free[n-1], t.free[:n-1]
	} else {
		tr = new(track)
	}
	t.last++
	*tr = track{id: t.last}
	t.tracks = append(t.tracks, tr)
	return tr
}

// start starts a track.
func (t *Tracker) start(f face.Face, at time.Time) {
	tr := t.newTrack()
	proximity := t.proximity(f.Box)
	*tr = track{
		id: tr.id, box: f.Box, env: f.Box, score: f.Score, rotation: f.Rotation, found: at, first: at, firstBox: f.Box,
		proximity: proximity, uncertainty: uncertainty(f.Score, proximity), confidentAt: at, lastConfident: place{env: f.Box, score: f.Score},
	}
}

// limitTracks ends the tracks that were lost longest if there are too many.
func (t *Tracker) limitTracks() {
	if len(t.tracks) <= MaxTracks {
		return
	}
	slices.SortStableFunc(t.tracks, func(a, b *track) int { return b.found.Compare(a.found) })
	for n := len(t.tracks); n > MaxTracks && t.tracks[n-1].lost; n-- {
		t.free = append(t.free, t.tracks[n-1])
		t.tracks = t.tracks[:n-1]
	}
}
