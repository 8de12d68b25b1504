package motion

import (
	"image"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"scrim/redact"
	"scrim/redact/face"
	"scrim/redact/geom"
	"scrim/redact/yuv"
)

// camera is a camera whose pictures the test draws, with a clock of its own.
type camera struct {
	t        require.TestingT
	b        *Background
	at       time.Time
	interval time.Duration
	empty    *yuv.Image // what it shows when nothing moves
	im       *yuv.Image
	random   *rand.Rand
	sigma    float64 // of the noise of samples
	gain     float64 // of the light
	shift    int     // by how many pixels the camera was turned
	seen     redact.Seen
	last     redact.Motion
}

func newCamera(t require.TestingT, o Options, width, height int) *camera {
	b, err := New(o)
	require.NoError(t, err)
	c := &camera{t: t, b: b, at: time.Unix(1e9, 0), interval: 200 * time.Millisecond, gain: 1, random: rand.New(rand.NewPCG(1, 2))}
	c.seen = redact.Seen{Learn: true, Wanted: true}
	c.empty = room(t, width, height)
	c.im = c.empty.Clone()
	return c
}

// room draws a wall with frames and shelves, from dark to bright.
func room(t require.TestingT, width, height int) *yuv.Image {
	im, err := yuv.New(width, height)
	require.NoError(t, err)
	r := rand.New(rand.NewPCG(7, 7))
	im.Fill(120, 128, 128)
	for y := range height {
		for x := range width {
			im.Y[y*im.YStride+x] = byte(100 + 60*x/width)
		}
	}
	for range 60 {
		w, h := 8+r.IntN(width/6), 8+r.IntN(height/6)
		x, y := r.IntN(width-w), r.IntN(height-h)
		paint(im, image.Rect(x, y, x+w, y+h), byte(40+r.IntN(170)), byte(110+r.IntN(36)), byte(110+r.IntN(36)))
	}
	return im
}

// paint fills r.
func paint(im *yuv.Image, r image.Rectangle, y, u, v byte) {
	r = r.Intersect(im.Bounds())
	for row := r.Min.Y; row < r.Max.Y; row++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			im.Y[row*im.YStride+x] = y
			im.U[row/2*im.CStride+x/2], im.V[row/2*im.CStride+x/2] = u, v
		}
	}
}

// look shows the next picture, which draw adds to.
func (c *camera) look(draw func(im *yuv.Image)) redact.Motion {
	if c.shift == 0 {
		require.NoError(c.t, c.im.CopyFrom(c.empty))
	} else {
		for y := range c.im.Height {
			from := c.empty.Y[min(y+c.shift, c.im.Height-1)*c.empty.YStride:]
			to := c.im.Y[y*c.im.YStride:]
			for x := range c.im.Width {
				to[x] = from[min(x+c.shift, c.im.Width-1)]
			}
		}
	}
	if draw != nil {
		draw(c.im)
	}
	if c.gain != 1 {
		for i, v := range c.im.Y {
			c.im.Y[i] = byte(min(255, max(0, 16+c.gain*(float64(v)-16)+0.5)))
		}
		for _, p := range [][]byte{c.im.U, c.im.V} {
			for i, v := range p {
				p[i] = byte(min(255, max(0, 128+c.gain*(float64(v)-128)+0.5)))
			}
		}
	}
	if c.sigma > 0 {
		c.addNoise(c.im.Y, c.sigma)
		c.addNoise(c.im.U, c.sigma/2)
		c.addNoise(c.im.V, c.sigma/2)
	}
	m, err := c.b.Observe(c.at, c.im, c.seen)
	require.NoError(c.t, err)
	c.at = c.at.Add(c.interval)
	c.last = m
	return m
}

// normal are random numbers with a standard deviation of 256.
var normal = func() (n [1 << 14]int32) {
	r := rand.New(rand.NewPCG(3, 4))
	for i := range n {
		n[i] = int32(r.NormFloat64() * 256)
	}
	return n
}()

func (c *camera) addNoise(p []byte, sigma float64) {
	k := int32(sigma * 256)
	for i := range p {
		n := normal[c.random.Uint32()%(1<<14)] * k >> 16
		p[i] = byte(min(255, max(0, int32(p[i])+n)))
	}
}

// play shows pictures for a time, and returns what was said of the last one.
func (c *camera) play(d time.Duration, draw func(im *yuv.Image)) redact.Motion {
	for range max(1, int(d/c.interval)) {
		c.look(draw)
	}
	return c.last
}

// learned returns a camera that has learned an empty room.
func learned(t require.TestingT, o Options, width, height int) *camera {
	c := newCamera(t, o, width, height)
	m := c.play(10*time.Second, nil)
	require.True(t, m.Known, "%s", m.Why)
	require.Empty(t, m.Regions)
	return c
}

// covered returns the share of r that lies in regions.
func coveredShare(regions []geom.Region, r image.Rectangle) float64 {
	n := 0
	for y := r.Min.Y; y < r.Max.Y; y++ {
		var row []geom.Span
		for _, g := range regions {
			row = append(row, g.Shape.Row(y)...)
		}
		for x := r.Min.X; x < r.Max.X; x++ {
			for _, s := range row {
				if x >= s.From && x < s.To {
					n++
					break
				}
			}
		}
	}
	return float64(n) / float64(max(1, r.Dx()*r.Dy()))
}

// person draws somebody of one colour whose face is in the upper part of r.
func person(r image.Rectangle, y, u, v byte) func(im *yuv.Image) {
	return func(im *yuv.Image) { paint(im, r, y, u, v) }
}

// faceIn returns a face at the top of r.
func faceIn(r image.Rectangle) []face.Face {
	w := float64(r.Dx()) / 2
	return []face.Face{{Score: 0.9, Box: geom.Box{X: float64(r.Min.X) + w/2, Y: float64(r.Min.Y), W: w, H: w * 1.2}}}
}

func requireCovered(t *testing.T, m redact.Motion, r image.Rectangle, text string) {
	t.Helper()
	require.True(t, m.Known, "%s: %s", text, m.Why)
	require.InDelta(t, 1, coveredShare(m.Regions, r), 1e-9, text)
}

func requireShown(t *testing.T, m redact.Motion, r image.Rectangle, text string) {
	t.Helper()
	require.True(t, m.Known, "%s: %s", text, m.Why)
	require.Less(t, coveredShare(m.Regions, r), 0.5, text)
}
