package obscure

import (
	"encoding/binary"
	"image"
)

// Quantisation of cells: 5 bits, and noise of at most one quantum; half as much
// in chroma, where it shows as a tint.
const (
	quanta          = 32
	quantum         = 256 / quanta
	minCellPixels   = 4 // a side, so that a cell is some chroma samples wide
	lumaAmplitude   = quantum
	chromaAmplitude = quantum / 2
	noMean          = -1 // of a cell without samples
)

// span is one axis of a grid: its cells are [at[i], at[i+1]) in samples, of
// which those from first up to last, exclusive, lie in the picture at least in
// part.
type span struct {
	edges       [MaxCosmeticCells + 1]int
	at          []int
	first, last int
}

func (s *span) count() int { return s.last - s.first }

// lay divides lo to hi, in pixels, into n cells of a plane of that kind, with
// size samples along the axis.
func (s *span) lay(lo, hi, n, kind, size int) {
	s.at = s.edges[:n+1]
	for i := range s.at {
		s.at[i] = lo + i*(hi-lo)/n
		if kind == chromaKind {
			s.at[i] >>= 1
		}
	}
	if kind == chromaKind {
		s.at[n] = (hi + 1) >> 1
	}
	s.first, s.last = 0, n
	for s.first < n-1 && s.at[s.first+1] <= 0 {
		s.first++
	}
	for s.last > s.first+1 && s.at[s.last-1] >= size {
		s.last--
	}
}

// cut returns the part of cell i that lies within lo to hi.
func (s *span) cut(i, lo, hi int) (from, to int) {
	return max(s.at[i], lo), min(s.at[i+1], hi)
}

// grid is the cells of one area in one plane.
type grid struct {
	x, y span
	// sums and counts are of the samples of one row of cells.
	sums, counts [MaxCosmeticCells]int
	// along and down are the weights of Blur by column and row, and row is the
	// interpolation between two rows of cells, with 16 fractional bits.
	along, down []weight
	row         [MaxCosmeticCells + 1]int
}

func (g *grid) lay(a *area, cells int, p *plane) {
	nx, ny := division(a.given, cells)
	g.x.lay(a.given.Min.X, a.given.Max.X, nx, p.kind, p.width)
	g.y.lay(a.given.Min.Y, a.given.Max.Y, ny, p.kind, p.height)
}

// division returns how many cells r has along each axis: at most cells along
// the longer one, and as many along the other as keeps them about square.
func division(r image.Rectangle, cells int) (nx, ny int) {
	w, h := r.Dx(), r.Dy()
	long := max(w, h)
	n := max(1, min(cells, long/minCellPixels))
	part := func(side int) int {
		return max(1, min((2*n*side+long)/(2*long), side/minCellPixels))
	}
	return part(w), part(h)
}

// measure computes the cells of all areas, before the first one is painted.
func (o *Obscurer) measure(ps *[planes]plane) {
	o.cells = o.cells[:0]
	for i := range o.areas {
		for k := range ps {
			o.areas[i].cells[k] = len(o.cells)
			o.grid.lay(&o.areas[i], o.o.Cells, &ps[k])
			o.measureArea(&o.areas[i], &ps[k], k)
		}
	}
}

func (o *Obscurer) measureArea(a *area, p *plane, index int) {
	g := &o.grid
	o.means = o.means[:0]
	total, cells := 0, 0
	for iy := g.y.first; iy < g.y.last; iy++ {
		clear(g.sums[:])
		clear(g.counts[:])
		top, bottom := g.y.cut(iy, a.rect[p.kind].Min.Y, a.rect[p.kind].Max.Y)
		for y := top; y < bottom; y++ {
			g.addRow(a, p, y)
		}
		for ix := g.x.first; ix < g.x.last; ix++ {
			mean := noMean
			if g.counts[ix] > 0 {
				mean = quantise(g.sums[ix], g.counts[ix])
				total += mean
				cells++
			}
			o.means = append(o.means, mean)
		}
	}
	for i, mean := range o.means {
		if mean == noMean {
			mean = total / max(cells, 1) // of an outline that leaves the cell out
		}
		ix, iy := g.x.first+i%g.x.count(), g.y.first+i/g.x.count()
		o.cells = append(o.cells, noisy(mean, noise(o.o.Seed, a.track, index, iy*MaxCosmeticCells+ix), p.kind))
	}
}

// addRow adds the samples of row y of a to the sums. What is not within its
// outline is left out: it may belong to another region.
func (g *grid) addRow(a *area, p *plane, y int) {
	r, row := a.rect[p.kind], p.pix[y*p.stride:y*p.stride+p.width]
	if a.outline == nil {
		for ix := g.x.first; ix < g.x.last; ix++ {
			from, to := g.x.cut(ix, r.Min.X, r.Max.X)
			g.sums[ix] += sum(row[from:to])
			g.counts[ix] += to - from
		}
		return
	}
	for _, s := range a.outline.shape[p.kind].Row(y) {
		for ix := g.x.first; ix < g.x.last; ix++ {
			if from, to := g.x.cut(ix, s.From, s.To); from < to {
				g.sums[ix] += sum(row[from:to])
				g.counts[ix] += to - from
			}
		}
	}
}

// quantise returns the mean of n samples in 5 bits, as a sample.
func quantise(sum, n int) int {
	mean := (sum + n/2) / n
	return min((mean+quantum/2)/quantum, quanta-1) * quantum
}

// noisy adds noise, a random number, to a quantised sample.
func noisy(v int, noise uint64, kind int) byte {
	amplitude := lumaAmplitude
	if kind == chromaKind {
		amplitude = chromaAmplitude
	}
	v += int(noise%uint64(2*amplitude+1)) - amplitude
	return byte(min(max(v, 0), 255))
}

// noise is a random number that stays the same for a cell of a track.
func noise(seed, track uint64, index, cell int) uint64 {
	return mix(mix(mix(seed)^track) ^ uint64(index)<<32 ^ uint64(cell))
}

// mix is the finaliser of SplitMix64 (Steele, Lea, Flood, 2014).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// sum adds up samples, eight at a time: the four even and the four odd ones in
// lanes of 16 bits, which hold the sums of 128 words.
func sum(b []byte) int {
	const even, words = 0x00ff00ff00ff00ff, 128
	total := 0
	for len(b) >= 8 {
		var lanes uint64
		for range min(len(b)/8, words) {
			v := binary.LittleEndian.Uint64(b)
			lanes += v&even + v>>8&even
			b = b[8:]
		}
		total += int(lanes&0xffff + lanes>>16&0xffff + lanes>>32&0xffff + lanes>>48)
	}
	for _, v := range b {
		total += int(v)
	}
	return total
}
