package condition

import "math"

const (
	// pieceLength is the length of the pieces of rows and columns that are searched
	// for edges, in samples. Samples are first single pixels, then, where edges are
	// softer than maxSoft samples or do not stand out from the noise, means of 2×2,
	// 4×4 and 8×8 pixels.
	pieceLength = 32
	maxSample   = 8
	maxSoft     = 3
	// pieceLines is the number of rows, and of columns, that are searched,
	// linePieces that of pieces of each at most.
	pieceLines, linePieces = 48, 20
	// An edge must differ on both sides by minEdge levels, and edgeNoise times the
	// noise of a sample.
	minEdge   = 20
	edgeNoise = 6
	// minEdges is the least number of edges that say anything.
	minEdges = 12
	// noiseDoubt is by how much the noise may be estimated wrong, as a share of its
	// power.
	noiseDoubt = 0.06
)

// blur returns Condition.Blur of a picture with so much noise.
func blur(g *grey, noise float64) (soft float64) {
	for size := 1; size <= maxSample; size *= 2 {
		e := edges{g: g, size: size, least: minEdge}
		// Single pixels are added up in twos across the edge: noise has half the power.
		e.across = max(size, 2)
		sigma := noise / math.Sqrt(float64(size*e.across))
		e.least = max(minEdge, edgeNoise*sigma)
		e.find()
		if s, ok := e.softness(sigma); ok {
			soft = s * float64(size)
			if s <= maxSoft {
				break
			}
		}
	}
	return soft
}

// edges are the pieces of a picture that have an edge. Its samples are size pixels long
// and across wide.
type edges struct {
	g            *grey
	size, across int
	least        float64 // levels by which the sides of an edge differ
	n            int
	// heights and energy are the sums of the squares of the edges' heights, and of all
	// differences of neighbouring samples, in levels.
	heights, energy float64
}

// find searches rows and columns.
func (e *edges) find() {
	g, length := e.g, pieceLength*e.size
	lines := max(pieceLines/e.size, 4)
	search := func(width, height, along, across int) {
		pieces := min(width/length, linePieces)
		if height < e.across {
			return
		}
		for i := range lines {
			line := spread(i, lines, height-e.across) * across
			for k := range pieces {
				e.add(g.pix[line+spread(k, pieces, width-length)*along:], along, across)
			}
		}
	}
	search(g.width, g.height, 1, g.stride)
	search(g.height, g.width, g.stride, 1)
}

// add adds the piece that begins with pix: its pixels are along bytes apart, and
// across leads to those next to them.
func (e *edges) add(pix []byte, along, across int) {
	var samples [pieceLength]int32
	if e.size == 1 {
		for i := range samples {
			samples[i] = int32(pix[i*along]) + int32(pix[i*along+across])
		}
	} else {
		for i := range samples {
			sum := int32(0)
			for a := range e.size {
				at := (i*e.size + a) * along
				for range e.across {
					sum += int32(pix[at])
					at += across
				}
			}
			samples[i] = sum
		}
	}
	first, last := int32(0), int32(0)
	for i, s := range samples[:pieceLength/4] {
		first += s
		last += samples[pieceLength-1-i]
	}
	scale := e.g.scale / float64(e.size*e.across)
	height := float64(last-first) / (pieceLength / 4) * scale
	if math.Abs(height) <= e.least {
		return
	}
	energy, before := int32(0), samples[0]
	for _, s := range samples[1:] {
		energy += (s - before) * (s - before)
		before = s
	}
	e.n++
	e.heights += height * height
	e.energy += float64(energy) * scale * scale
}

// softness returns the deviation, in samples, of the Gaussian that blurs steps to such
// edges, if samples have noise of sigma levels; false if they do not say. The slope of
// a step of height A that is blurred by the deviation s has the energy A²/(2√π s). Of
// the sums over all edges that makes a mean in which the sharp ones weigh most, and
// the noise can be taken out, because its energy is known.
func (e *edges) softness(sigma float64) (float64, bool) {
	if e.n < minEdges {
		return 0, false
	}
	n := float64(e.n * (pieceLength - 1))
	noise := 2 * sigma * sigma * n
	// Differences of neighbours are correlated: their sum has the variance 12 n σ⁴.
	doubt := noiseDoubt*noise + 3*math.Sqrt(12*n)*sigma*sigma
	energy := e.energy - noise
	if energy <= doubt {
		return 0, false
	}
	return e.heights / (2 * math.Sqrt(math.Pi) * energy), true
}
