package scene

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"scrim/pipeline/scene/stamp"
	"scrim/redact/geom"
	"scrim/redact/rotate"
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
	// MaxNoise bounds the noise in levels, MaxBlur the blur in pixels.
	MaxNoise = 100
	MaxBlur  = 50
	// MaxEvents bounds the number of events.
	MaxEvents = 64
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
	// Still is the number of people who come in one after the other from the start on, five
	// seconds between them, and stand still for StillTime at each visit. The others go as
	// without it.
	Still int
	// HardFaces draws faces that a detector finds as hard as photographed ones under noise
	// and in darkness: soft, of low contrast, without outlines, and with skin that is about
	// as light as the wall. People take the same paths.
	HardFaces bool
	// NoStamp leaves out the stamp; people take the same paths.
	NoStamp bool

	// Light is how much light there is, in percent: luma is scaled so. 0 is 100, all of it.
	Light float64
	// Noise is the sigma of the sensor's noise in levels of luma, other noise in each
	// picture; it is half as strong in chroma. It is added after all else but the stamp.
	Noise float64
	// Blur is the sigma of the blur by a lens that is out of focus, in pixels.
	Blur float64
	// Rain draws falling streaks.
	Rain bool
	// Rotate is by how much the pictures must be turned clockwise to be upright, because
	// the camera hangs turned. Width and Height are those of the turned pictures. The
	// stamp turns with the picture.
	Rotate geom.Rotation
	// Events change all that over time. The stamp stays legible.
	Events []Event
}

// StillTime is how long the people of Options.Still stand still.
const StillTime = 5 * time.Minute

// normalised returns o with the defaults, or an error.
func (o Options) normalised() (Options, error) {
	if err := o.Rotate.Check(); err != nil {
		return o, fmt.Errorf("scene: %w", err)
	}
	if w, h := o.upright(); w < MinWidth || h < MinHeight || max(o.Width, w) > yuv.MaxWidth || max(o.Height, h) > yuv.MaxHeight || w > MaxAspect*h {
		return o, fmt.Errorf("scene of %d×%d pixels: choose from %d×%d to %d×%d, at most %d times as wide as high",
			o.Width, o.Height, MinWidth, MinHeight, yuv.MaxWidth, yuv.MaxHeight, MaxAspect)
	}
	o.FPS = cmp.Or(o.FPS, DefaultFPS)
	o.People = cmp.Or(o.People, DefaultPeople)
	o.MinFace = cmp.Or(o.MinFace, DefaultMinFace)
	w, h := o.upright()
	largest := h / 3
	if o.Rotate.Sideways() {
		largest = min(largest, w/4)
	}
	o.MaxFace = cmp.Or(o.MaxFace, max(largest, o.MinFace))
	if !(o.FPS >= MinFPS && o.FPS <= MaxFPS) {
		return o, fmt.Errorf("scene with %v frames per second: choose from %v to %v", o.FPS, MinFPS, MaxFPS)
	}
	if o.People < 1 || o.People > MaxPeople {
		return o, fmt.Errorf("scene with %d people: choose 1 to %d", o.People, MaxPeople)
	}
	if o.Away < 0 || o.Away > MaxAway {
		return o, fmt.Errorf("scene with people away for %v: choose up to %v", o.Away, MaxAway)
	}
	if o.MinFace < LeastFace || o.MaxFace < o.MinFace || o.MaxFace > h/2 {
		return o, fmt.Errorf("scene with faces of %d to %d pixels: choose from %d to half the picture's height, %d",
			o.MinFace, o.MaxFace, LeastFace, h/2)
	}
	if o.Still < 0 || o.Still > o.People {
		return o, fmt.Errorf("scene of %d people, %d of them still: choose up to %d", o.People, o.Still, o.People)
	}
	return o, o.checkConditions()
}

// checkConditions reports what is wrong with what makes pictures hard to see.
func (o *Options) checkConditions() error {
	if !(o.Light >= 0 && o.Light <= 100) {
		return fmt.Errorf("scene in %v percent of light: choose more than 0, up to 100", o.Light)
	}
	if !(o.Noise >= 0 && o.Noise <= MaxNoise) {
		return fmt.Errorf("scene with noise of %v levels: choose up to %d", o.Noise, MaxNoise)
	}
	if !(o.Blur >= 0 && o.Blur <= MaxBlur) {
		return fmt.Errorf("scene with blur of %v pixels: choose up to %d", o.Blur, MaxBlur)
	}
	if len(o.Events) > MaxEvents {
		return fmt.Errorf("scene with %d events: choose up to %d", len(o.Events), MaxEvents)
	}
	for i := range o.Events {
		if err := o.Events[i].check(); err != nil {
			return fmt.Errorf("scene with event %q: %w", o.Events[i].Kind, err)
		}
	}
	return nil
}

// upright returns the size of the pictures when they are upright.
func (o *Options) upright() (w, h int) { return o.Rotate.Size(o.Width, o.Height) }

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
	look     appearance // in it
	renderer renderer
	filler   filler
	effects  *effects // nil if there are none
}

// New returns the Scene for o. It fails when o is out of bounds.
func New(o Options) (*Scene, error) {
	o, err := o.normalised()
	if err != nil {
		return nil, err
	}
	w, h := o.upright()
	s := &Scene{options: o}
	s.lens = lens{
		width: float64(w), height: float64(h), focal: 0.9 * float64(w),
		logMin: math.Log(float64(o.MinFace)), logMax: math.Log(float64(o.MaxFace)),
		// The tallest head's box, with its margin, is just below this.
		horizon: float64(stamp.Bounds(w, h).Max.Y) + 0.09*float64(h),
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
	if s.effects, err = newEffects(&o); err != nil {
		return nil, err
	}
	return s, nil
}

// Options returns the options with the defaults filled in.
func (s *Scene) Options() Options { return s.options }

// Draw draws frame n into dst, which must have the size of the options, with a
// stamp with n and captured, and returns the truth. Every sample
// of dst is written. It fails when dst has another size.
func (s *Scene) Draw(dst *yuv.Image, n uint32, captured time.Time) (Truth, error) {
	if dst.Width != s.options.Width || dst.Height != s.options.Height {
		return Truth{}, fmt.Errorf("draw frame %d of %d×%d into a picture of %d×%d", n, s.options.Width, s.options.Height, dst.Width, dst.Height)
	}
	upright := dst
	if s.options.Rotate != geom.Upright {
		upright = s.effects.upright
	}
	s.arrange(n)
	if err := s.drawRoom(upright); err != nil {
		return Truth{}, fmt.Errorf("draw frame %d: %w", n, err)
	}
	if s.effects != nil {
		s.effects.apply(upright, n, s.options.FPS, &s.look)
	}
	if !s.options.NoStamp {
		stamp.Draw(upright, n, captured)
	}
	if upright != dst {
		if err := rotate.By(s.options.Rotate.Inverse()).Image(dst, upright); err != nil {
			return Truth{}, fmt.Errorf("draw frame %d: %w", n, err)
		}
	}
	return s.truth(n), nil
}

// drawRoom draws the room and the people in it.
func (s *Scene) drawRoom(dst *yuv.Image) error {
	if err := s.room.drawBack(dst, s.look.pan); err != nil {
		return err
	}
	column := false
	for i := range s.figures {
		f := &s.figures[i]
		if !column && f.size > s.room.columnSize {
			s.room.drawColumn(dst, s.look.pan)
			column = true
		}
		s.drawFigure(dst, f)
	}
	if !column {
		s.room.drawColumn(dst, s.look.pan)
	}
	return nil
}

// arrange makes the figures of frame n.
func (s *Scene) arrange(n uint32) {
	if s.arranged && s.frame == n {
		return
	}
	s.figures = s.figures[:0]
	t := float64(n) / s.options.FPS
	if s.effects != nil {
		s.look = s.options.appearance(time.Duration(t*float64(time.Second)), int(s.lens.width), int(s.lens.height))
	}
	for _, p := range s.people {
		o := p.pose(&s.lens, t)
		if !o.visible {
			continue
		}
		o.x += float64(s.look.pan)
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
