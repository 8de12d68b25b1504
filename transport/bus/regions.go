package bus

import (
	"image"
	"math"
	"strconv"
	"strings"

	"scrim/redact/geom"
	"scrim/transport"
)

// The precision of a region: steps in a pixel, and in a score of 1.
const (
	pixelSteps = 10
	scoreSteps = 10_000
	// maxFaceSteps bounds a face's position and size.
	maxFaceSteps = 2 * transport.MaxSide * pixelSteps
)

// sources are the sources of a region, each with the letter that encodes it.
var sources = [...]struct {
	letter byte
	source geom.Source
}{{'d', geom.Detected}, {'t', geom.Tracked}, {'h', geom.Held}, {'b', geom.Backfilled}, {'z', geom.Zone},
	{'f', geom.Failsafe}, {'m', geom.Moving}, {'p', geom.Body}, {'-', ""}}

// formatRegions returns the headers of a unit's regions: the rectangles and the details
// of each.
func formatRegions(u *transport.RedactedUnit) (regions, faces string) {
	var b, f []byte
	bounds := image.Rect(0, 0, u.Width, u.Height)
	listed := 0
	for i := range u.Regions {
		r := u.Regions[i].Rect.Intersect(bounds)
		if r.Empty() || listed == MaxRegions {
			continue
		}
		if listed++; listed > 1 {
			b, f = append(b, ';'), append(f, ';')
		}
		b = appendNumbers(b, r.Min.X, r.Min.Y, r.Dx(), r.Dy())
		f = appendFace(f, &u.Regions[i])
	}
	return string(b), string(f)
}

func appendNumbers(b []byte, numbers ...int) []byte {
	for i, v := range numbers {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(b, int64(v), 10)
	}
	return b
}

// appendFace appends the letter of the source, the score in 1/10000 and the track. If
// there is a face, its x, y, width and height in 1/10 pixel follow.
func appendFace(b []byte, r *geom.Region) []byte {
	letter := byte('-')
	for _, s := range sources {
		if s.source == r.Source {
			letter = s.letter
		}
	}
	b = append(b, letter, ',')
	b = appendNumbers(b, steps(r.Score, scoreSteps, 0, scoreSteps))
	b = strconv.AppendUint(append(b, ','), r.Track, 10)
	at := func(v float64) int { return steps(v, pixelSteps, -maxFaceSteps/2, maxFaceSteps) }
	if w, h := at(r.Face.W), at(r.Face.H); w > 0 && h > 0 {
		b = appendNumbers(append(b, ','), at(r.Face.X), at(r.Face.Y), w, h)
	}
	return b
}

// steps returns v in steps, within bounds; 0 for NaN.
func steps(v float64, in, least, most int) int {
	if math.IsNaN(v) {
		return 0
	}
	return int(min(max(math.Round(v*float64(in)), float64(least)), float64(most)))
}

// regions reads the regions of a picture. Their details may be missing for all regions,
// but not for some.
func (r *headerReader) regions(bounds image.Rectangle) []geom.Region {
	text, faces := r.h.Get(hdrRegions), r.h.Get(hdrFaces)
	switch {
	case text == "" && faces == "":
		return nil
	case len(text) > maxHeaderBytes:
		r.fail(hdrRegions)
		return nil
	case len(faces) > maxHeaderBytes || faces != "" && strings.Count(text, ";") != strings.Count(faces, ";"):
		r.fail(hdrFaces)
		return nil
	}
	regions := make([]geom.Region, 0, strings.Count(text, ";")+1)
	for one := range strings.SplitSeq(text, ";") {
		v, ok := numbers(one, 0, math.MaxInt16)
		rect := image.Rect(v[0], v[1], v[0]+v[2], v[1]+v[3])
		if !ok || rect.Empty() || !rect.In(bounds) || len(regions) == MaxRegions {
			r.fail(hdrRegions)
			return nil
		}
		regions = append(regions, geom.Region{Rect: rect})
	}
	if faces == "" {
		return regions
	}
	i := 0
	for one := range strings.SplitSeq(faces, ";") {
		if !parseFace(one, &regions[i]) {
			r.fail(hdrFaces)
			return nil
		}
		i++
	}
	return regions
}

// numbers reads four numbers within bounds.
func numbers(text string, least, most int64) (v [4]int, ok bool) {
	rest := text
	for i := range v {
		var field string
		var more bool
		field, rest, more = strings.Cut(rest, ",")
		n, err := strconv.ParseInt(field, 10, 32)
		if err != nil || n < least || n > most || more != (i < len(v)-1) {
			return v, false
		}
		v[i] = int(n)
	}
	return v, true
}

// parseFace reads the details of a region.
func parseFace(text string, r *geom.Region) bool {
	letter, rest, _ := strings.Cut(text, ",")
	score, rest, _ := strings.Cut(rest, ",")
	track, box, found := strings.Cut(rest, ",")
	known := false
	for _, s := range sources {
		if letter == string(s.letter) {
			r.Source, known = s.source, true
		}
	}
	n, err := strconv.ParseUint(score, 10, 16)
	if err != nil || n > scoreSteps || !known {
		return false
	}
	r.Score = float64(n) / scoreSteps
	if r.Track, err = strconv.ParseUint(track, 10, 64); err != nil || !found {
		return err == nil
	}
	v, ok := numbers(box, -maxFaceSteps/2, maxFaceSteps)
	if !ok || v[2] < 1 || v[3] < 1 {
		return false
	}
	at := func(i int) float64 { return float64(v[i]) / pixelSteps }
	r.Face = geom.Box{X: at(0), Y: at(1), W: at(2), H: at(3)}
	return true
}
