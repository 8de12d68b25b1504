package scene

import (
	"slices"

	"scrim/redact/geom"
	"scrim/redact/yuv"
)

// effects are what comes between the room and the picture: lens, sensor, weather, and how
// the camera hangs.
type effects struct {
	upright *yuv.Image // what was drawn of a turned picture
	sensor  sensor
	defocus defocus
	glare   glare
	rain    []streak
	spray   *spray
}

// newEffects returns those that o asks for, nil if there are none.
func newEffects(o *Options) (*effects, error) {
	if o.Light == 0 && o.Noise == 0 && o.Blur == 0 && !o.Rain && o.Rotate == geom.Upright && len(o.Events) == 0 {
		return nil, nil //nolint:nilnil // there are none
	}
	w, h := o.upright()
	e := &effects{sensor: sensor{seed: o.Seed}}
	if o.Rotate != geom.Upright {
		var err error
		if e.upright, err = yuv.New(w, h); err != nil {
			return nil, err
		}
	}
	if o.Rain {
		e.rain = newRain(o.Seed, w, h)
	}
	if slices.ContainsFunc(o.Events, func(e Event) bool { return e.Kind == Sprayed }) {
		e.spray = newSpray(o.Seed, w, h)
	}
	return e, nil
}

// leastBlur is the sigma in pixels below which nothing is blurred.
const leastBlur = 0.1

// apply makes of an upright picture what the camera takes of it.
func (e *effects) apply(im *yuv.Image, number uint32, fps float64, a *appearance) {
	if a.cloth > 0 {
		drawCloth(im, a.cloth)
	}
	if a.blur > leastBlur {
		e.defocus.blur(im, a.blur)
	}
	if a.spray > 0 {
		e.spray.draw(im, a.spray)
	}
	light := a.light
	if a.glare {
		light *= exposed
	}
	if a.rain {
		light *= rainLight / 100.0
	}
	if light != 100 {
		scaleLight(im, light)
	}
	if a.rain {
		drawRain(im, e.rain, float64(number)/fps)
	}
	if a.glare {
		e.glare.draw(im, a.passage)
	}
	if a.noise > 0 {
		e.sensor.addNoise(im, number, a.noise)
	}
}

// hide reports whether something on the lens hides a pixel of the upright picture.
func (e *effects) hide(x, y int, a *appearance) bool {
	return y < a.cloth || a.spray > 0 && e.spray.at(x, y, a.spray) >= hiding
}
