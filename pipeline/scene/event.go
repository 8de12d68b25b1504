package scene

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// EventKind is what happens to the light, the lens or the camera.
type EventKind string

// The kinds.
const (
	// Darkness lets the light fall to DarknessLight percent within a second.
	Darkness EventKind = "darkness"
	// Lamp switches on a lamp: the light is at once LampGain times as much, and 100 percent
	// at least.
	Lamp EventKind = "lamp"
	// GrowingNoise lets the sensor's noise grow to GrownNoise levels within a minute.
	GrowingNoise EventKind = "noise"
	// Turned turns the camera away within half a second: the picture moves sideways by
	// half its width.
	Turned EventKind = "turned"
	// Covered pulls a cloth over the camera from the top, within half a second.
	Covered EventKind = "covered"
	// Defocused puts the lens out of focus within a second: blur of
	// DefocusedBlur picture heights.
	Defocused EventKind = "defocused"
	// Sprayed sprays paint onto the lens within two seconds, which hides over half of the
	// picture.
	Sprayed EventKind = "sprayed"
	// Headlight lets two headlights glare, which move across the picture within
	// ten seconds. The camera takes in less of the other light meanwhile.
	Headlight EventKind = "headlight"
)

// EventKinds lists the kinds.
func EventKinds() []EventKind {
	return []EventKind{Darkness, Lamp, GrowingNoise, Turned, Covered, Defocused, Sprayed, Headlight}
}

// What the events lead to, and how long that takes.
const (
	DarknessLight = 3    // percent
	LampGain      = 1.8  // factor
	GrownNoise    = 50   // levels
	DefocusedBlur = 0.01 // picture heights

	turnedShare  = 0.5 // of the picture's width
	darknessTime = time.Second
	noiseTime    = time.Minute
	turnTime     = 500 * time.Millisecond
	coverTime    = 500 * time.Millisecond
	defocusTime  = time.Second
	sprayTime    = 2 * time.Second
	passingTime  = 10 * time.Second
)

// Event changes what a Scene shows from a time on. Its text form is KIND@START or
// KIND@START-END, such as darkness@20s-50s, as flags have it.
type Event struct {
	Kind EventKind
	// Start is when it begins, after picture 0.
	Start time.Duration
	// End is when all is as before, at once. 0: never, and for Headlight when it has passed.
	End time.Duration
}

// UnmarshalText reads the text form.
func (e *Event) UnmarshalText(text []byte) error {
	kind, times, _ := strings.Cut(string(text), "@")
	start, end, ends := strings.Cut(times, "-")
	event := Event{Kind: EventKind(kind)}
	var err error
	if event.Start, err = time.ParseDuration(start); err == nil && ends {
		event.End, err = time.ParseDuration(end)
	}
	if err == nil {
		err = event.check()
	}
	if err != nil {
		return fmt.Errorf("event %.40q: %w; choose KIND@START or KIND@START-END, such as darkness@20s-50s", text, err)
	}
	*e = event
	return nil
}

func (e *Event) check() error {
	switch {
	case !slices.Contains(EventKinds(), e.Kind):
		return fmt.Errorf("there is no kind %.20q: choose one of %v", string(e.Kind), EventKinds())
	case e.Start < 0 || e.End != 0 && e.End <= e.Start:
		return fmt.Errorf("it starts at %v and ends at %v: choose a start from 0 on, and a later end", e.Start, e.End)
	}
	return nil
}

// passed returns how much of a change that takes some time has happened after picture 0 by
// t, from 0 to 1, and whether the event is on.
func (e *Event) passed(t, takes time.Duration) (share float64, on bool) {
	if t < e.Start || e.End > 0 && t >= e.End {
		return 0, false
	}
	return min(float64(t-e.Start)/float64(takes), 1), true
}

// appearance is what changes in the look of a scene, at one time.
type appearance struct {
	light   float64 // percent; over 100, samples are clipped
	noise   float64 // levels
	blur    float64 // pixels
	rain    bool
	pan     int     // pixels by which everything is moved to the right, even
	cloth   int     // rows that are covered from the top
	spray   float64 // 0: none, 1: all of it
	glare   bool
	passage float64 // how far the headlights have come, 0 to 1
}

// appearance returns that at a time after picture 0.
func (o *Options) appearance(t time.Duration, width, height int) appearance {
	a := appearance{light: cmp.Or(o.Light, 100), noise: o.Noise, blur: o.Blur, rain: o.Rain}
	for i := range o.Events {
		e := &o.Events[i]
		switch e.Kind {
		case Darkness:
			share, _ := e.passed(t, darknessTime)
			a.light += (min(a.light, DarknessLight) - a.light) * share
		case Lamp:
			if _, on := e.passed(t, 1); on {
				a.light = max(100, a.light*LampGain)
			}
		case GrowingNoise:
			share, _ := e.passed(t, noiseTime)
			a.noise += max(0, GrownNoise-a.noise) * share
		case Turned:
			share, _ := e.passed(t, turnTime)
			a.pan = int(turnedShare*share*float64(width)) &^ 1
		case Covered:
			share, _ := e.passed(t, coverTime)
			a.cloth = max(a.cloth, int(share*float64(height)))
		case Defocused:
			share, _ := e.passed(t, defocusTime)
			a.blur = max(a.blur, share*DefocusedBlur*float64(height))
		case Sprayed:
			share, _ := e.passed(t, sprayTime)
			a.spray = max(a.spray, share)
		case Headlight:
			share, on := e.passed(t, passingTime)
			if on && share < 1 {
				a.glare, a.passage = true, share
			}
		}
	}
	return a
}
