package scene

import "math"

// paint returns the colour of the head at p of the skull, in white light. The
// shadows that a face always has, in sockets, below the nose and lip, are part
// of it, because the light here casts none.
func (l *looks) paint(p vec) rgb {
	over := p.y - l.hairEdge(p)
	skin := l.skinAt(p)
	if l.hard != nil {
		skin = l.skin.mix(skin, l.hard.contrast)
	}
	if over <= -0.01 {
		return skin
	}
	strand := 1 + 0.10*math.Sin(70*p.x+9*p.z+4*math.Sin(11*p.y)) + 0.05*math.Sin(33*p.z-20*p.x)
	return skin.mix(l.hair.times(strand), smooth(-0.01, 0.03, over))
}

func (l *looks) skinAt(p vec) rgb {
	ax := math.Abs(p.x)
	c := l.skin
	if p.z <= 0.05 {
		ear := bell2(p.z+0.03, 0.03, p.y+0.06, 0.05) * smooth(0.25, 0.32, ax)
		return c.times(1 - 0.25*ear)
	}
	c = c.mix(rgb{c.r * 1.02, c.g * 0.84, c.b * 0.80}, 0.5*bell2(ax-0.22, 0.07, p.y+0.14, 0.06))
	dark := 0.30 * bell2(ax-eyeX, 0.085, p.y-0.025, 0.045)  // socket
	dark += 0.14 * bell2(ax-0.07, 0.03, p.y-0.02, 0.06)     // next to the bridge
	dark += 0.10 * bell2(ax-eyeX, 0.07, p.y+0.075, 0.02)    // below the eye
	dark += 0.24 * bell2(ax, 0.075, p.y-noseY+0.085, 0.022) // below the nose
	dark += 0.13 * bell2(ax-0.085, 0.018, p.y-noseY+0.03, 0.04)
	dark += 0.09 * bell2(ax-0.125, 0.018, p.y-noseY+0.10, 0.05) // fold
	dark += 0.20 * bell2(ax, 0.085, p.y-mouthY+0.062, 0.020)    // below the lip
	dark += 0.22 * smooth(-0.47, -0.57, p.y)
	dark += 0.12 * smooth(0.30, 0.42, ax)
	dark *= smooth(0.05, 0.18, p.z)
	dark -= 0.10 * bell2(ax, 0.022, p.y-noseY-0.06, 0.09)
	c = c.times(1 - dark)
	c = l.beardAt(c, ax, p.y, p.z)
	c = l.mouth(c, ax, p.y)
	nostril := ellipse(ax-0.036, 0.020, p.y-noseY+0.060, 0.013)
	c = c.mix(c.times(0.28), nostril)
	c = l.eyebrow(c, ax, p.y)
	return l.eye(c, ax, p.y)
}

// ellipse is 1 inside the ellipse with radii rx and ry and 0 outside, with a
// soft edge.
func ellipse(dx, rx, dy, ry float64) float64 {
	return smooth(1.25, 0.8, math.Sqrt(dx*dx/(rx*rx)+dy*dy/(ry*ry)))
}

func (l *looks) beardAt(c rgb, ax, y, z float64) rgb {
	if l.beard == 0 {
		return c
	}
	jaw := smooth(-0.22, -0.36, y-0.22*smooth(0.16, 0.34, ax)) * smooth(0.06, 0.10, ax+0.6*smooth(-0.36, -0.42, y))
	lip := bell2(ax, 0.09, y-mouthY-0.06, 0.02)
	return c.mix(l.hair, l.beard*min(jaw+lip, 1)*smooth(0.05, 0.2, z))
}

func (l *looks) mouth(c rgb, ax, y float64) rgb {
	const half = 0.145
	f := min(ax/half, 1)
	line := mouthY - 0.006 + 0.012*f*f // corners slightly up
	upper := (0.034 - 0.008*bell(ax, 0.02)) * (1 - f*f)
	lower := 0.046 * (1 - f*f*f)
	lips := smooth(line+upper+0.006, line+upper-0.006, y) * smooth(line-lower-0.008, line-lower+0.008, y) * smooth(half+0.005, half-0.02, ax)
	shade := l.lips
	if y > line {
		shade = shade.times(0.86)
	}
	c = c.mix(shade, 0.9*lips)
	gap := bell(y-line, 0.009) * smooth(half+0.012, half-0.03, ax)
	return c.mix(rgb{58, 24, 22}, 0.85*gap)
}

func (l *looks) eyebrow(c rgb, ax, y float64) rgb {
	arch := 0.098 + 0.030*smooth(0.06, 0.20, ax) - 0.040*smooth(0.20, 0.29, ax)
	thick := (0.024 - 0.011*smooth(0.10, 0.28, ax)) * l.brow
	f := smooth(thick+0.010, thick-0.006, math.Abs(y-arch)) * smooth(0.055, 0.085, ax) * smooth(0.295, 0.265, ax)
	return c.mix(l.hair.mix(rgb{30, 24, 20}, 0.3), 0.88*f)
}

func (l *looks) eye(c rgb, ax, y float64) rgb {
	dx := (ax - eyeX) / 0.088
	if math.Abs(dx) > 1.35 || math.Abs(y) > 0.09 {
		return c
	}
	open := max(1-dx*dx, 0)
	top, bottom := 0.040*math.Sqrt(open), -0.026*open
	y -= 0.004 * dx // the outer corner is higher
	inside := smooth(top+0.006, top-0.006, y) * smooth(bottom-0.006, bottom+0.006, y) * smooth(1.02, 0.92, math.Abs(dx))
	eye := rgb{226, 220, 214}.times(1 - 0.22*dx*dx - 0.25*smooth(0.0, 0.04, y))
	r := math.Hypot(ax-eyeX, y-0.004)
	eye = eye.mix(l.iris, smooth(0.042, 0.036, r))
	eye = eye.mix(rgb{12, 10, 10}, smooth(0.021, 0.016, r))
	eye = eye.mix(rgb{250, 250, 250}, 0.8*smooth(0.011, 0.006, math.Hypot(ax-eyeX+0.012, y-0.016)))
	c = c.mix(eye, inside)
	lash := bell(y-top-0.003, 0.0085) * smooth(1.15, 0.95, math.Abs(dx))
	c = c.mix(rgb{26, 18, 16}, 0.85*lash)
	c = c.mix(c.times(0.6), 0.7*bell(y-bottom+0.003, 0.007)*smooth(1.05, 0.8, math.Abs(dx)))
	return c.mix(c.times(0.62), 0.6*bell(y-top-0.024, 0.008)*smooth(1.1, 0.8, math.Abs(dx))) // fold of the lid
}
