package sight

import (
	"image"
	"math"
	"math/rand/v2"

	"scrim/redact/condition"
	"scrim/redact/geom"
	"scrim/redact/yuv"
)

const (
	// textureSide is the side of the square whose mean is taken from a pixel, to get the texture and
	// the noise of the picture, which stay on a painted face.
	textureSide = 5
	// textureShare is how much stronger they may be than the noise of the picture. What is
	// stronger is a pattern of what the face hides, not noise.
	textureShare = 1.2
	// ownBlur is the blur of a sharp picture and of the painted faces, in pixels.
	ownBlur = 0.5
	// The range of levels, as a share of its upper end, says how clear the picture is: through fog things
	// have foggy times that share of their contrast, and in a clear picture clearer times more.
	foggy, clearer = 0.85, 0.25
	// softer makes up for what Condition.Blur, in which sharp edges weigh most, is below the blur of
	// the lens. Noise makes it larger again: from lowNoise to highNoise levels softer goes to 1.
	softer              = 2.0
	lowNoise, highNoise = 6.0, 14.0
)

// painter paints faces. It must be used by one goroutine at a time.
type painter struct {
	rand  *rand.Rand
	faces []sprite
	// of the picture: its light, condition and the strength of texture where there is least.
	light   lightMap
	is      condition.Condition
	step    float64 // in which an encoder rounds; 0: it does not
	texture float64
	// face and alpha are the painted face, in levels times opacity, and opacity; u and v likewise,
	// at half the resolution with an opacity of their own.
	face, alpha, u, v, calpha []float32
	tmp, low, lowV            []float32
	coded                     coded
	keep                      float32 // share of the texture of the place that is kept
	noise                     []float32
	columns                   []column
}

// noiseSamples is the number of normal values that noise is made of.
const noiseSamples = 1 << 13

func newPainter(seed uint64) (*painter, error) {
	faces, err := sprites()
	if err != nil {
		return nil, err
	}
	p := &painter{rand: rand.New(rand.NewPCG(seed, 0x7369676874)), faces: faces} //nolint:gosec // no secret
	p.noise = make([]float32, noiseSamples)
	for i := range p.noise {
		p.noise[i] = float32(p.rand.NormFloat64())
	}
	return p, nil
}

// reachOf returns how far a painted face of a height reaches from its middle to each side, in
// pixels.
func (p *painter) reachOf(height float64) float64 {
	r := 0.0
	for i := range p.faces {
		s := &p.faces[i].sizes[0]
		k := height / s.face.H
		r = max(r, k*(s.face.X+s.face.W/2), k*(float64(s.w)-s.face.X-s.face.W/2))
	}
	return r
}

// paint paints a face of height pixels, with its middle at x, y, into part, which lies at at in the
// picture that the painter knows. It returns the face's box in pixels of part.
func (p *painter) paint(part *yuv.Image, at image.Point, x, y, height float64) geom.Box {
	s := p.faces[p.rand.IntN(len(p.faces))].sized(height)
	k := height / s.face.H
	mirror := p.rand.IntN(2) == 1
	w := s.face.W * k
	box := geom.Box{X: x - w/2, Y: y - height/2, W: w, H: height}
	left, top := box.X-s.face.X*k, box.Y-s.face.Y*k
	if mirror {
		left = box.X - (float64(s.w)-s.face.X-s.face.W)*k
	}
	r := image.Rect(int(math.Floor(left))&^1, int(math.Floor(top))&^1, int(math.Ceil(left+float64(s.w)*k)), int(math.Ceil(top+float64(s.h)*k)))
	r = r.Intersect(part.Bounds())
	if r.Empty() {
		return box
	}
	sigma := p.blur()
	local := p.local(part, box.Rect().Intersect(part.Bounds()))
	middle := at.Add(image.Pt(int(x), int(y)))
	ground := p.light.ground(middle, local)
	pl := placing{left, top, k, mirror}
	p.luma(part, r, s, pl, sigma, ground)
	p.chroma(part, r, s, pl, sigma/2, ground)
	return box
}

// local returns the mean level of part in r.
func (p *painter) local(part *yuv.Image, r image.Rectangle) float64 {
	sum, n := 0, 0
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for _, v := range part.Y[y*part.YStride+r.Min.X : y*part.YStride+r.Max.X] {
			sum += int(v)
		}
		n += r.Dx()
	}
	return max(levelsOf(part).of(float64(sum)/float64(max(n, 1))), 0)
}

// contrast returns the share of their contrast that things have in the picture, 0 to 1: less
// where nothing is black, as in fog.
func (p *painter) contrast() float64 {
	share := p.is.Range() / max(p.is.Bright, 1)
	return min(share*(foggy+clearer*share), 1)
}

// blur returns the deviation in pixels with which sharp faces are blurred.
func (p *painter) blur() float64 {
	noisy := min(max((p.is.Noise-lowNoise)/(highNoise-lowNoise), 0), 1)
	b := p.is.Blur * (softer + (1-softer)*noisy)
	return math.Sqrt(max(b*b-ownBlur*ownBlur, 0))
}

// fit returns slices of n values.
func fit(n int, slices ...*[]float32) {
	for _, s := range slices {
		if cap(*s) < n {
			*s = make([]float32, n)
		}
		*s = (*s)[:n]
	}
}

// luma paints the luma of a face into r.
func (p *painter) luma(part *yuv.Image, r image.Rectangle, s *scaledSprite, pl placing, sigma, ground float64) {
	w, h := r.Dx(), r.Dy()
	fit(w*h, &p.face, &p.alpha, &p.tmp, &p.low)
	p.render(s, w, h, pl.from(r.Min, 1), p.face, 0)
	p.render(s, w, h, pl.from(r.Min, 1), p.alpha, 3)
	gauss(p.face, p.tmp, w, h, sigma)
	gauss(p.alpha, p.tmp, w, h, sigma)
	// The level is ground + (level − groundLevel)·gain. What light does is less seen through fog.
	contrast := p.contrast()
	// A face reflects a share of the light: where there is little, what lifts the dark levels is not fog.
	strength := contrast * min(contrast*ground/groundLevel+1-contrast, ground/groundLevel)
	gain, base := float32(strength), float32(ground-groundLevel*strength)
	lv := levelsOf(part)
	p.mean(part.Y, part.YStride, part.Width, r, p.low)
	var power float64
	count := 0
	for y := range h {
		row := part.Y[(r.Min.Y+y)*part.YStride+r.Min.X:]
		for x := range w {
			if p.alpha[y*w+x] > 0.5 {
				d := float64(row[x]) - float64(p.low[y*w+x])
				power += d * d
				count++
			}
		}
	}
	had := math.Sqrt(power / float64(max(count, 1)))
	noise := p.is.Noise / lv.scale
	keep := 1.0
	if most := textureShare * max(noise, p.texture, 0.5); had > most {
		keep = most / had
	}
	p.keep = float32(keep)
	more := float32(math.Sqrt(max(noise*noise-keep*keep*had*had, 0)))
	for y := range h {
		row := part.Y[(r.Min.Y+y)*part.YStride+r.Min.X:]
		next := p.rand.IntN(noiseSamples - 1)
		for x := range w {
			a := p.alpha[y*w+x]
			if a <= 0.002 {
				continue
			}
			before := float32(row[x])
			painted := (p.face[y*w+x]*gain+a*base)/float32(lv.scale) + a*float32(lv.black)
			if next++; next == noiseSamples {
				next = 0
			}
			v := before*(1-a) + painted + a*((before-p.low[y*w+x])*p.keep+more*p.noise[next])
			row[x] = sampleOf(v)
		}
	}
	p.coded.round(part, r, p.step)
}

// sampleOf rounds to a sample.
func sampleOf(v float32) byte { return byte(min(max(v+0.5, 0), 255)) }

// mean writes the means of squares of textureSide samples of a plane around each sample of r into low. Rows have
// width samples.
func (p *painter) mean(plane []byte, stride, width int, r image.Rectangle, low []float32) {
	const n = textureSide / 2
	w, h := r.Dx(), r.Dy()
	for y := range h {
		row := plane[(r.Min.Y+y)*stride : (r.Min.Y+y)*stride+width]
		at := func(x int) int { return int(row[min(max(r.Min.X+x, 0), width-1)]) }
		sum := 0
		for x := -n; x < n; x++ {
			sum += at(x)
		}
		for x := range w {
			sum += at(x + n)
			p.tmp[y*w+x] = float32(sum)
			sum -= at(x - n)
		}
	}
	for x := range w {
		at := func(y int) float32 { return p.tmp[min(max(y, 0), h-1)*w+x] }
		sum := float32(0)
		for y := -n; y < n; y++ {
			sum += at(y)
		}
		for y := range h {
			sum += at(y + n)
			low[y*w+x] = sum / (textureSide * textureSide)
			sum -= at(y - n)
		}
	}
}

// chroma paints the colours of a face into r, which begins at even coordinates.
func (p *painter) chroma(part *yuv.Image, r image.Rectangle, s *scaledSprite, pl placing, sigma, ground float64) {
	x0, y0 := r.Min.X/2, r.Min.Y/2
	w, h := (r.Max.X+1)/2-x0, (r.Max.Y+1)/2-y0
	fit(w*h, &p.u, &p.v, &p.calpha, &p.tmp, &p.low, &p.lowV)
	strength := float32(p.light.colourful * p.contrast() * min(ground/groundLevel, 1.3))
	from := pl.from(image.Pt(2*x0, 2*y0), 2)
	p.render(s, w, h, from, p.u, 1)
	p.render(s, w, h, from, p.v, 2)
	p.render(s, w, h, from, p.calpha, 3)
	gauss(p.u, p.tmp, w, h, sigma)
	gauss(p.v, p.tmp, w, h, sigma)
	gauss(p.calpha, p.tmp, w, h, sigma)
	in := image.Rect(x0, y0, x0+w, y0+h)
	p.mean(part.U, part.CStride, part.ChromaWidth(), in, p.low)
	p.mean(part.V, part.CStride, part.ChromaWidth(), in, p.lowV)
	castU, castV := float32(128+p.light.castU/2), float32(128+p.light.castV/2)
	for y := range h {
		us, vs := part.U[(y0+y)*part.CStride+x0:], part.V[(y0+y)*part.CStride+x0:]
		for x := range w {
			i := y*w + x
			a := p.calpha[i]
			if a <= 0.002 {
				continue
			}
			u, v := float32(us[x]), float32(vs[x])
			us[x] = sampleOf(u*(1-a) + (p.u[i]-128*a)*strength + a*(castU+(u-p.low[i])*p.keep))
			vs[x] = sampleOf(v*(1-a) + (p.v[i]-128*a)*strength + a*(castV+(v-p.lowV[i])*p.keep))
		}
	}
}

// placing says where a sprite lies: its upper left corner, and how large its pixels are.
type placing struct {
	left, top, scale float64
	mirror           bool
}

// steps lead through a sprite, in its pixels.
type steps struct {
	x, y, step float64
	mirror     bool
}

// from returns the steps whose first pixel begins at p, of pixels of that size.
func (pl placing) from(p image.Point, size float64) steps {
	return steps{
		x: (float64(p.X)+size/2-pl.left)/pl.scale - 0.5, y: (float64(p.Y)+size/2-pl.top)/pl.scale - 0.5,
		step: size / pl.scale, mirror: pl.mirror,
	}
}

// render writes w×h values of a channel of a sprite, between whose pixels it interpolates. The
// opacity, channel 3, goes from 0 to 1.
func (p *painter) render(s *scaledSprite, w, h int, from steps, into []float32, channel int) {
	p.columns = p.columns[:0]
	for x := range w {
		sx := from.x + float64(x)*from.step
		if from.mirror {
			sx = float64(s.w-1) - sx
		}
		c := column{at: -1}
		if sx >= 0 && sx <= float64(s.w-1) {
			i := min(int(sx), s.w-2)
			c = column{at: 4 * i, right: float32(sx - float64(i))}
		}
		p.columns = append(p.columns, c)
	}
	unit := float32(1)
	if channel == 3 {
		unit = 1.0 / 255
	}
	for y := range h {
		row := into[y*w : (y+1)*w]
		sy := from.y + float64(y)*from.step
		if sy < 0 || sy > float64(s.h-1) {
			clear(row)
			continue
		}
		i := min(int(sy), s.h-2)
		low := float32(sy-float64(i)) * unit
		up := unit - low
		above, below := s.pix[4*i*s.w+channel:], s.pix[4*(i+1)*s.w+channel:]
		for x, c := range p.columns {
			if c.at < 0 {
				row[x] = 0
				continue
			}
			a, b := float32(above[c.at])*up+float32(below[c.at])*low, float32(above[c.at+4])*up+float32(below[c.at+4])*low
			row[x] = a + (b-a)*c.right
		}
	}
}

// column is a column of a sprite: the byte at which it begins, and how far right of it it lies. A negative
// one is outside.
type column struct {
	at    int
	right float32
}

// gauss blurs a plane of w×h values by about a Gaussian of sigma pixels: three means in each
// direction.
func gauss(plane, tmp []float32, w, h int, sigma float64) {
	if sigma < 0.35 {
		return
	}
	if sigma < 1.2 { // means are too coarse
		c := float32(math.Exp(-1 / (2 * sigma * sigma)))
		d := float32(math.Exp(-4 / (2 * sigma * sigma)))
		sum := 1 + 2*c + 2*d
		kernel := [3]float32{1 / sum, c / sum, d / sum}
		for y := range h {
			smallKernel(plane[y*w:], tmp, w, 1, kernel)
		}
		for x := range w {
			smallKernel(plane[x:], tmp, h, w, kernel)
		}
		return
	}
	// The variance of a mean of 2n+1 is n(n+1)/3.
	n := int(math.Round((math.Sqrt(1+4*sigma*sigma) - 1) / 2))
	for range 3 {
		for y := range h {
			boxMean(plane[y*w:], tmp, w, 1, n)
		}
		for x := range w {
			boxMean(plane[x:], tmp, h, w, n)
		}
	}
}

func smallKernel(line, tmp []float32, n, step int, k [3]float32) {
	at := func(i int) float32 { return line[min(max(i, 0), n-1)*step] }
	for i := range n {
		tmp[i] = k[0]*at(i) + k[1]*(at(i-1)+at(i+1)) + k[2]*(at(i-2)+at(i+2))
	}
	for i := range n {
		line[i*step] = tmp[i]
	}
}

func boxMean(line, tmp []float32, n, step, reach int) {
	at := func(i int) float32 { return line[min(max(i, 0), n-1)*step] }
	sum := float32(0)
	for i := -reach; i < reach; i++ {
		sum += at(i)
	}
	for i := range n {
		sum += at(i + reach)
		tmp[i] = sum / float32(2*reach+1)
		sum -= at(i - reach)
	}
	for i := range n {
		line[i*step] = tmp[i]
	}
}
