package sight

import (
	"image"
	"math"

	"scrim/redact/yuv"
)

const (
	// textureCols and textureRows are the places at which the picture's texture is looked at, squares
	// of textureSize pixels. Sorted by strength, the one at textureQuantile says what is
	// everywhere, as rain is.
	textureCols, textureRows = 8, 6
	textureQuantile          = 0.25
	textureSize              = 24
)

// texture is what the last picture showed at these places, and the last one that differed from it. What is there in one
// picture and not in the next is rain, or noise; what stays belongs to the scene, and a face would hide it. The same
// picture once more says nothing.
type texture struct {
	width, height int // of the pictures; 0: there was none
	last, other   patches
	otherKnown    bool
	next          patches
}

// patches are the pixels of all places.
type patches [textureCols * textureRows][textureSize * textureSize]byte

// textureAt returns place i in a picture.
func textureAt(im *yuv.Image, i int) image.Rectangle {
	side := min(textureSize, im.Width, im.Height)
	x := i % textureCols * (im.Width - side) / (textureCols - 1)
	y := i / textureCols * (im.Height - side) / (textureRows - 1)
	return image.Rect(x, y, x+side, y+side)
}

// copyFrom copies the places of im.
func (p *patches) copyFrom(im *yuv.Image) {
	for i := range p {
		r := textureAt(im, i)
		for y := range r.Dy() {
			copy(p[i][y*textureSize:(y+1)*textureSize], im.Y[(r.Min.Y+y)*im.YStride+r.Min.X:][:r.Dx()])
		}
	}
}

// keep remembers im.
func (t *texture) keep(im *yuv.Image) {
	if t.width != im.Width || t.height != im.Height {
		t.width, t.height, t.otherKnown = im.Width, im.Height, false
		t.last.copyFrom(im)
		return
	}
	t.next.copyFrom(im)
	if t.next != t.last {
		t.other, t.last, t.otherKnown = t.last, t.next, true
	}
}

// moving returns the deviation of what im does not share with the picture before where it is small, in
// samples; it is infinite if there was none.
func (t *texture) moving(im *yuv.Image, share float64) float64 {
	if t.width != im.Width || t.height != im.Height {
		return math.Inf(1)
	}
	t.next.copyFrom(im)
	before := &t.last
	if t.next == t.last {
		if before = &t.other; !t.otherKnown {
			return math.Inf(1)
		}
	}
	var all [textureCols * textureRows]float64
	side := min(textureSize, im.Width, im.Height)
	for i := range all {
		sum, squares := 0, 0
		for y := range side {
			for x := range side {
				d := int(t.next[i][y*textureSize+x]) - int(before[i][y*textureSize+x])
				sum += d
				squares += d * d
			}
		}
		// Both pictures have it, so the difference has twice the variance. Other light does not count.
		n := float64(side * side)
		mean := float64(sum) / n
		all[i] = math.Sqrt(max(float64(squares)/n-mean*mean, 0) / 2)
	}
	return quantile(all[:], share)
}

// leastTexture returns the deviation of pixels from the mean of their surroundings where it is
// small, in samples.
func leastTexture(im *yuv.Image) float64 {
	var all [textureCols * textureRows]float64
	for i := range all {
		all[i] = deviation(im, textureAt(im, i))
	}
	return quantile(all[:], textureQuantile)
}

// deviation returns the deviation of pixels of r from the means of squares around them, in samples.
func deviation(im *yuv.Image, r image.Rectangle) float64 {
	sum, n := 0.0, 0
	const reach = textureSide / 2
	for y := r.Min.Y + reach; y < r.Max.Y-reach; y += 3 {
		for x := r.Min.X + reach; x < r.Max.X-reach; x += 3 {
			mean := 0
			for k := -reach; k <= reach; k++ {
				for _, p := range im.Y[(y+k)*im.YStride+x-reach:][:textureSide] {
					mean += int(p)
				}
			}
			d := float64(im.Y[y*im.YStride+x]) - float64(mean)/(textureSide*textureSide)
			sum += d * d
			n++
		}
	}
	return math.Sqrt(sum / float64(max(n, 1)))
}
