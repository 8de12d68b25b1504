//go:build ignore

// This program draws hard faces into faces.z: for each pixel luma, U, V and opacity, one byte
// each, less those of the pixel before, of face after face, compressed. faces.json has their sizes. `go generate` runs it.
package main

import (
	"bytes"
	"compress/zlib"
	"encoding/json"
	"image"
	"image/color"
	"image/draw"
	"log"
	"os"

	"scrim/pipeline/scene"
	"scrim/redact/geom"
)

// faceHeight is the height of the drawn faces in pixels. They are painted smaller as a rule.
const faceHeight = 56

// hardness is that of scene.Portrait at which the faces are as hard to find as
// photographed ones.
const hardness = 0.4

// turns are the slight turns of the heads, in degrees.
var turns = []struct{ yaw, roll float64 }{
	{0, 0}, {-18, 4}, {12, -6}, {25, 3}, {-8, 9}, {6, -3}, {-25, -5}, {15, 8}, {-4, -10}, {20, -4}, {-12, 2}, {9, 6},
}

func main() {
	if err := write("faces.z", "faces.json"); err != nil {
		log.Fatal(err)
	}
}

func write(picture, places string) error {
	var all []scene.Patch
	for i, t := range turns {
		p := scene.Portrait{Size: faceHeight, Yaw: t.yaw, Roll: t.roll,
			Skin: i * scene.SkinTones / len(turns), Seed: uint64(i + 1), Hardness: hardness, Shoulders: true}
		patch, err := p.Draw()
		if err != nil {
			return err
		}
		all = append(all, cut(patch))
	}
	type place struct {
		W    int      `json:"w"`
		H    int      `json:"h"`
		Face geom.Box `json:"face"`
	}
	var where []place
	var pixels bytes.Buffer
	z, err := zlib.NewWriterLevel(&pixels, zlib.BestCompression)
	if err != nil {
		return err
	}
	for _, p := range all {
		r := p.Image.Rect
		where = append(where, place{W: r.Dx(), H: r.Dy(), Face: p.Face})
		var before [4]byte
		for y := range r.Dy() {
			for x := range r.Dx() {
				var now [4]byte
				if c := p.Image.NRGBAAt(x, y); c.A > 0 {
					now[0], now[1], now[2] = color.RGBToYCbCr(c.R, c.G, c.B)
					now[3] = c.A
				}
				if _, err := z.Write([]byte{now[0] - before[0], now[1] - before[1], now[2] - before[2], now[3] - before[3]}); err != nil {
					return err
				}
				before = now
			}
		}
	}
	if err := z.Close(); err != nil {
		return err
	}
	text, err := json.MarshalIndent(where, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(places, append(text, '\n'), 0o600); err != nil {
		return err
	}
	return os.WriteFile(picture, pixels.Bytes(), 0o600)
}

// cut removes what is transparent around a head, but for a rim.
func cut(p scene.Patch) scene.Patch {
	r := image.Rectangle{}
	b := p.Image.Rect
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			if p.Image.NRGBAAt(x, y).A > 0 {
				r = r.Union(image.Rect(x, y, x+1, y+1))
			}
		}
	}
	r = r.Inset(-1).Intersect(b)
	out := image.NewNRGBA(image.Rect(0, 0, r.Dx(), r.Dy()))
	draw.Draw(out, out.Rect, p.Image, r.Min, draw.Src)
	p.Face.X, p.Face.Y = p.Face.X-float64(r.Min.X), p.Face.Y-float64(r.Min.Y)
	return scene.Patch{Image: out, Face: p.Face}
}
