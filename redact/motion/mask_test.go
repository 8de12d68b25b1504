package motion

import (
	"image"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"scrim/redact/geom"
)

// drawMask returns a grid and a mask, as bits and as booleans. Columns are often about the
// bits of a word.
func drawMask(t *rapid.T) (grid, mask, []bool) {
	width := rapid.SampledFrom([]int{4, 20, 4 * 63, 4 * 64, 4 * 65, 4 * 130}).Draw(t, "width") + rapid.IntRange(0, 3).Draw(t, "more")
	g := newGrid(width, rapid.IntRange(1, 60).Draw(t, "height"))
	m, set := g.newMask(), make([]bool, g.cells())
	for range rapid.IntRange(0, 8).Draw(t, "blocks") {
		x, y := rapid.IntRange(0, g.cols-1).Draw(t, "x"), rapid.IntRange(0, g.rows-1).Draw(t, "y")
		w, h := rapid.IntRange(1, 70).Draw(t, "w"), rapid.IntRange(1, 6).Draw(t, "h")
		hole := rapid.Bool().Draw(t, "hole")
		for k := range w * h {
			if cx, cy := x+k%w, y+k/w; cx < g.cols && cy < g.rows && (!hole || k%w == 0 || k%w == w-1 || k/w == 0 || k/w == h-1) {
				set[cy*g.cols+cx] = true
			}
		}
	}
	for i, v := range set {
		if v {
			g.mark(m, i)
		}
	}
	return g, m, set
}

func cellsOf(g grid, m mask) []bool {
	out := make([]bool, g.cells())
	g.eachMarked(m, func(i int) { out[i] = true })
	return out
}

func TestMasksGrow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g, m, set := drawMask(t)
		r := rapid.IntRange(0, 9).Draw(t, "r")
		want := make([]bool, len(set))
		for i, v := range set {
			for k := 0; v && k < (2*r+1)*(2*r+1); k++ {
				if x, y := i%g.cols+k%(2*r+1)-r, i/g.cols+k/(2*r+1)-r; x >= 0 && y >= 0 && x < g.cols && y < g.rows {
					want[y*g.cols+x] = true
				}
			}
		}
		bytes := make([]uint8, len(set))
		for i, v := range set {
			require.Equal(t, v, g.marked(m, i))
			if v {
				bytes[i] = 1
			}
		}
		packed := g.newMask()
		g.pack(packed, bytes)
		require.Equal(t, m, packed)
		grown := g.newMask()
		g.grow(grown, m, g.newMask(), r)
		require.Equal(t, want, cellsOf(g, grown))
		g.invert(grown, grown)
		for i, v := range cellsOf(g, grown) {
			require.Equal(t, !want[i], v)
		}
	})
}

// labels numbers the connected cells of value in set by flooding.
func labels(g grid, set []bool, value, diagonal bool) (label []int, counts []int) {
	label = make([]int, len(set))
	counts = []int{0}
	for start := range set {
		if set[start] != value || label[start] != 0 {
			continue
		}
		n := len(counts)
		counts = append(counts, 0)
		todo := []int{start}
		label[start] = n
		for len(todo) > 0 {
			i := todo[len(todo)-1]
			todo = todo[:len(todo)-1]
			counts[n]++
			for k := range 9 {
				dx, dy := k%3-1, k/3-1
				x, y := i%g.cols+dx, i/g.cols+dy
				if !diagonal && dx != 0 && dy != 0 || x < 0 || y < 0 || x >= g.cols || y >= g.rows {
					continue
				}
				if j := y*g.cols + x; set[j] == value && label[j] == 0 {
					label[j] = n
					todo = append(todo, j)
				}
			}
		}
	}
	return label, counts
}

func TestPartsAreConnected(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g, m, set := drawMask(t)
		diagonal := rapid.Bool().Draw(t, "diagonal")
		label, counts := labels(g, set, true, diagonal)
		var p parts
		p.find(g, m, diagonal)
		require.Len(t, p.list, len(counts)-1)
		partOf := map[int]int{}
		cells := 0
		for _, r := range p.runs {
			for x := r.from; x < r.to; x++ {
				l := label[r.y*g.cols+x]
				require.NotZero(t, l)
				if was, ok := partOf[l]; ok {
					require.Equal(t, was, r.part)
				}
				partOf[l] = r.part
				cells++
				c := p.list[r.part]
				require.True(t, image.Pt(x, r.y).In(image.Rect(c.x0, c.y0, c.x1, c.y1)))
				require.Equal(t, counts[l], c.count)
			}
		}
		total := 0
		for _, n := range counts {
			total += n
		}
		require.Equal(t, total, cells)
	})
}

func TestHolesAreFilled(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g, m, set := drawMask(t)
		most := rapid.IntRange(0, 200).Draw(t, "most")
		label, counts := labels(g, set, false, false)
		open := map[int]bool{}
		for i, l := range label {
			if x, y := i%g.cols, i/g.cols; x == 0 || y == 0 || x == g.cols-1 || y == g.rows-1 {
				open[l] = true
			}
		}
		var p parts
		p.fill(g, m, g.newMask(), most)
		for i, v := range cellsOf(g, m) {
			require.Equal(t, set[i] || !open[label[i]] && counts[label[i]] <= most, v)
		}
	})
}

func TestRegionsAreTheCells(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g, m, set := drawMask(t)
		r := newRegions()
		list := r.of(g, m)
		covered := make([]int, g.width*g.height)
		tracks := map[uint64]bool{}
		for _, one := range list {
			require.False(t, tracks[one.Track])
			tracks[one.Track] = true
			require.Equal(t, geom.Moving, one.Source)
			require.Equal(t, one.Shape.Bounds(), one.Rect)
			for y := one.Rect.Min.Y; y < one.Rect.Max.Y; y++ {
				for _, s := range one.Shape.Row(y) {
					for x := s.From; x < s.To; x++ {
						covered[y*g.width+x]++
					}
				}
			}
		}
		for y := range g.height {
			for x := range g.width {
				want := 0
				if set[y/g.side*g.cols+x/g.side] {
					want = 1
				}
				require.Equal(t, want, covered[y*g.width+x])
			}
		}
		again := r.of(g, m)
		require.Equal(t, list, again)
		for i := range list {
			require.Same(t, list[i].Shape, again[i].Shape)
		}
	})
}

func TestHeadRoom(t *testing.T) {
	g := newGrid(40, 160) // 10 × 40 cells
	m, out := g.newMask(), g.newMask()
	for y := 20; y < 32; y++ {
		g.mark(m, y*g.cols+3)
	}
	for y := 32; y < 40; y++ {
		g.mark(m, y*g.cols+6)
	}
	g.addHeadRoom(out, m, make([]column, g.cols))
	for y := range g.rows {
		require.Equal(t, y >= 17 && y < 32, g.marked(out, y*g.cols+3), "a quarter of 12, row %d", y)
		require.Equal(t, y >= 28, g.marked(out, y*g.cols+6), "half of 8 at the lower edge, row %d", y)
	}
}
