package measure

import (
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"scrim/redact/geom"
)

// grid is the side of the picture in which areas are counted cell by cell.
const grid = 24

// cells draws a box with whole corners that may reach outside the grid.
func cells() *rapid.Generator[geom.Box] {
	return rapid.Custom(func(t *rapid.T) geom.Box {
		side := rapid.IntRange(0, grid)
		from := rapid.IntRange(-6, grid+4)
		return geom.Box{
			X: float64(from.Draw(t, "x")), Y: float64(from.Draw(t, "y")),
			W: float64(side.Draw(t, "w")), H: float64(side.Draw(t, "h")),
		}
	})
}

// counted counts the cells of frame for which hit is true.
func counted(frame geom.Box, hit func(x, y float64) bool) float64 {
	n := 0.0
	for y := frame.Y; y < frame.Y+frame.H; y++ {
		for x := frame.X; x < frame.X+frame.W; x++ {
			if hit(x+0.5, y+0.5) {
				n++
			}
		}
	}
	return n
}

func within(boxes []geom.Box, x, y float64) bool {
	for _, b := range boxes {
		if x > b.X && x < b.X+b.W && y > b.Y && y < b.Y+b.H {
			return true
		}
	}
	return false
}

func TestAreasAreThoseOfCountingCells(t *testing.T) {
	var s areaUnion // one for all, so that nothing is left of the last
	rapid.Check(t, func(t *rapid.T) {
		frame := cells().Draw(t, "frame")
		boxes := rapid.SliceOfN(cells(), 0, 12).Draw(t, "boxes")
		holes := rapid.SliceOfN(cells(), 0, 6).Draw(t, "holes")
		require.Equal(t, counted(frame, func(x, y float64) bool { return within(boxes, x, y) }), s.union(frame, boxes))
		require.Equal(t, counted(frame, func(x, y float64) bool { return within(boxes, x, y) && !within(holes, x, y) }),
			s.except(frame, boxes, holes))
	})
}

// fine draws a box whose corners lie anywhere.
func fine() *rapid.Generator[geom.Box] {
	return rapid.Custom(func(t *rapid.T) geom.Box {
		v := rapid.Float64Range(-50, 2000)
		l := rapid.Float64Range(0, 800)
		return geom.Box{X: v.Draw(t, "x"), Y: v.Draw(t, "y"), W: l.Draw(t, "w"), H: l.Draw(t, "h")}
	})
}

func TestAnotherRegionNeverLowersCoverage(t *testing.T) {
	var s areaUnion
	rapid.Check(t, func(t *rapid.T) {
		face := fine().Draw(t, "face")
		boxes := rapid.SliceOfN(fine(), 1, 20).Draw(t, "boxes")
		last := 0.0
		for n := range boxes {
			now := s.union(face, boxes[:n+1])
			slack := 1e-9 * (1 + face.Area())
			require.GreaterOrEqual(t, now, last-slack)
			require.LessOrEqual(t, now, face.Area()+slack)
			require.LessOrEqual(t, now, last+boxes[n].Intersect(face)+slack, "more than the region has")
			last = now
		}
		require.InDelta(t, face.Area(), s.union(face, append(boxes, face)), 1e-6)
	})
}

func TestUnionOfManyBoxesOfOneColumn(t *testing.T) {
	var boxes []geom.Box
	for i := range MaxBoxes {
		boxes = append(boxes, geom.Box{X: float64(i % 7), Y: float64(i), W: 3, H: 0.5})
	}
	var s areaUnion
	require.InDelta(t, 3*0.5*MaxBoxes, s.union(everywhere, boxes), 1e-6)
}

func TestPaddingIsAsForCovers(t *testing.T) {
	require.Equal(t, geom.Box{X: 100 - 6, Y: 50 - 20, W: 22, H: 52}, geom.Box{X: 100, Y: 50, W: 10, H: 20}.Pad(PadSide, PadTop))
}

func TestNumbersForPeopleAndMachines(t *testing.T) {
	for v, want := range map[Number]string{0: "0 %", 1: "100 %", 0.5: "50.0 %", 0.0012: "0.120 %", 0.99951: "99.951 %", none: "–"} {
		require.Equal(t, want, v.Percent())
	}
	require.Equal(t, "–", Number(math.Inf(1)).Plain(2))
	b, err := none.MarshalJSON()
	require.NoError(t, err)
	require.Equal(t, "null", string(b))
	b, err = Number(0.25).MarshalJSON()
	require.NoError(t, err)
	require.Equal(t, "0.25", string(b))
	require.Equal(t, none.Known(), over(1, 0).Known())
	require.Equal(t, "0.33", fmt.Sprintf("%.2f", over(1, 3)))
}
