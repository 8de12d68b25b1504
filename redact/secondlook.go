package redact

import (
	"fmt"

	"scrim/redact/face"
	"scrim/redact/geom"
	"scrim/redact/yuv"
)

const (
	// MaxSecondLooks bounds how often one picture is inspected again. What the last
	// pass finds is covered without another one: everything there is painted by then.
	MaxSecondLooks = 4
	// FirstSecondTrack is the first track number of second looks. Trackers and zones
	// never reach it, and JSON numbers represent it exactly.
	FirstSecondTrack = 1 << 50
	// repeatScore is the least score from the second pass on. What is found then is
	// mostly caused by covers, and covering covers causes more: at 0.3 an image of
	// eight people ended up 86 % obscured, at 0.4 23 %.
	repeatScore = 0.4
	// maxSecondFaces bounds the faces that second looks may find in one picture.
	maxSecondFaces = 512
)

// SecondLook searches pictures for faces after they were obscured, and obscures what
// is still found: covers change what a detector sees around them, and a detector run
// on the output must find no face. It costs at least one detector pass per picture, so
// it is for files, not for live video.
type SecondLook struct {
	// Detector finds the faces; nil: no second look. It may share parts with the
	// Redactor's own. Everything that it finds is covered.
	Detector Detector
	// Padding and PaddingTop are added as in geom.Rotation.Pad, more with each look.
	Padding, PaddingTop float64

	regions []geom.Region
	next    uint64
}

// look obscures with o what is still found in im, and returns regions with that added.
// The result is valid until the next call; regions is not changed. covered removes
// faces that need no cover.
func (s *SecondLook) look(im *yuv.Image, regions []geom.Region, o Obscurer, covered func([]face.Face) []face.Face) ([]geom.Region, error) {
	if s.Detector == nil {
		return regions, nil
	}
	before := len(regions)
	s.regions = append(s.regions[:0], regions...)
	for n := 1; n <= MaxSecondLooks; n++ {
		faces, err := s.Detector.Detect(im)
		if err == nil {
			err = sane(faces, im)
		}
		if err != nil {
			return nil, err
		}
		from, more := len(s.regions), 1+float64(n-1)/4 // the same paint again changes little
		for _, f := range covered(faces) {
			if f.Weak || !f.Box.Rect().Overlaps(im.Bounds()) || n > 1 && f.Score < repeatScore {
				continue
			}
			s.regions = append(s.regions, geom.Region{
				Rect: f.Rotation.Pad(f.Box, more*s.Padding, more*s.PaddingTop).Rect(), Face: f.Box, Rotation: f.Rotation,
				Score: f.Score, Source: geom.Detected, Track: FirstSecondTrack + s.next,
			})
			s.next++
		}
		added := s.regions[from:]
		if len(added) == 0 {
			break
		}
		if found := len(s.regions) - before; found > maxSecondFaces {
			return nil, fmt.Errorf("obscured picture still has %d faces", found)
		}
		if err := o.Apply(im, added); err != nil {
			return nil, err
		}
	}
	return s.regions, nil
}
