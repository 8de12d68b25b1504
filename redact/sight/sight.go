package sight

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"scrim/redact"
	"scrim/redact/condition"
	"scrim/redact/geom"
	"scrim/redact/scale"
	"scrim/redact/yuv"
	"scrim/redact/zone"
)

const (
	// DefaultInterval is the time between two tests if nothing changes.
	DefaultInterval = 10 * time.Second
	// DefaultNeedPercent is the height of the faces that must be found, in percent of the picture's
	// height.
	DefaultNeedPercent = 5.0
)

// The size in the table may be above what is needed by these factors if the painted faces are found: by blurTolerance
// with all that the table knows, for a few numbers cannot tell a soft lens from soft things near it, and by
// tableTolerance without the blur. Photographs were predicted about so well.
const blurTolerance, tableTolerance = 1.6, 1.25

// Options configure a Sight.
type Options struct {
	// Detector is the one whose sight is tested. Its ModelSHA256 chooses the table.
	Detector redact.PartDetector
	// Size is the longer side of the detector's input in pixels, as in detect.Config.
	Size int
	// Tiles is set if the detector looks everywhere in the camera's own resolution, too.
	Tiles bool
	// Rotation is how faces lie in the pictures, which the detector turns.
	Rotation geom.Rotation
	// NeedPixels is the height of the faces that must be found, in pixels of the picture. If it is 0,
	// NeedPercent is that height in percent of the picture's; if that is 0, too, it is
	// DefaultNeedPercent.
	NeedPixels, NeedPercent float64
	// Interval is the time between two tests if nothing changes; 0: DefaultInterval.
	Interval time.Duration
	// Zones of the camera: no faces are painted where they are masked or ignored.
	Zones []zone.Zone
	// AtOnce tests each picture that leaves what was proved, however often that happens: where time
	// does not matter, as in files. A picture that is judged again after it failed is tested again.
	AtOnce bool
	// NeedLeast is the least that NeedPercent asks for, in pixels of the picture: in small pictures
	// faces of so few percent are not recognised.
	NeedLeast float64
	// Seed chooses faces and places.
	Seed uint64
}

// Sight implements redact.Sight. It is used by one goroutine.
type Sight struct {
	o     Options
	table *Table
	trial trial
	judge judge
	// of pictures of this size:
	width, height int
	clean         float64 // size from which on faces are found in clean pictures, if it matters for the need
	asked, need   float64
	shrink        *scale.Scaler // of luma to the detector's input; nil: it is not scaled
	half          []byte        // luma of pictures that are too large for shrink
	texture       texture       // of the picture before
	blur          float64       // last one that was known
	counts        tally
	cells         []tally
	// counts and cells were counted in pictures like that.
	countedIs    condition.Condition
	countedShows structure
	// paintedSize and tableSize are the sight by the last test's painted faces and by the table; decidingSize is what the
	// table's size counts as next to the painted faces.
	paintedSize, tableSize, decidingSize float64
	report                               Report
}

// New returns a Sight.
func New(o Options) (*Sight, error) {
	if o.Detector == nil || o.Size < 1 {
		return nil, errors.New("sight needs a detector and the size of its input")
	}
	within := func(v, most float64) bool { return v >= 0 && v <= most }
	if !within(o.NeedPixels, yuv.MaxSide) || !within(o.NeedPercent, 100) || !within(o.NeedLeast, yuv.MaxSide) || o.Interval < 0 {
		return nil, fmt.Errorf("sight with a need of %v pixels or %v percent, tested every %v: none may be negative", o.NeedPixels, o.NeedPercent, o.Interval)
	}
	o.Interval = cmp.Or(o.Interval, DefaultInterval)
	table, err := FindTable(o.Detector.Info().ModelSHA256)
	if err != nil {
		return nil, err
	}
	p, err := newPainter(o.Seed)
	if err != nil {
		return nil, err
	}
	return &Sight{o: o, table: table, judge: newJudge(o.Interval, o.AtOnce), trial: trial{
		detector: o.Detector, size: o.Size, tiles: o.Tiles, rotation: o.Rotation, painter: p,
		rand: rand.New(rand.NewPCG(o.Seed, 0x706c616365)), //nolint:gosec // no secret
	}}, nil
}

// Reset implements redact.Sight.
func (s *Sight) Reset() {
	s.judge = newJudge(s.o.Interval, s.o.AtOnce)
	s.blur = 0
	s.texture.width = 0
	s.forget()
}

// forget forgets what was counted.
func (s *Sight) forget() {
	if s.height == 0 { // no picture yet
		return
	}
	s.counts = newTally(ladder(s.need, s.height))
	s.cells = s.cells[:0]
	for range s.trial.grid {
		s.cells = append(s.cells, newTally(s.counts.sizes))
	}
}

// Judge implements redact.Sight.
func (s *Sight) Judge(at time.Time, im *yuv.Image) (redact.Verdict, error) {
	if err := check(im); err != nil {
		return redact.Verdict{}, err
	}
	if im.Width != s.width || im.Height != s.height {
		if err := s.fit(im); err != nil {
			return redact.Verdict{}, err
		}
	}
	is := condition.Measure(im)
	if is.Blur > 0 {
		s.blur = is.Blur
	}
	o := observation{at: at}
	o.shows.measure(im)
	o.parts.measure(im)
	o.is = o.parts.without(is)
	o.empty = empty(o.is) || o.parts.tooBlack() || o.parts.smeared(o.is.Noise) || o.parts.bare(o.is.Noise)
	due := s.judge.due(o)
	if due {
		if err := s.test(im, o); err != nil {
			return redact.Verdict{}, err
		}
	}
	s.texture.keep(im)
	proved, blind := s.judge.conclude(o)
	s.note(o, proved, blind)
	return redact.Verdict{Proved: proved, Blind: blind, Why: s.report.Why, Size: s.report.Size, Need: s.need}, nil
}

// check reports what is wrong with a picture.
func check(im *yuv.Image) error {
	cw, ch := im.ChromaWidth(), im.ChromaHeight()
	if im.Width < 16 || im.Height < 16 || im.YStride < im.Width || im.CStride < cw ||
		len(im.Y) < im.YStride*(im.Height-1)+im.Width || len(im.U) < im.CStride*(ch-1)+cw || len(im.V) < im.CStride*(ch-1)+cw {
		return fmt.Errorf("sight: a picture of %d×%d is too small or lacks samples", im.Width, im.Height)
	}
	return nil
}

// fit prepares for pictures of another size.
func (s *Sight) fit(im *yuv.Image) (err error) {
	s.width, s.height = im.Width, im.Height
	s.trial.grid = gridOf(im.Width, im.Height)
	s.trial.zones = zone.Compile(s.o.Zones, im.Width, im.Height)
	s.shrink = nil
	by := s.trial.scale(im.Width, im.Height)
	if by > 1 {
		w, h := max(int(float64(im.Width)/by+0.5), 1), max(int(float64(im.Height)/by+0.5), 1)
		fromW, fromH := im.Width, im.Height
		if max(fromW, fromH) > scale.MaxSide {
			fromW, fromH = fromW/2, fromH/2
		}
		if s.shrink, err = scale.New(fromW, fromH, min(w, fromW), min(h, fromH)); err != nil {
			return fmt.Errorf("sight: %w", err)
		}
	}
	s.asked = cmp.Or(s.o.NeedPixels, max(s.o.NeedLeast, cmp.Or(s.o.NeedPercent, DefaultNeedPercent)/100*float64(im.Height)))
	// What cannot be found in a clean picture cannot be asked for.
	if s.clean, err = s.cleanSight(s.asked / cleanMargin); err != nil {
		return err
	}
	s.need = max(s.asked, math.Round(cleanMargin*s.clean), math.Ceil(s.tableClean()))
	s.Reset()
	return nil
}

// test runs a sight test.
func (s *Sight) test(im *yuv.Image, o observation) error {
	is := o.is
	if is.Blur == 0 {
		is.Blur = s.blur
	}
	if err := s.adapt(im); err != nil {
		return err
	}
	s.trial.look(im, is, &o.parts, &s.texture)
	if s.counts.painted() > 0 && (worse(o.is, s.countedIs) || better(o.is, s.countedIs) || o.shows.changed(&s.countedShows)) {
		s.forget()
	}
	first := s.counts.painted() < 1
	if first {
		s.countedIs, s.countedShows = o.is, o.shows
	}
	s.counts.fade()
	for i := range s.cells {
		s.cells[i].fade()
	}
	add := func(cell int, height float64, found bool) {
		s.counts.add(height, found)
		s.cells[cell].add(height, found)
	}
	need := s.need / s.judge.shrink()
	out, err := s.trial.decide(im, need, add)
	if err == nil && !out.passed && s.judge.expects(&o) {
		out, err = s.trial.decide(im, need, add)
	}
	if err != nil {
		return err
	}
	if err := s.climb(im, first, out.passed, add); err != nil {
		return err
	}
	s.paintedSize = s.painted(out)
	s.tableSize, s.decidingSize = 0, 0
	if s.table != nil {
		if s.tableSize, s.decidingSize, err = s.lookUp(im, o.is); err != nil {
			return err
		}
	}
	if out.passed && s.decidingSize <= s.need {
		s.judge.passed(o)
	} else {
		s.judge.missed(o)
	}
	s.noteTest(o)
	return nil
}

// adapt lets the detector measure im, before it sees parts of it.
func (s *Sight) adapt(im *yuv.Image) error {
	a, ok := s.o.Detector.(redact.Adapter)
	if !ok {
		return nil
	}
	if err := a.Adapt(im); err != nil {
		return fmt.Errorf("sight test: %w", err)
	}
	return nil
}

// climb paints faces of all sizes, to measure the sight.
func (s *Sight) climb(im *yuv.Image, first, passed bool, add func(cell int, height float64, found bool)) error {
	try := func(step int) (isFound bool, err error) {
		height := s.counts.sizes[step]
		cell, f, err := s.trial.try(im, height)
		if err == nil && (f == found || f == missed) {
			add(cell, height, f == found)
		}
		return f == found, err
	}
	at := s.counts.step(s.need)
	if !first {
		if size := s.counts.size(nil); size > 0 {
			at = s.counts.step(size)
		} else {
			at = len(s.counts.sizes) - 1
		}
		for range ladderFaces {
			step := min(max(at+s.trial.rand.IntN(5)-2, 0), len(s.counts.sizes)-1)
			if _, err := try(step); err != nil {
				return err
			}
		}
		return nil
	}
	// Down from what is needed until nothing is found, or up until all are.
	way, until := -1, false
	if !passed {
		way, until = 1, true
	}
	for step, same := at, 0; step >= 0 && step < len(s.counts.sizes) && same < 2; step += way {
		all := true
		for range firstLadder {
			found, err := try(step)
			if err != nil {
				return err
			}
			all = all && found == until
		}
		if same++; !all {
			same = 0
		}
	}
	return nil
}

// tableClean returns the size that the table has for clean pictures, in pixels of the
// camera's picture; 0 without a table.
func (s *Sight) tableClean() float64 {
	if s.table == nil {
		return 0
	}
	return s.table.Clean * s.trial.scale(s.width, s.height)
}

// lookUp returns the size that the table has for the picture, and what it counts as next to the painted faces, in pixels of
// the picture. They are infinite where the table ends.
func (s *Sight) lookUp(im *yuv.Image, is condition.Condition) (size, counts float64, err error) {
	if s.shrink != nil {
		luma, stride := im.Y, im.YStride
		if max(im.Width, im.Height) > scale.MaxSide {
			luma, stride = s.halved(im), im.Width/2
		}
		pix, err := s.shrink.Scale(luma, stride)
		if err != nil {
			return 0, 0, fmt.Errorf("sight: %w", err)
		}
		by := s.trial.scale(im.Width, im.Height)
		w := int(float64(im.Width)/by + 0.5)
		small := &yuv.Image{Width: w, Height: len(pix) / w, Y: pix, YStride: w, FullRange: im.FullRange}
		var p parts
		p.measure(small)
		is = p.without(condition.Measure(small))
	}
	by := s.trial.scale(im.Width, im.Height)
	sharp := is
	sharp.Blur = math.SmallestNonzeroFloat64 // known, and none
	size = s.table.Size(is) * by
	return size, max(size/blurTolerance, s.table.Size(sharp)*by/tableTolerance), nil
}

// halved returns the luma of im at half the size, without padding, as means of 2×2 pixels.
func (s *Sight) halved(im *yuv.Image) []byte {
	w, h := im.Width/2, im.Height/2
	if cap(s.half) < w*h {
		s.half = make([]byte, w*h)
	}
	s.half = s.half[:w*h]
	for y := range h {
		upper, lower := im.Y[2*y*im.YStride:], im.Y[(2*y+1)*im.YStride:]
		row := s.half[y*w : (y+1)*w]
		for x := range row {
			row[x] = byte((int(upper[2*x]) + int(upper[2*x+1]) + int(lower[2*x]) + int(lower[2*x+1]) + 2) / 4) //nolint:gosec // a mean of bytes
		}
	}
	return s.half
}

const (
	// cleanMargin is how much larger what is needed must be than the sight of painted faces in a clean
	// picture. The table needs none: conditions that hardly matter have the size of a clean one.
	cleanMargin = 1.2
	// cleanFaces are painted at each size, cleanStep apart, from what is asked for, or cleanLeast, up to
	// cleanMost pixels of the detector's input.
	cleanFaces = 20
	cleanStep  = 1.12
	cleanLeast = 12.0
	cleanMost  = 100.0
	// It is of a grey that goes from cleanDark on the left to cleanBright, in samples.
	cleanDark, cleanBright = 40, 210
)

// cleanSight returns the size from which on faces are found in a clean picture of nothing, in pixels of the
// camera's picture, or wanted, if those of that size are found. It is measured at the scale of the
// detector's input.
func (s *Sight) cleanSight(wanted float64) (float64, error) {
	by := s.trial.scale(s.width, s.height)
	w, h := max(int(float64(s.width)/by+0.5), 16), max(int(float64(s.height)/by+0.5), 16)
	im, err := yuv.New(w, h)
	if err != nil {
		return 0, err
	}
	im.Fill(0, 128, 128)
	for i := range im.Y {
		im.Y[i] = byte(cleanDark + (cleanBright-cleanDark)*(i%im.YStride)/im.YStride)
	}
	if err := s.adapt(im); err != nil {
		return 0, err
	}
	if r, ok := s.o.Detector.(redact.Resetter); ok {
		defer r.Reset() // it did not come from the camera
	}
	t := s.trial
	t.grid, t.zones = gridOf(w, h), zone.Compile(nil, w, h)
	t.look(im, condition.Condition{Dark: 10, Median: 120, Bright: 235, Contrast: 50, Noise: 1.5, Blur: 0.8}, &parts{}, &texture{})
	t.painter.light.colourful = 1
	size := max(wanted/by, cleanLeast)
	for most := min(cleanMost, 0.4*float64(h)); size < most; size *= cleanStep {
		misses := 0
		for range cleanFaces {
			_, f, err := t.try(im, size)
			if err != nil {
				return 0, err
			}
			if f == missed {
				misses++
			}
		}
		if float64(misses) <= (1-certainty)*cleanFaces {
			break
		}
	}
	return size * by, nil
}
