package main

import (
	"fmt"
	"strings"

	"scrim/pipeline/scene"
)

// Conditions has the flags that make drawn pictures hard to see, as those of scrim-camera.
type Conditions struct {
	HardFaces bool    `help:"Draw faces that are as hard to find as photographed ones."`
	Still     int     `placeholder:"N" help:"Number of people who come in first, and stand still for five minutes."`
	Noise     float64 `placeholder:"SIGMA" help:"Noise of the sensor, in levels of luma."`
	Dark      float64 `placeholder:"PERCENT" default:"100" help:"Light in the scene, in percent of full light."`
	Blur      float64 `placeholder:"SIGMA" help:"Blur of a lens that is out of focus, in pixels."`
	Rain      bool    `help:"Draw rain."`
}

// conditionFlags are their names.
var conditionFlags = []string{"hard-faces", "still", "noise", "dark", "blur", "rain"}

// apply puts the conditions into the options of a scene, which checks the others.
func (c *Conditions) apply(o *scene.Options) {
	o.HardFaces, o.Still, o.Noise, o.Light, o.Blur, o.Rain = c.HardFaces, c.Still, c.Noise, c.Dark, c.Blur, c.Rain
}

// conditions names those that are not the usual ones; it is part of a file's name.
func (c *Conditions) conditions() string {
	var s strings.Builder
	for _, v := range []struct {
		on   bool
		name string
	}{
		{c.HardFaces, "-hard-faces"}, {c.Still > 0, fmt.Sprintf("-%d-still", c.Still)}, {c.Noise > 0, fmt.Sprintf("-noise-%g", c.Noise)},
		{c.Dark != 100, fmt.Sprintf("-dark-%g", c.Dark)}, {c.Blur > 0, fmt.Sprintf("-blur-%g", c.Blur)}, {c.Rain, "-rain"},
	} {
		if v.on {
			s.WriteString(v.name)
		}
	}
	return s.String()
}
