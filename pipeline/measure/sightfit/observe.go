package main

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"scrim/redact"
	"scrim/redact/condition"
	"scrim/redact/detect"
	"scrim/redact/face"
	"scrim/redact/geom"
	"scrim/redact/sight"
	"scrim/redact/yuv"
)

// What the detector of a live camera has by default (cmd/internal/config: Defaults), and how
// its boxes are padded.
const (
	inputSize       = 640
	threshold       = 0.3
	padding, padTop = 0.3, 0.5
)

const (
	// covered is the share of a face's box that a found face must cover with its padding, as
	// in package measure, and sameFace the least IoU without it: a box that is large
	// enough covers anything.
	covered  = 0.9
	sameFace = 0.3
)

// observation is one face in one degraded picture.
type observation struct {
	Part        part                `json:"part"`
	File        string              `json:"file"`
	Degradation degradation         `json:"degradation"`
	Condition   condition.Condition `json:"condition"`
	// Height of the face in pixels of the detector's input.
	Height float64 `json:"height"`
	Found  bool    `json:"found"`
	// Clean is whether it is found in the clean picture.
	Clean bool `json:"clean"`
	// Picture is the picture's number. Painted is the sight that the sight test measures in
	// it by painted faces; 0: none that is certain. It is nil where no test was made.
	Picture int      `json:"picture"`
	Painted *float64 `json:"painted,omitempty"`
}

// found reports whether one of the detected faces that are not weak is this one, and its region
// covers it.
func found(faces []face.Face, box geom.Box) bool {
	for _, f := range faces {
		if !f.Weak && f.Box.IoU(box) >= sameFace && f.Box.Pad(padding, padTop).Intersect(box) >= covered*box.Area() {
			return true
		}
	}
	return false
}

// observer makes pictures and shows them to the detector.
type observer struct {
	folder   string
	photos   map[part][]photo
	grounds  map[part][]photo
	canvases int // for each part
	mixes    int // degradations of each canvas that is for fitting
	painted  int // pictures for checking in which the sight is tested
	seed     uint64
	open     func() (redact.Detector, error)
	progress func(done, all int)
}

// observe returns what the detector finds in all pictures, by several workers.
func (o *observer) observe(ctx context.Context, workers int) ([]observation, error) {
	type result struct {
		n    int
		seen []observation
	}
	jobs, results := make(chan int), make(chan result)
	g, ctx := errgroup.WithContext(ctx)
	all := 2 * o.canvases
	g.Go(func() error {
		defer close(jobs)
		for _, n := range rand.New(rand.NewPCG(o.seed, 0)).Perm(all) {
			select {
			case jobs <- n:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
	for range workers {
		g.Go(func() error {
			d, err := o.open()
			if err != nil {
				return err
			}
			defer func() { _ = d.Close() }()
			for n := range jobs {
				seen, err := o.canvas(d, []part{fitting, checking}[n%2], n/2)
				if err != nil {
					return fmt.Errorf("picture %d: %w", n, err)
				}
				select {
				case results <- result{n, seen}:
				case <-ctx.Done():
					return ctx.Err()
				}
			}
			return nil
		})
	}
	byPicture := make([][]observation, all)
	g.Go(func() error {
		for done := range all {
			select {
			case r := <-results:
				byPicture[r.n] = r.seen
				o.progress(done+1, all)
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
	err := g.Wait()
	return slices.Concat(byPicture...), err // in order, whichever worker was faster
}

// canvas makes picture n of a part, and observes it under all its degradations.
func (o *observer) canvas(d redact.Detector, p part, n int) ([]observation, error) {
	seed := o.seed<<32 | uint64(n)<<1 //nolint:gosec // a number of pictures
	if p == checking {
		seed |= 1
	}
	r := rand.New(rand.NewPCG(seed, 12))
	c := composer{folder: o.folder, photos: o.photos[p], grounds: o.grounds[p], rand: r}
	// Sizes are as likely in each octave.
	clean, err := c.compose(minHeight * math.Pow(maxHeight/minHeight, (float64(n)+r.Float64())/float64(o.canvases)))
	if err != nil {
		return nil, err
	}
	todo := named()
	if p == fitting {
		todo = todo[:1]
		for range o.mixes {
			todo = append(todo, mixed(r))
		}
	}
	var seen []observation
	plain := make([]bool, len(clean.faces)) // found in the clean picture
	for i, how := range todo {
		picture := clean.picture.clone()
		how.apply(picture, r)
		im, err := picture.toYUV()
		if err != nil {
			return nil, err
		}
		if r, ok := d.(redact.Resetter); ok {
			r.Reset() // each picture is another camera's
		}
		faces, err := d.Detect(im)
		if err != nil {
			return nil, err
		}
		is := condition.Measure(im)
		var painted *float64
		if p == checking && n*o.painted/o.canvases != (n+1)*o.painted/o.canvases {
			if painted, err = testSight(d, im, seed); err != nil {
				return nil, err
			}
		}
		for k, t := range clean.faces {
			hit := found(faces, t.box)
			if i == 0 {
				plain[k] = hit
			}
			seen = append(seen, observation{
				Part: p, File: t.file, Degradation: how, Condition: is, Height: t.box.H, Found: hit, Clean: plain[k],
				Picture: n, Painted: painted,
			})
		}
	}
	return seen, nil
}

// tests is the number of sight tests in a picture.
const tests = 3

// testSight returns the sight that painted faces show in a picture.
func testSight(d redact.Detector, im *yuv.Image, seed uint64) (*float64, error) {
	p, ok := d.(redact.PartDetector)
	if !ok {
		return nil, nil // it cannot be tested
	}
	s, err := sight.New(sight.Options{Detector: p, Size: inputSize, NeedPixels: minHeight, Interval: time.Second, Seed: seed})
	if err != nil {
		return nil, err
	}
	for n := range tests {
		if _, err := s.Judge(time.Unix(int64(n), 0), im); err != nil {
			return nil, err
		}
	}
	painted := s.Report().Painted
	return &painted, nil
}

// live is the detector as a live camera has it.
func live(model, name string) (redact.Detector, error) {
	return detect.Open(detect.Config{Model: model, ModelName: name, Size: inputSize, Threshold: threshold, SkipUnchanged: true})
}
