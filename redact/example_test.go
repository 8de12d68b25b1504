package redact_test

import (
	"fmt"
	"time"

	"scrim/redact"
	"scrim/redact/face"
	"scrim/redact/geom"
	"scrim/redact/obscure"
	"scrim/redact/track"
	"scrim/redact/yuv"
)

// fixedDetector finds one face, always at the same place.
type fixedDetector struct{ at geom.Box }

func (d fixedDetector) Detect(*yuv.Image) ([]face.Face, error) {
	return []face.Face{{Box: d.at, Score: 0.9}}, nil
}
func (fixedDetector) Info() redact.DetectorInfo { return redact.DetectorInfo{Name: "fixed"} }
func (fixedDetector) Close() error              { return nil }

// A detector of one's own redacts a picture:
//
//  1. Implement Detector.
//  2. Create the gate, and the parts that hide what the detector finds.
//  3. Take a decoded picture. It is complete and an IDR, else the gate stays shut.
//  4. Redact it. Without look-ahead each picture has one outcome at once.
//  5. Ask the gate whether the frame may be shown. Only a Frame can be encoded.
func Example() {
	detector := fixedDetector{at: geom.Box{X: 100, Y: 80, W: 40, H: 50}} // 1

	gate := redact.NewGate(redact.Cause{Text: "starting"}) // 2
	obscurer, err := obscure.New(obscure.Options{Style: obscure.Veil})
	if err != nil {
		panic(err)
	}
	redactor, err := redact.New(redact.Options{
		Camera: "gate", Gate: gate, Detector: detector, Tracker: track.NewWindow(track.Options{}, 0), Obscurer: obscurer,
	})
	if err != nil {
		panic(err)
	}

	image, err := yuv.New(320, 180) // 3
	if err != nil {
		panic(err)
	}
	picture := &redact.Picture{
		Image: image, Camera: "gate", Epoch: 1, Generation: gate.Generation(), Number: 1, Complete: true, IDR: true, Captured: time.Now(),
	}
	for _, outcome := range redactor.Redact(picture) { // 4
		if outcome.Err != nil {
			panic(outcome.Err)
		}
		fmt.Println("may be shown:", gate.Admits(outcome.Frame, time.Now())) // 5
		for _, region := range outcome.Frame.Regions() {
			fmt.Println(region.Source, "face", region.Face.Rect(), "is covered:", region.Covers(region.Face.Rect()))
		}
	}
	// Output:
	// may be shown: true
	// detected face (100,80)-(140,130) is covered: true
}
