package sight

import (
	"image"
	"math"
	"slices"

	"scrim/redact/yuv"
)

const (
	// lightCols and lightRows are the blocks in which the light is known, and lightSamples
	// the pixels of each that are read along a side.
	lightCols, lightRows = 16, 12
	lightSamples         = 8
	// reach is how far the light of a place is looked for around it, in blocks: a dark thing
	// in a bright room is not a dark room.
	reachCols, reachRows = 2, 2
	// brightShare is the share of the blocks around that are not brighter than the light.
	brightShare = 0.75
	// darkest and brightest bound the level of the ground that a face is painted for, as shares of
	// the light around.
	darkest, brightest = 0.55, 0.8
	// clippedLevel is from where on a pixel counts as clipped.
	clippedLevel = 252
)

// lightMap is where a picture is how bright and how colourful.
type lightMap struct {
	width, height int
	level         [lightCols * lightRows]float64 // median in full range: text over it does not count
	white         [lightCols * lightRows]float64 // share of clipped pixels
	// castU and castV are the mean colour; colourful is 0 for a grey picture and 1 for a colourful
	// one.
	castU, castV, colourful float64
}

// levels converts samples of luma to levels in full range and back.
type levels struct{ black, scale float64 }

func levelsOf(im *yuv.Image) levels {
	if im.FullRange {
		return levels{0, 1}
	}
	return levels{16, 255.0 / 219}
}

func (l levels) of(sample float64) float64    { return (sample - l.black) * l.scale }
func (l levels) sample(level float64) float64 { return level/l.scale + l.black }

// measure reads some pixels of each block of im.
func (m *lightMap) measure(im *yuv.Image) {
	m.width, m.height = im.Width, im.Height
	lv := levelsOf(im)
	var u, v, spread, n float64
	for j := range lightRows {
		for i := range lightCols {
			x0, x1 := i*im.Width/lightCols, (i+1)*im.Width/lightCols
			y0, y1 := j*im.Height/lightRows, (j+1)*im.Height/lightRows
			var all [lightSamples * lightSamples]byte
			white, count := 0, 0
			for k := range lightSamples * lightSamples {
				x := x0 + (2*(k%lightSamples)+1)*(x1-x0)/(2*lightSamples)
				y := y0 + (2*(k/lightSamples)+1)*(y1-y0)/(2*lightSamples)
				p := im.Y[y*im.YStride+x]
				all[k] = p
				if lv.of(float64(p)) >= clippedLevel {
					white++
				}
				count++
				if k%5 == 0 {
					cu, cv := float64(im.U[y/2*im.CStride+x/2])-128, float64(im.V[y/2*im.CStride+x/2])-128
					u, v, spread, n = u+cu, v+cv, spread+math.Abs(cu)+math.Abs(cv), n+1
				}
			}
			slices.Sort(all[:])
			m.level[j*lightCols+i] = max(lv.of(float64(all[len(all)/2])), 0)
			m.white[j*lightCols+i] = float64(white) / float64(count)
		}
	}
	m.castU, m.castV = u/n, v/n
	m.colourful = min(spread/n/4, 1)
}

// at returns the level of the light at a place, and the share of white pixels around.
func (m *lightMap) at(p image.Point) (level, white float64) {
	i0, j0 := p.X*lightCols/max(m.width, 1), p.Y*lightRows/max(m.height, 1)
	var around [(2*reachCols + 1) * (2*reachRows + 1)]float64
	n := 0
	for j := max(j0-reachRows, 0); j <= min(j0+reachRows, lightRows-1); j++ {
		for i := max(i0-reachCols, 0); i <= min(i0+reachCols, lightCols-1); i++ {
			around[n] = m.level[j*lightCols+i]
			white += m.white[j*lightCols+i]
			n++
		}
	}
	if n == 0 {
		return 0, 0
	}
	return quantile(around[:n], brightShare), white / float64(n)
}

// ground returns the level of the ground that a face is painted for at p, where the picture has
// that level. Where most is clipped, faces are as bright as white, or brighter.
func (m *lightMap) ground(p image.Point, local float64) float64 {
	light, white := m.at(p)
	g := min(max(local, darkest*light), brightest*light)
	if white > 0.25 {
		g = max(g, light*(brightest+0.7*(white-0.25)))
	}
	return g
}
