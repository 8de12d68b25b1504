package scene

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"scrim/pipeline/scene/stamp"
	"scrim/redact/yuv"
)

// Version is that of the drawing. Add one whenever the same options give other
// pictures or another truth: clips that were drawn before are not used then.
const Version = 1

// Bounds of the options.
const (
	MinWidth  = 320
	MinHeight = 180
	// MaxAspect is the greatest width of a picture in heights.
	MaxAspect = 3
	MaxPeople = 64
	// LeastFace is the least face height in pixels that is drawn.
	LeastFace = 8
	MinFPS    = 0.1
	MaxFPS    = 240
	// MaxAway bounds how long people stay away.
	MaxAway = time.Hour
)

// Defaults for options that are 0. MaxFace is a third of the picture's height.
const (
	DefaultFPS     = 25
	DefaultPeople  = 6
	DefaultMinFace = 12
)

// StampMargin is how far from the stamp faces keep, in sizes of their box.
const StampMargin = 0.6

// modelScale bounds the size at which heads are rendered, in pixels per face
// height; larger ones are enlarged. It bounds memory to about 14 MiB a person.
const modelScale = 160

// Options say what is drawn. Fields that are 0 take the defaults.
type Options struct {
	// Width and Height are the picture's size in pixels, from
	// MinWidth×MinHeight to yuv.MaxWidth×yuv.MaxHeight.
	Width, Height int
	// FPS is the frames per second.
	FPS float64
	// Seed chooses the people and their ways.
	Seed uint64
	// People is the number of people; not all are always in the picture. Each takes
	// about 14 MiB of memory if faces are large.
	People int
	// MinFace and MaxFace are the approximate limits of the height of faces that are not
	// tilted, in pixels.
	MinFace, MaxFace int
	// Away is the mean time that people stay away between two visits, in addition to a
	// second or two; up to MaxAway.
	Away time.Duration
	// HardFaces draws faces that a detector finds as hard as photographed ones under noise
	// and in darkness: soft, of low contrast, without outlines, and with skin that is about
	// as light as the wall. People take the same paths.
	HardFaces bool
	// NoStamp leaves out the stamp; people take the same paths.
	NoStamp bool
}

// normalised returns o with the defaults, or an error.
func (o Options) normalised() (Options, error) {
	if o.Width < MinWidth || o.Height < MinHeight || o.Width > yuv.MaxWidth || o.Height > yuv.MaxHeight || o.Width > MaxAspect*o.Height {
		return o, fmt.Errorf("scene of %d×%d pixels: choose from %d×%d to %d×%d, at most %d times as wide as high",
			o.Width, o.Height, MinWidth, MinHeight, yuv.MaxWidth, yuv.MaxHeight, MaxAspect)
	}
	o.FPS = cmp.Or(o.FPS, DefaultFPS)
	o.People = cmp.Or(o.People, DefaultPeople)
	o.MinFace = cmp.Or(o.MinFace, DefaultMinFace)
	o.MaxFace = cmp.Or(o.MaxFace, max(o.Height/3, o.MinFace))
	if !(o.FPS >= MinFPS && o.FPS <= MaxFPS) {
		return o, fmt.Errorf("scene with %v frames per second: choose from %v to %v", o.FPS, MinFPS, MaxFPS)
	}
	if o.People < 1 || o.People > MaxPeople {
		return o, fmt.Errorf("scene with %d people: choose 1 to %d", o.People, MaxPeople)
	}
	if o.Away < 0 || o.Away > MaxAway {
		return o, fmt.Errorf("scene with people away for %v: choose up to %v", o.Away, MaxAway)
	}
	if o.MinFace < LeastFace || o.MaxFace < o.MinFace || o.MaxFace > o.Height/2 {
		return o, fmt.Errorf("scene with faces of %d to %d pixels: choose from %d to half the picture's height, %d",
			o.MinFace, o.MaxFace, LeastFace, o.Height/2)
	}
	return o, nil
}

// Scene draws frames. It keeps heads that it has rendered, and is not safe for
// concurrent use; Scenes with the same Options draw the same.
type Scene struct {
	options Options
	lens    lens
	room    *room
	people  []*person
	scale   float64 // of the heads' largest level

	figures  []figure // of the frame arranged last, the farthest first
	arranged bool
	frame    uint32
	renderer renderer
	filler   filler
}

// New returns the Scene for o. It fails when o is out of bounds.
func New(o Options) (*Scene, error) {
	o, err := o.normalised()
	if err != nil {
		return nil, err
	}
	s := &Scene{options: o}
	s.lens = lens{
		width: float64(o.Width), height: float64(o.Height), focal: 0.9 * float64(o.Width),
		logMin: math.Log(float64(o.MinFace)), logMax: math.Log(float64(o.MaxFace)),
		// The tallest head's box, with its margin, is just below this.
		horizon: float64(stamp.Bounds(o.Width, o.Height).Max.Y) + 0.09*float64(o.Height),
	}
	s.scale = float64(min(max(o.MaxFace, 48), modelScale))
	if s.room, err = newRoom(&s.lens, o.Seed); err != nil {
		return nil, err
	}
	for i := range o.People {
		p := newPerson(i, &s.lens, &o)
		p.model = newHead(&p.looks)
		s.people = append(s.people, p)
	}
	s.figures = make([]figure, 0, o.People)
	return s, nil
}

// Options returns the options with the defaults filled in.
func (s *Scene) Options() Options { return s.options }

// Draw draws frame n into dst, which must have the size of the options, with a
// stamp with n and captured, and returns the truth. Every sample
// of dst is written. It fails when dst has another size.
func (s *Scene) Draw(dst *yuv.Image, n uint32, captured time.Time) (Truth, error) {
	if err := dst.CopyFrom(s.room.back); err != nil {
		return Truth{}, fmt.Errorf("draw frame %d: %w", n, err)
	}
	s.arrange(n)
	column := false
	for i := range s.figures {
		f := &s.figures[i]
		if !column && f.size > s.room.columnSize {
			s.room.drawColumn(dst)
			column = true
		}
		s.drawFigure(dst, f)
	}
	if !column {
		s.room.drawColumn(dst)
	}
	if !s.options.NoStamp {
		stamp.Draw(dst, n, captured)
	}
	return s.truth(n), nil
}

// arrange makes the figures of frame n.
func (s *Scene) arrange(n uint32) {
	if s.arranged && s.frame == n {
		return
	}
	s.figures = s.figures[:0]
	t := float64(n) / s.options.FPS
	for _, p := range s.people {
		o := p.pose(&s.lens, t)
		if !o.visible {
			continue
		}
		s.figures = s.figures[:len(s.figures)+1]
		s.figures[len(s.figures)-1].build(&o)
	}
	slices.SortStableFunc(s.figures, func(a, b figure) int { return cmp.Compare(a.size, b.size) })
	s.arranged, s.frame = true, n
}

func (s *Scene) drawFigure(dst *yuv.Image, f *figure) {
	if f.x1 <= 0 || f.x0 >= s.lens.width || f.y0 >= s.lens.height {
		return
	}
	for i := range f.n {
		s.filler.draw(dst, &f.parts[i])
	}
	i, mirror := f.view()
	s.head(f.who, i).draw(dst, placement{x: f.x, y: f.y, scale: f.size, roll: f.roll * math.Pi / 180, mirror: mirror})
}

// head returns the head of p from side i, rendered at the first call.
func (s *Scene) head(p *person, i int) *sprite {
	if p.views[i] == nil {
		p.views[i] = s.renderer.render(p.model, float64(i*viewStep), s.scale)
	}
	return p.views[i]
}

// Prepare renders every head from every side, which takes about 0.2 seconds a
// person. Without it, Draw does so when it first needs one, which makes some of
// the early frames late by some tens of milliseconds.
func (s *Scene) Prepare() {
	for _, p := range s.people {
		for i := range p.views {
			s.head(p, i)
		}
	}
}
