package sight

import (
	"image"
	"math"

	"scrim/redact/yuv"
)

const (
	// blockSide is the side of the blocks that encoders transform, in pixels.
	blockSide = 8
	// encoderStep is the step in which the encoder of a camera rounds at good quality, in samples of an orthonormal
	// transform. Where pictures change from one to the next, without that much noise, it rounds movingSteps times what
	// changes.
	encoderStep, movingSteps, mostStep = 10.0, 4.0, 60.0
	// Noise of fullNoise levels and more is no longer there behind an encoder that rounds: the picture was not coded so.
	noNoise, fullNoise = 1.5, 3.5
	// deadZone is the share of a step below which nothing is left.
	deadZone = 2.0 / 3
)

// codedStep returns the step in which the encoder of a picture with so much noise rounds. moving is what changes from
// picture to picture, in samples; infinite: unknown.
func codedStep(noise, moving float64) float64 {
	step := encoderStep
	if !math.IsInf(moving, 1) {
		step = min(max(step, movingSteps*moving), mostStep)
	}
	return step * min(max((fullNoise-noise)/(fullNoise-noNoise), 0), 1)
}

// cosines are the rows of an orthonormal discrete cosine transform.
var cosines = func() (c [blockSide][blockSide]float32) {
	for k := range c {
		scale := math.Sqrt(2.0 / blockSide)
		if k == 0 {
			scale = math.Sqrt(1.0 / blockSide)
		}
		for i := range c[k] {
			c[k][i] = float32(scale * math.Cos(math.Pi/blockSide*(float64(i)+0.5)*float64(k)))
		}
	}
	return c
}()

// coded does to painted faces what the encoder of the camera did to all else.
type coded struct{ block, tmp [blockSide][blockSide]float32 }

// round rounds the luma of r, in whole blocks of the part, in steps.
func (c *coded) round(part *yuv.Image, r image.Rectangle, step float64) {
	if step <= 0 {
		return
	}
	for y := r.Min.Y &^ (blockSide - 1); y < r.Max.Y && y+blockSide <= part.Height; y += blockSide {
		for x := r.Min.X &^ (blockSide - 1); x < r.Max.X && x+blockSide <= part.Width; x += blockSide {
			c.roundBlock(part.Y[y*part.YStride+x:], part.YStride, float32(step))
		}
	}
}

func (c *coded) roundBlock(pix []byte, stride int, step float32) {
	for y := range c.block {
		for k := range blockSide {
			sum := float32(0)
			for i, p := range pix[y*stride:][:blockSide] {
				sum += cosines[k][i] * float32(p)
			}
			c.tmp[y][k] = sum
		}
	}
	for k := range blockSide {
		for l := range blockSide {
			sum := float32(0)
			for y := range blockSide {
				sum += cosines[l][y] * c.tmp[y][k]
			}
			if k|l != 0 {
				n := float32(int(max(sum, -sum)/step + 1 - deadZone))
				if sum < 0 {
					n = -n
				}
				sum = n * step
			}
			c.block[l][k] = sum
		}
	}
	for y := range blockSide {
		for k := range blockSide {
			sum := float32(0)
			for l := range blockSide {
				sum += cosines[l][y] * c.block[l][k]
			}
			c.tmp[y][k] = sum
		}
	}
	for y := range blockSide {
		row := pix[y*stride:][:blockSide]
		for i := range row {
			sum := float32(0)
			for k := range blockSide {
				sum += cosines[k][i] * c.tmp[y][k]
			}
			row[i] = sampleOf(sum)
		}
	}
}
