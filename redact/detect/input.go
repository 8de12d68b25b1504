package detect

import (
	"fmt"

	"scrim/redact/cv"
	"scrim/redact/yuv"
)

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

// input scales pictures and writes them into the network's input. Everything
// that depends on a picture's size is made anew when that changes.
type input struct {
	geometry geometry
	y, u, v  *cv.Scaler
	blob     *float32 // where the padding was cleared
}

func (in *input) fit(imageW, imageH, size int) error {
	g := layOut(imageW, imageH, size)
	if in.y != nil && g == in.geometry {
		return nil
	}
	in.close()
	var err error
	for _, s := range []struct {
		to   **cv.Scaler
		w, h int
	}{
		{&in.y, g.width, g.height},
		{&in.u, (g.width + 1) / 2, (g.height + 1) / 2},
		{&in.v, (g.width + 1) / 2, (g.height + 1) / 2},
	} {
		if *s.to, err = cv.NewScaler(s.w, s.h); err != nil {
			in.close()
			return fmt.Errorf("detector input: %w", err)
		}
	}
	in.geometry = g
	return nil
}

func (in *input) close() {
	for _, s := range []**cv.Scaler{&in.y, &in.u, &in.v} {
		if *s != nil {
			(*s).Close()
			*s = nil
		}
	}
	in.geometry, in.blob = geometry{}, nil
}

// fill writes im into blob, which has three planes of the padded size: blue,
// green, red, 0 to 255. The padding is black.
func (in *input) fill(blob []float32, im *yuv.Image) error {
	g := in.geometry
	plane := g.paddedW * g.paddedH
	if len(blob) != 3*plane || im.Width != g.imageW || im.Height != g.imageH {
		return fmt.Errorf("detector input of %d samples for %d×%d does not fit a picture of %d×%d", len(blob), g.paddedW, g.paddedH, im.Width, im.Height)
	}
	luma, err := in.y.Scale(cv.Plane{Pix: im.Y, Width: im.Width, Height: im.Height, Stride: im.YStride})
	if err != nil {
		return err
	}
	cb, err := in.u.Scale(cv.Plane{Pix: im.U, Width: im.ChromaWidth(), Height: im.ChromaHeight(), Stride: im.CStride})
	if err != nil {
		return err
	}
	cr, err := in.v.Scale(cv.Plane{Pix: im.V, Width: im.ChromaWidth(), Height: im.ChromaHeight(), Stride: im.CStride})
	if err != nil {
		return err
	}
	if in.blob != &blob[0] {
		clear(blob)
		in.blob = &blob[0]
	}
	t := &limited
	if im.FullRange {
		t = &full
	}
	cw := (g.width + 1) / 2
	for y := range g.height {
		row := luma[y*g.width : (y+1)*g.width]
		at := y * g.paddedW
		t.convert(blob[at:at+g.width], blob[plane+at:plane+at+g.width], blob[2*plane+at:2*plane+at+g.width],
			row, cb[y/2*cw:y/2*cw+cw], cr[y/2*cw:y/2*cw+cw])
	}
	return nil
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
