package scene

import (
	"math"
	"math/rand/v2"
)

// A person goes round a closed list of visits forever. A visit is a way from
// beyond one side of the picture to beyond one side of it.

// visitCount is the number of visits before a person repeats itself.
const visitCount = 6

// metre is one metre in face heights.
const metre = 1 / 0.19

// stop is a place on a visit's way: where the head is in the picture, and how
// large a face there is.
type stop struct {
	x, size        float64 // size is the logarithm of the face's height in pixels
	arrive, depart float64 // seconds since the visit's start
	wait           float64 // seconds
	facing         float64 // where the person turns meanwhile, radians in the room
	still          bool    // without turning the head
}

type visit struct {
	start, duration float64 // seconds since the round's start; duration without what is spent outside
	stops           []stop
	headings        []float64 // where the body faces, every headingStep seconds; radians, not wrapped
}

// headingStep is the time in seconds between two headings of a visit.
const headingStep = 0.05

// route is a person's round.
type route struct {
	lens   *lens
	visits []visit
	length float64 // seconds
	offset float64 // where frame 0 is
}

// whereabouts is where a person is, and where it goes.
type whereabouts struct {
	x, size float64 // picture column of the head; face height in pixels
	heading float64 // of the body in the room, radians: 0 is towards the camera's plane, positive to the right
	moving  float64 // 0: stands, 1: walks
	still   float64 // 1: does not even turn the head
	outside bool
}

// newRoute draws a round by lot. away is how many seconds more than two or so lie
// between visits, in the mean.
func newRoute(l *lens, r *rand.Rand, away float64) *route {
	w := &route{lens: l}
	pace := 0.8 + 0.4*r.Float64()
	for range visitCount {
		v := visit{start: w.length, stops: w.plan(r)}
		w.time(&v, pace, r)
		w.turn(&v)
		w.length += v.duration + leastAway + 2*r.Float64()
		if away > 0 {
			w.length += away * (0.5 + r.Float64())
		}
		w.visits = append(w.visits, v)
	}
	w.offset = w.length * r.Float64()
	return w
}

// plan draws the stops of a visit by lot, without times.
func (w *route) plan(r *rand.Rand) []stop {
	l := w.lens
	size := func() float64 { return l.logMin + (l.logMax-l.logMin)*r.Float64() }
	beyond := func(size float64, right bool) float64 {
		reach := outsideReach * math.Exp(size)
		if right {
			return l.width + reach
		}
		return -reach
	}
	from := r.IntN(2) == 0
	to := from != (r.IntN(4) > 0) // mostly the other side
	first := size()
	stops := []stop{{x: beyond(first, from), size: first}}
	for range 1 + r.IntN(3) {
		stops = append(stops, stop{x: l.width * (0.15 + 0.7*r.Float64()), size: size()})
	}
	last := stops[len(stops)-1].size
	return append(stops, stop{x: beyond(last, to), size: last})
}

// leastAway is the least time in seconds between two visits.
const leastAway = 0.3

// outsideReach is how many face heights beyond a side nothing of a person is
// seen any more.
const outsideReach = 2.6

// time lays down when the stops of v are reached and left.
func (w *route) time(v *visit, pace float64, r *rand.Rand) {
	for i := 1; i < len(v.stops)-1; i++ {
		if s := &v.stops[i]; r.IntN(4) > 0 {
			s.wait = 1 + 2.5*r.Float64()
			s.facing = (r.Float64()*2-1)*65*math.Pi/180 - w.lens.bearing(s.x)
		}
	}
	now := 0.0
	for i := range v.stops {
		s := &v.stops[i]
		if i > 0 {
			now += max(w.walk(v, i), leastWalk) / pace
		}
		s.arrive, s.depart = now, now+s.wait
		now = s.depart
	}
	v.duration = now
}

// Greatest speeds of somebody with pace 1: across the picture in face heights
// per second (1.2 m/s), and towards the camera as the growth of the face.
const (
	acrossSpeed = 6.3
	growthSpeed = 0.6
	leastWalk   = 1.2 // seconds between two stops
)

// walk returns how many seconds the way from stop i-1 to stop i of v takes when
// the greatest speeds are reached, but not exceeded.
func (w *route) walk(v *visit, i int) float64 {
	const samples = 64
	a, b := &v.stops[i-1], &v.stops[i]
	place := func(k int) (x, size float64) {
		return v.curve(float64(i-1) + ease(float64(k)/samples, a.wait > 0, b.wait > 0))
	}
	longest := 0.0
	x0, size0 := place(0)
	for k := 1; k <= samples; k++ {
		x1, size1 := place(k)
		across := math.Abs(x1-x0) / math.Exp((size0+size1)/2) / acrossSpeed
		longest = max(longest, across*samples, math.Abs(size1-size0)/growthSpeed*samples)
		x0, size0 = x1, size1
	}
	return longest
}

// at returns where the person is at a time in seconds.
func (w *route) at(t float64) whereabouts {
	t = math.Mod(t+w.offset, w.length)
	v := &w.visits[0]
	for i := range w.visits {
		if w.visits[i].start <= t {
			v = &w.visits[i]
		}
	}
	t -= v.start
	if t >= v.duration {
		return whereabouts{outside: true}
	}
	u, wait, _ := v.progress(t)
	still := 0.0
	if s := &v.stops[int(u)]; s.still {
		still = wait
	}
	x, size := v.curve(u)
	k := min(int(t/headingStep), len(v.headings)-2)
	f := t/headingStep - float64(k)
	return whereabouts{
		x: x, size: math.Exp(min(max(size, w.lens.logMin), w.lens.logMax)),
		heading: v.headings[k] + (v.headings[k+1]-v.headings[k])*f,
		moving:  1 - wait, still: still,
	}
}

// comeIn is the time in seconds between the arrivals of two people who will stand still.
const comeIn = 5

// stand lets the person stand still for StillTime at the first stop of each visit. Frame
// 0 is shortly before the first visit: the longer, the higher the person's number.
func (w *route) stand(id int) {
	w.length = 0
	for i := range w.visits {
		v := &w.visits[i]
		v.start = w.length
		longer := StillTime.Seconds() - v.stops[1].wait
		v.stops[1].wait, v.stops[1].still = StillTime.Seconds(), true
		if v.stops[1].facing == 0 {
			v.stops[1].facing = -w.lens.bearing(v.stops[1].x)
		}
		for k := 1; k < len(v.stops); k++ {
			if k > 1 {
				v.stops[k].arrive += longer
			}
			v.stops[k].depart += longer
		}
		v.duration += longer
		v.headings = nil
		w.turn(v)
		w.length += v.duration + leastAway
	}
	w.offset = w.length
	w.length += comeIn * float64(id+1)
}

// turn lays down where the body faces: where it goes, or where it turns while
// it waits, as fast as a body turns.
func (w *route) turn(v *visit) {
	const swiftness, fastest = 5, 160 * math.Pi / 180 // 1/s, rad/s
	heading := 0.0
	for i := range int(v.duration/headingStep) + 3 {
		u, wait, facing := v.progress(min(float64(i)*headingStep, v.duration))
		if wait < 0.2 {
			facing = w.heading(v, u)
		}
		d := wrap(facing - heading)
		if i == 0 {
			heading = facing
		} else {
			heading += min(max(d*swiftness, -fastest), fastest) * headingStep
		}
		v.headings = append(v.headings, heading)
	}
}

// progress returns how far along the stops of v somebody is at t, how much it
// waits there (0 to 1), and where it turns if so.
func (v *visit) progress(t float64) (u, wait, facing float64) {
	for i := range v.stops {
		s := &v.stops[i]
		if t < s.depart || i == len(v.stops)-1 {
			if t >= s.arrive {
				const turn = 0.7 // seconds
				return float64(i), smooth(0, turn, t-s.arrive) * smooth(0, turn, s.depart-t), s.facing
			}
			p := &v.stops[i-1]
			f := (t - p.depart) / (s.arrive - p.depart)
			return float64(i-1) + ease(f, p.wait > 0, s.wait > 0), 0, 0
		}
	}
	return 0, 0, 0
}

// ease maps 0…1 to 0…1, starting and ending slowly where somebody stood.
func ease(f float64, slowStart, slowEnd bool) float64 {
	m0, m1 := 1.0, 1.0
	if slowStart {
		m0 = 0
	}
	if slowEnd {
		m1 = 0
	}
	return f*f*(3-2*f) + m0*f*(1-f)*(1-f) - m1*f*f*(1-f)
}

// curve returns a place on the way: a Catmull-Rom spline through the stops.
func (v *visit) curve(u float64) (x, size float64) {
	n := len(v.stops)
	i := min(int(u), n-2)
	a, b, c, d := &v.stops[max(i-1, 0)], &v.stops[i], &v.stops[i+1], &v.stops[min(i+2, n-1)]
	f := u - float64(i)
	return spline(a.x, b.x, c.x, d.x, f), spline(a.size, b.size, c.size, d.size, f)
}

func spline(a, b, c, d, f float64) float64 {
	const tension = 0.4
	m0, m1 := tension*(c-a), tension*(d-b)
	f2, f3 := f*f, f*f*f
	return (2*f3-3*f2+1)*b + (f3-2*f2+f)*m0 + (3*f2-2*f3)*c + (f3-f2)*m1
}

// heading returns the direction of the way at u, in the room.
func (w *route) heading(v *visit, u float64) float64 {
	const d = 0.02
	ax, as := v.curve(max(u-d, 0))
	bx, bs := v.curve(min(u+d, float64(len(v.stops)-1)))
	x0, z0 := w.lens.room(ax, math.Exp(as))
	x1, z1 := w.lens.room(bx, math.Exp(bs))
	return math.Atan2(x1-x0, z0-z1)
}

// lens is how the room comes into the picture.
type lens struct {
	width, height  float64
	logMin, logMax float64 // of the face heights that occur
	focal          float64 // pixels
	horizon        float64 // picture row of the camera's height
}

// room returns where in the room a head at column x with faces of size pixels
// is, in face heights, z away from the camera.
func (l *lens) room(x, size float64) (rx, rz float64) {
	return (x - l.width/2) / size, l.focal / size
}

// bearing returns the angle between the camera's axis and column x, in radians.
func (l *lens) bearing(x float64) float64 { return math.Atan2(x-l.width/2, l.focal) }
