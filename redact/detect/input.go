package detect

// minPaddedH is the least height of the network's input in pixels. OpenCV 4.6
// computes feature maps that are one row high and over 17 wide from memory that
// nobody has written.
const minPaddedH = 2 * stepSize

// geometry says how a picture is laid into the network's input: scaled to
// width × height, at the top left of paddedW × paddedH.
type geometry struct {
	imageW, imageH   int
	width, height    int
	paddedW, paddedH int
}

// layOut returns the geometry of a picture whose longer side becomes at most
// size. Pictures are never scaled up.
func layOut(imageW, imageH, size int) geometry {
	g := geometry{imageW: imageW, imageH: imageH, width: imageW, height: imageH}
	if longer := max(imageW, imageH); longer > size {
		g.width = max(1, (imageW*size+longer/2)/longer)
		g.height = max(1, (imageH*size+longer/2)/longer)
	}
	g.paddedW = (g.width + stepSize - 1) / stepSize * stepSize
	g.paddedH = max((g.height+stepSize-1)/stepSize*stepSize, minPaddedH)
	return g
}

// colours converts YUV to BGR by tables (ITU-T BT.601; what the network makes
// of the colours does not depend on which of the matrices it was).
type colours struct {
	y, bu, gu, gv, rv [256]int32
}

// span is how far a sum of the tables may lie outside 0 to 255.
const span = 320

var (
	limited = newColours(16, 255.0/219, 255.0/224)
	full    = newColours(0, 1, 1)
	clamped = func() (t [256 + 2*span]float32) {
		for i := range t {
			t[i] = float32(min(max(i-span, 0), 255))
		}
		return t
	}()
)

func newColours(black, luma, chroma float64) (c colours) {
	for i := range 256 {
		d := float64(i) - 128
		c.y[i] = int32((float64(i)-black)*luma+0.5) + span
		c.bu[i] = int32(1.772 * chroma * d)
		c.gu[i] = int32(-0.344 * chroma * d)
		c.gv[i] = int32(-0.714 * chroma * d)
		c.rv[i] = int32(1.402 * chroma * d)
	}
	return c
}

// convert converts one row; cb and cr have half as many samples.
func (c *colours) convert(b, g, r []float32, luma, cb, cr []byte) {
	b, g, r = b[:len(luma)], g[:len(luma)], r[:len(luma)]
	for x, l := range luma {
		u, v := cb[x>>1], cr[x>>1]
		y := c.y[l]
		b[x] = clamped[y+c.bu[u]]
		g[x] = clamped[y+c.gu[u]+c.gv[v]]
		r[x] = clamped[y+c.rv[v]]
	}
}
