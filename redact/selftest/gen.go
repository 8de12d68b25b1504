//go:build ignore

// This program draws face.png: a person of the drawn scene who looks into the
// camera. `go generate` runs it.
package main

import (
	"fmt"
	"image"
	"image/color"
	"image/png"
	"log"
	"math"
	"os"
	"time"

	"scrim/pipeline/scene"
	"scrim/redact/yuv"
)

// faceSide is the side of the picture in pixels, as in draw.go.
const faceSide = 256

func main() {
	if err := draw("face.png"); err != nil {
		log.Fatal(err)
	}
}

func draw(path string) error {
	s, err := scene.New(scene.Options{Width: 1920, Height: 1080, Seed: 3, People: 8, NoStamp: true})
	if err != nil {
		return err
	}
	im, err := yuv.New(1920, 1080)
	if err != nil {
		return err
	}
	face, frame := choose(s)
	if _, err = s.Draw(im, frame, time.Unix(0, 0)); err != nil {
		return err
	}
	side := face.Box.H * 2
	cx, cy := face.Box.X+face.Box.W/2, face.Box.Y+face.Box.H/2
	out := image.NewRGBA(image.Rect(0, 0, faceSide, faceSide))
	for y := range faceSide {
		for x := range faceSide {
			sx := int(cx + (float64(x)/faceSide-0.5)*side)
			sy := int(cy + (float64(y)/faceSide-0.5)*side)
			out.SetRGBA(x, y, rgb(im.Y[sy*im.YStride+sx], im.U[sy/2*im.CStride+sx/2], im.V[sy/2*im.CStride+sx/2]))
		}
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := png.Encode(f, out); err != nil {
		return err
	}
	fmt.Printf("%s: face %+v of frame %d\n", path, face, frame)
	return f.Close()
}

// choose returns the face that looks most straight into the camera, and its frame.
func choose(s *scene.Scene) (best scene.TrueFace, frame uint32) {
	score := math.Inf(1)
	for n := range uint32(5000) {
		for _, f := range s.Truth(n).Faces {
			off := math.Abs(f.Yaw) + math.Abs(f.Roll) + math.Abs(f.Box.H-150)/10
			if f.Visible > 0.99 && f.Box.X > 150 && f.Box.X < 1700 && f.Box.Y > 150 && f.Box.Y < 800 && off < score {
				best, frame, score = f, n, off
			}
		}
	}
	return best, frame
}

// rgb converts limited-range BT.601.
func rgb(luma, cb, cr uint8) color.RGBA {
	y, u, v := 1.164*(float64(luma)-16), float64(cb)-128, float64(cr)-128
	clip := func(v float64) uint8 { return uint8(min(max(v, 0), 255)) }
	return color.RGBA{clip(y + 1.596*v), clip(y - 0.392*u - 0.813*v), clip(y + 2.017*u), 255}
}
