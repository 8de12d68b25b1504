package sight

import (
	"fmt"
	"image"
	"math"
	"math/rand/v2"

	"scrim/redact"
	"scrim/redact/condition"
	"scrim/redact/face"
	"scrim/redact/geom"
	"scrim/redact/rotate"
	"scrim/redact/yuv"
	"scrim/redact/zone"
)

const (
	// gridLong and gridShort are the parts of a picture along its longer and its shorter side.
	gridLong, gridShort = 4, 3
	// A test passes with leastFaces painted faces of the size that is needed and larger, if
	// certainty of them are found. It fails with the next miss after mostMisses, or with mostFaces.
	leastFaces, mostFaces, mostMisses = 24, 72, 3
	// mostChance is the largest share of painted faces that may be found by chance.
	mostChance = 0.2
	// nearShare is the share of them that are at most nearFactor larger than what is needed.
	nearShare, nearFactor = 0.7, 1.2
	// ladderFaces of all sizes are painted at each test, and firstLadder of each size at the first
	// one, to measure the sight.
	ladderFaces, firstLadder = 8, 2
	// places is how many places are compared for each face; it is painted at the flattest.
	places = 6
	// contextShare and leastContext are how far the part that is inspected reaches from a face's
	// middle, in face heights and in pixels of the detector's input.
	contextShare, leastContext = 1.5, 40
)

// trial runs sight tests. It must be used by one goroutine at a time.
type trial struct {
	detector redact.PartDetector
	size     int  // longer side of the detector's input
	tiles    bool // it looks at parts in the camera's resolution
	rotation geom.Rotation
	painter  *painter
	rand     *rand.Rand
	zones    *zone.Set
	grid     []image.Rectangle
	parts    *parts
	next     int // part in which the next face is painted
	part     *yuv.Image
	upright  *yuv.Image // the same, turned
	// faces and pixels count what was painted and inspected.
	faces, pixels int
}

// scale returns by how much the detector's input is smaller than a picture.
func (t *trial) scale(width, height int) float64 {
	if t.tiles {
		return 1
	}
	return max(1, float64(max(width, height))/float64(t.size))
}

// gridOf divides a picture.
func gridOf(width, height int) []image.Rectangle {
	cols, rows := gridLong, gridShort
	if height > width {
		cols, rows = rows, cols
	}
	all := make([]image.Rectangle, 0, cols*rows)
	for j := range rows {
		for i := range cols {
			all = append(all, image.Rect(i*width/cols, j*height/rows, (i+1)*width/cols, (j+1)*height/rows))
		}
	}
	return all
}

// look prepares tests in im. before is the texture of the picture before, if there was one.
func (t *trial) look(im *yuv.Image, is condition.Condition, p *parts, before *texture) {
	t.parts = p
	t.painter.light.measure(im)
	t.painter.is = is
	t.painter.texture = min(leastTexture(im), before.moving(im, textureQuantile))
	t.painter.step = codedStep(is.Noise, before.moving(im, 0.5))
}

// finding is what became of one painted face.
type finding int

const (
	// notTried: there was no place for it, or somebody is there already.
	notTried finding = iota
	missed
	found
	// byChance: something is found there without the face as well. A detector that finds
	// faces everywhere, as in coded noise, sees none.
	byChance
)

// try paints one face of that height into the next part of the picture, and returns that
// part's number and what became of the face.
func (t *trial) try(im *yuv.Image, height float64) (cell int, f finding, err error) {
	cell = t.next % len(t.grid)
	t.next++
	x, y, ok := t.place(im, t.grid[cell], height)
	if !ok {
		return cell, notTried, nil
	}
	seen := false
	for clean := false; ; clean = true {
		r := t.around(im, x, y, height)
		if err := t.copyPart(im, r); err != nil {
			return cell, notTried, err
		}
		var box geom.Box
		if clean {
			// Was it missed because somebody is there already, or found by chance?
			box = geom.Box{X: x - float64(r.Min.X) - height/2, Y: y - float64(r.Min.Y) - height/2, W: height, H: height}
		} else {
			if box, err = t.paint(r.Min, x-float64(r.Min.X), y-float64(r.Min.Y), height); err != nil {
				return cell, notTried, err
			}
			t.faces++
		}
		faces, err := t.detector.DetectPart(t.part, r.Min, im.Width, im.Height)
		if err != nil {
			return cell, notTried, fmt.Errorf("sight test: %w", err)
		}
		t.pixels += r.Dx() * r.Dy()
		switch {
		case clean && seen && finds(faces, box):
			return cell, byChance, nil
		case clean && seen:
			return cell, found, nil
		case clean && overlaps(faces, box):
			return cell, notTried, nil
		case clean:
			return cell, missed, nil
		}
		if seen = finds(faces, box); seen && !elsewhere(faces, box) {
			return cell, found, nil
		}
	}
}

// elsewhere reports whether one of faces does not touch box.
func elsewhere(faces []face.Face, box geom.Box) bool {
	for _, f := range faces {
		if !f.Weak && f.Box.Intersect(box) == 0 {
			return true
		}
	}
	return false
}

// paint paints a face into the part, which lies at at. It returns the face's box in the part.
func (t *trial) paint(at image.Point, x, y, height float64) (box geom.Box, err error) {
	if t.rotation == geom.Upright {
		return t.painter.paint(t.part, at, x, y, height), nil
	}
	if t.upright, err = rotate.Turned(t.upright, t.part, t.rotation); err != nil {
		return box, fmt.Errorf("sight test: %w", err)
	}
	ux, uy := t.rotation.Point(x, y, float64(t.part.Width), float64(t.part.Height))
	// The light is that of the place in the picture.
	at = at.Add(image.Pt(int(x)-int(ux), int(y)-int(uy)))
	box = t.painter.paint(t.upright, at, ux, uy, height)
	back := t.rotation.Inverse()
	if err := rotate.By(back).Image(t.part, t.upright); err != nil {
		return box, fmt.Errorf("sight test: %w", err)
	}
	return back.Box(box, t.upright.Width, t.upright.Height), nil
}

// finds reports whether one of faces is the one in box.
func finds(faces []face.Face, box geom.Box) bool {
	for _, f := range faces {
		if !f.Weak && f.Box.IoU(box) >= sameFace {
			return true
		}
	}
	return false
}

// sameFace is the least IoU of a face that was painted and found.
const sameFace = 0.3

// overlaps reports whether one of faces lies over box.
func overlaps(faces []face.Face, box geom.Box) bool {
	for _, f := range faces {
		if !f.Weak && f.Box.Intersect(box) > 0 {
			return true
		}
	}
	return false
}

// place returns the middle of a place for a face in a part of the picture: the flattest of some.
func (t *trial) place(im *yuv.Image, cell image.Rectangle, height float64) (x, y float64, ok bool) {
	w, h := float64(im.Width), float64(im.Height)
	// All of the face is in the picture, with some margin.
	least := math.Inf(1)
	for range places {
		cx := float64(cell.Min.X) + t.rand.Float64()*float64(cell.Dx())
		cy := float64(cell.Min.Y) + t.rand.Float64()*float64(cell.Dy())
		m := 0.7 * height
		cx, cy = min(max(cx, m), max(w-m, w/2)), min(max(cy, m), max(h-m, h/2))
		bw, bh := t.rotation.Size(int(0.8*height), int(height))
		box := geom.Box{X: cx - float64(bw)/2, Y: cy - float64(bh)/2, W: float64(bw), H: float64(bh)}
		if t.hidden(box) || t.parts.known && t.parts.black(t.parts.at(image.Pt(int(cx), int(cy)))) {
			continue
		}
		if s := roughness(im, box.Rect().Intersect(im.Bounds())); s < least {
			least, x, y, ok = s, cx, cy, true
		}
	}
	return x, y, ok
}

// hidden reports whether faces at a place do not matter: they are ignored, or always
// covered.
func (t *trial) hidden(box geom.Box) bool {
	if t.zones.Ignored(box) {
		return true
	}
	for _, m := range t.zones.Masks() {
		if m.Rect.Overlaps(box.Rect()) {
			return true
		}
	}
	return false
}

// around returns the part of the picture that is inspected for a face.
func (t *trial) around(im *yuv.Image, x, y, height float64) image.Rectangle {
	c := max(contextShare*height, t.painter.reachOf(height), leastContext*t.scale(im.Width, im.Height))
	r := image.Rect(int(x-c), int(y-c), int(x+c), int(y+c)).Intersect(im.Bounds())
	r.Min = image.Pt(r.Min.X&^1, r.Min.Y&^1)
	return r
}

// copyPart copies what lies in r, which begins at even coordinates, into t.part.
func (t *trial) copyPart(im *yuv.Image, r image.Rectangle) error {
	if t.part == nil || cap(t.part.Y) < r.Dx()*r.Dy() {
		part, err := yuv.New(r.Dx(), r.Dy())
		if err != nil {
			return err
		}
		t.part = part
	}
	p := t.part
	p.Width, p.Height, p.FullRange = r.Dx(), r.Dy(), im.FullRange
	p.YStride, p.CStride = p.Width, p.ChromaWidth()
	size := p.CStride * p.ChromaHeight()
	if cap(p.U) < size || cap(p.V) < size {
		p.U, p.V = make([]byte, size), make([]byte, size)
	}
	p.Y, p.U, p.V = p.Y[:p.YStride*p.Height], p.U[:size], p.V[:size]
	for y := range p.Height {
		copy(p.Y[y*p.YStride:(y+1)*p.YStride], im.Y[(r.Min.Y+y)*im.YStride+r.Min.X:])
	}
	for y := range p.ChromaHeight() {
		at := (r.Min.Y/2+y)*im.CStride + r.Min.X/2
		copy(p.U[y*p.CStride:(y+1)*p.CStride], im.U[at:])
		copy(p.V[y*p.CStride:(y+1)*p.CStride], im.V[at:])
	}
	return nil
}

// roughnessSteps is how many pixels are compared with their neighbours along each side of a place.
const roughnessSteps = 12

// roughness returns how much neighbouring pixels differ in r, in samples.
func roughness(im *yuv.Image, r image.Rectangle) float64 {
	if r.Dx() < 4 || r.Dy() < 4 {
		return math.Inf(1)
	}
	sum := 0
	for j := range roughnessSteps {
		row := im.Y[(r.Min.Y+j*(r.Dy()-1)/roughnessSteps)*im.YStride:]
		next := im.Y[(r.Min.Y+j*(r.Dy()-1)/roughnessSteps+1)*im.YStride:]
		for i := range roughnessSteps {
			x := r.Min.X + i*(r.Dx()-3)/roughnessSteps
			a, b := int(row[x])-int(row[x+2]), int(row[x])-int(next[x])
			sum += max(a, -a) + max(b, -b)
		}
	}
	return float64(sum) / (2 * roughnessSteps * roughnessSteps)
}

// outcome is what a test found.
type outcome struct {
	passed bool
	// painted and missed are the faces of the size that is needed and larger, byChance
	// those that count as neither.
	painted, missed, byChance int
}

// decide paints faces of need pixels and more until it is clear whether they are found. each is called
// for each face.
func (t *trial) decide(im *yuv.Image, need float64, each func(cell int, height float64, found bool)) (outcome, error) {
	var o outcome
	for range mostFaces {
		cell, height, f, err := t.tryNeed(im, need)
		if err != nil {
			return o, err
		}
		switch f {
		case notTried:
			continue
		case byChance:
			o.byChance++
		default:
			each(cell, height, f == found)
			o.painted++
			if f == missed {
				o.missed++
			}
		}
		if o.missed > mostMisses || o.chancy() {
			o.passed = false
			return o, nil
		}
		if o.passed = o.certain(); o.passed && o.painted >= leastFaces {
			return o, nil
		}
	}
	// Where masks and ignored zones leave no place, no face matters.
	o.passed = o.certain()
	return o, nil
}

// chancy reports whether so many faces were found by chance that the others prove nothing.
// A few of a crowd may be where faces are painted.
func (o outcome) chancy() bool {
	return o.byChance > mostMisses && float64(o.byChance) > mostChance*float64(o.painted+o.byChance)
}

// certain reports whether enough of the faces were found.
func (o outcome) certain() bool {
	return float64(o.painted-o.missed) >= certainty*float64(o.painted)
}

// tryNeed paints one face of about the size that is needed, or larger.
func (t *trial) tryNeed(im *yuv.Image, need float64) (cell int, height float64, f finding, err error) {
	largest := max(min(mostSize, 0.45*float64(im.Height)), nearFactor*need)
	height = need * math.Pow(nearFactor, t.rand.Float64())
	if t.rand.Float64() >= nearShare {
		height = need * math.Pow(largest/need, t.rand.Float64())
	}
	cell, f, err = t.try(im, height)
	return cell, height, f, err
}
