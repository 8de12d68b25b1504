package motion

import (
	"fmt"
	"time"

	"scrim/redact"
	"scrim/redact/face"
	"scrim/redact/yuv"
)

// DefaultAbsorb is how long what moved stays covered after its last movement.
const DefaultAbsorb = 10 * time.Minute

// Reasons why the background is not known.
const (
	WhyLearning = "the background is being learned"
	WhyUnseen   = "the background cannot be learned"
	WhyLight    = "the light has changed"
	WhyMoved    = "the camera has moved"
	WhyNoisy    = "too noisy"
	WhyDark     = "too dark"
)

const (
	// learnTime is how long the background is learned before it is known, longestLearning
	// if not nearlyAll of the cells are known by then; leastKnown must be. A cell must
	// have been the same for stableTime of it, and clearRatio times as long as it was
	// anything else.
	learnTime             = 8 * time.Second
	longestLearning       = 9500 * time.Millisecond
	stableTime            = 1500 * time.Millisecond
	clearRatio            = 2
	leastLooks            = 5
	nearlyAll, leastKnown = 0.98, 0.02
	// learnInterval is the time between two looks at the picture that are learned from,
	// and idleInterval that between any two while no regions are wanted.
	learnInterval = 200 * time.Millisecond
	idleInterval  = 400 * time.Millisecond
	// longestLook bounds the time that one look stands for.
	longestLook = time.Second
	// holdTime is how long a cell stays covered after it was last different.
	holdTime = time.Second
	// faceTime is how long a place counts as one with a face after it was last found
	// there: in cover motion faces are searched once a second.
	faceTime = 3 * time.Second
	// relearnDelay is how long the background must be lost before it is learned again.
	relearnDelay = time.Second
)

const (
	// sigmas is how many standard deviations of the noise a cell must differ.
	sigmas = 5.5
	// leastLuma and leastChroma are the least differences, in levels, in a bright picture:
	// coding and the faint light that people reflect onto a wall stay below them. leastWide
	// is the one of the mean of 3×3 cells. In a dark picture they are down to darkShare
	// of that.
	leastLuma, leastChroma, leastWide = 10, 8, 8
	darkShare                         = 0.5
	brightWhite                       = 160 // levels above black
	// mostLimit bounds the threshold: a place that is more restless than that is covered.
	mostLimit = 40
	// weakShare is the share of the threshold at which a cell differs that is connected
	// with one that differs, and at most spreading cells away, or that has differed.
	weakShare = 0.6
	spreading = 6
	// personContrast is what a person of low contrast differs from what is behind, as a
	// share of the brightness of white.
	personContrast = 0.2
	// adaptTime is the time constant with which the background follows the picture, and
	// adaptRate the most by which it does, in levels per second.
	adaptTime, adaptRate = 15, 0.5
	// noiseWeight is the weight of one look in the noise of a cell.
	noiseWeight = 1.0 / 32
)

// Options configure a Background.
type Options struct {
	// Absorb is how long something that has moved stays covered after its last movement.
	// Then it becomes background, unless a face is found there. 0: forever.
	Absorb time.Duration
}

// Background implements redact.Background for one camera. It is not safe for concurrent
// use.
type Background struct {
	absorb float32 // seconds; 0: forever
	grid   grid
	now    means     // of the picture
	lastAt time.Time // of the last picture that was looked at

	noise   noiseMeter // of luma
	tint    noiseMeter // of chroma, whose planes are alike
	blinded string     // why a person would not stand out; empty: would
	scale   float32    // of the least differences

	model    model
	other    model // the one before, such as that of daylight
	valid    bool  // there is a model
	hasOther bool
	lost     bool // it is not of what the camera shows
	lostAt   time.Time
	lostWhy  string
	share    float64    // of the cells that differ
	shares   [2]float64 // one to two seconds ago, and up to one

	learner  learner
	learnAt  time.Time // of the last look that was learned from
	before   means     // the picture then
	hasLook  bool
	faces    []uint16 // milliseconds for which each cell counts as one with a face
	snapshot [2]mask  // what was covered one to two seconds ago, and up to one
	snapAt   time.Time

	light    [planes]light
	agreed   [planes]float32 // share of the cells that agree with it
	fit      fit
	on, weak mask // what differs, and what does weakly
	stood    mask // what differed at the last look
	covered  mask // what differs with what is around
	scratch  scratch
	parts    parts
	regions  regions
}

// scratch is memory that is used within one call.
type scratch struct {
	tmp, grown, seeds mask
	diff, sum         []float32
	weak, kept        []uint8
	column            []column
}

var _ redact.Background = (*Background)(nil)

// New returns a Background that knows nothing yet. It refuses a negative Absorb.
func New(o Options) (*Background, error) {
	if o.Absorb < 0 {
		return nil, fmt.Errorf("absorb of %v: use a time, or 0 forever", o.Absorb)
	}
	return &Background{absorb: float32(o.Absorb.Seconds()), regions: newRegions()}, nil
}

// Reset forgets the background. Numbers of tracks are not used again.
func (b *Background) Reset() {
	b.valid, b.hasOther, b.lost, b.hasLook = false, false, false, false
	b.blinded = ""
	b.noise, b.tint = noiseMeter{}, noiseMeter{}
	b.lastAt, b.learnAt = time.Time{}, time.Time{}
	b.grid = grid{}
	b.regions.forget()
}

// resize prepares for pictures of the size of im.
func (b *Background) resize(im *yuv.Image) {
	b.Reset()
	b.grid = newGrid(im.Width, im.Height)
	n := b.grid.cells()
	b.now, b.before = newMeans(n), newMeans(n)
	b.model, b.other, b.learner = newModel(n), newModel(n), newLearner(b.grid)
	b.faces = make([]uint16, n)
	g := b.grid
	b.on, b.weak, b.stood, b.covered = g.newMask(), g.newMask(), g.newMask(), g.newMask()
	b.snapshot = [2]mask{g.newMask(), g.newMask()}
	b.scratch = scratch{
		tmp: g.newMask(), grown: g.newMask(), seeds: g.newMask(),
		diff: make([]float32, n), sum: make([]float32, g.cols), weak: make([]uint8, n), kept: make([]uint8, n), column: make([]column, g.cols),
	}
	b.light = [planes]light{sameLight, sameLight, sameLight}
}

// Observe looks at the next picture. It returns an error if im is inconsistent. Regions
// belong to the caller, and their Shapes do not change.
func (b *Background) Observe(at time.Time, im *yuv.Image, s redact.Seen) (redact.Motion, error) {
	if err := check(im); err != nil {
		return redact.Motion{}, err
	}
	if b.grid.width != im.Width || b.grid.height != im.Height {
		b.resize(im)
	}
	passed := at.Sub(b.lastAt)
	if b.lastAt.IsZero() || passed < 0 {
		passed = 0
	}
	b.noteFaces(s.Faces)
	if !s.Wanted && b.hasLook && passed < idleInterval {
		return b.result(s.Learn), nil
	}
	b.lastAt = at
	b.grid.measure(&b.now, im)
	look := !b.hasLook || at.Sub(b.learnAt) >= learnInterval || at.Before(b.learnAt)
	var dt time.Duration
	if look && b.hasLook {
		dt = min(max(at.Sub(b.learnAt), 0), longestLook)
		b.fit.takeAll(b.before[0], b.now[0], nil)
		b.noise.add(&b.fit)
		b.fit.takeAll(b.before[1], b.now[1], nil)
		b.tint.add(&b.fit)
	}
	b.judgeSight(im.FullRange)
	if b.valid {
		b.compare(at, uint16(min(passed, holdTime).Milliseconds()), look) //nolint:gosec // up to holdTime
		if b.lost && look && b.fitsOther() {
			b.compare(at, 0, true)
		}
	}
	if look {
		b.learn(at, dt, s.Learn)
		b.before.copyFrom(&b.now)
		b.learnAt, b.hasLook = at, true
	}
	m := b.result(s.Learn)
	if m.Known && s.Wanted {
		if m.Regions = b.regions.of(b.grid, b.covered); len(m.Regions) > maxParts {
			return redact.Motion{Why: WhyNoisy}, nil
		}
	}
	return m, nil
}

func check(im *yuv.Image) error {
	if im == nil {
		return fmt.Errorf("no picture to look at")
	}
	if err := yuv.CheckSize(im.Width, im.Height); err != nil {
		return err
	}
	cw, ch := im.ChromaWidth(), im.ChromaHeight()
	if im.YStride < im.Width || im.CStride < cw || len(im.Y) < im.YStride*(im.Height-1)+im.Width ||
		min(len(im.U), len(im.V)) < im.CStride*(ch-1)+cw {
		return fmt.Errorf("picture of %d×%d is inconsistent", im.Width, im.Height)
	}
	return nil
}

func (b *Background) result(learn bool) redact.Motion {
	switch {
	case b.blinded != "":
		return redact.Motion{Why: b.blinded}
	case b.valid && !b.lost:
		return redact.Motion{Known: true}
	case b.lost:
		return redact.Motion{Why: b.lostWhy}
	case !learn:
		return redact.Motion{Why: WhyUnseen}
	}
	return redact.Motion{Why: WhyLearning}
}

// noteFaces marks the cells of faces that are not weak, and of their bodies.
func (b *Background) noteFaces(faces []face.Face) {
	for _, f := range faces {
		if f.Weak { // in a street there are dozens: no place would be left to learn
			continue
		}
		b.grid.each(redact.PersonRect(f.Box, f.Rotation), func(i int) { b.faces[i] = uint16(faceTime / time.Millisecond) })
	}
}

// judgeSight decides whether a person would stand out from the background.
func (b *Background) judgeSight(fullRange bool) {
	black := float32(16)
	if fullRange {
		black = 0
	}
	white := whiteLevel(b.now[0]) - black
	b.scale = min(max(white/brightWhite, darkShare), 1)
	contrast := personContrast * white
	noise := sigmas * b.noise.sigma() / wideGain
	need := max(leastWide*b.scale, noise) * 1.5 // a face may fill only a part of its cells
	if b.blinded != "" {
		need *= 1.2
	}
	switch {
	case need <= contrast:
		b.blinded = ""
	case need > contrast && leastWide*b.scale*1.5 > contrast:
		b.blinded = WhyDark
	default:
		b.blinded = WhyNoisy
	}
}
