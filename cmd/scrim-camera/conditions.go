package main

import (
	"fmt"
	"reflect"

	"scrim/pipeline/scene"
	"scrim/redact/geom"
)

// Conditions has the flags that make drawn pictures hard to see.
type Conditions struct {
	HardFaces bool          `help:"Draw faces that are as hard to find as photographed ones: soft, with little contrast, without outlines."`
	Still     int           `placeholder:"N" help:"Number of people who come in first, and stand still for five minutes."`
	Noise     float64       `placeholder:"SIGMA" help:"Noise of the sensor, in levels of luma."`
	Dark      float64       `placeholder:"PERCENT" default:"100" help:"Light in the scene, in percent of full light."`
	Blur      float64       `placeholder:"SIGMA" help:"Blur of a lens that is out of focus, in pixels."`
	Rain      bool          `help:"Draw rain."`
	Rotate    int           `placeholder:"DEGREES" help:"Let the camera hang turned: its picture must be turned clockwise by 90, 180 or 270 to be upright."`
	Event     []scene.Event `placeholder:"KIND@START[-END]" help:"Change something, such as darkness@20s-50s; docs/measuring.md lists the kinds. Repeatable."`
}

// apply puts the conditions into the options of a scene, which checks the others. It fails
// for a camera that shows a file.
func (c *Conditions) apply(o *scene.Options, file string) error {
	if !(c.Dark > 0) {
		return fmt.Errorf("--dark %v: there must be some light; choose more than 0, up to 100 percent", c.Dark)
	}
	o.HardFaces, o.Still, o.Noise, o.Light, o.Blur, o.Rain = c.HardFaces, c.Still, c.Noise, c.Dark, c.Blur, c.Rain
	o.Rotate, o.Events = geom.Rotation(c.Rotate), c.Event
	full := Conditions{Dark: 100}
	if file != "" && !reflect.DeepEqual(*c, full) {
		return fmt.Errorf("--noise, --dark and other conditions are for drawn people; they cannot be used with the file %s", file)
	}
	return nil
}
