package geom

import (
	"image"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestShapeHoldsThePixelsOfItsSpans(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		top := rapid.IntRange(-5, 5).Draw(t, "top")
		rows := rapid.SliceOfN(rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Span {
			return Span{From: rapid.IntRange(-6, 12).Draw(t, "from"), To: rapid.IntRange(-6, 12).Draw(t, "to")}
		}), 0, 4), 0, 8).Draw(t, "rows")
		want := map[image.Point]bool{}
		var bounds image.Rectangle
		for i, row := range rows {
			for _, s := range row {
				for x := s.From; x < s.To; x++ {
					want[image.Pt(x, top+i)] = true
					bounds = bounds.Union(image.Rect(x, top+i, x+1, top+i+1))
				}
			}
		}
		s := NewShape(top, rows)
		require.Equal(t, bounds, s.Bounds())
		solid := true
		for y := -8; y < 16; y++ {
			last := -100
			for _, p := range s.Row(y) {
				require.Less(t, last, p.From, "spans are in order and do not touch")
				require.Less(t, p.From, p.To)
				last = p.To
			}
			for x := -8; x < 16; x++ {
				require.Equal(t, want[image.Pt(x, y)], s.Contains(image.Rect(x, y, x+1, y+1)))
				solid = solid && (want[image.Pt(x, y)] || !image.Pt(x, y).In(bounds))
			}
		}
		require.Equal(t, solid, s.Solid())
		require.True(t, s.Contains(image.Rectangle{}))
		require.Equal(t, s.Solid(), s.Contains(s.Bounds()))
	})
}

func TestHashTellsShapesApart(t *testing.T) {
	a := NewShape(3, [][]Span{{{0, 4}, {6, 9}}, nil, {{1, 2}}})
	require.Equal(t, a.Hash(), NewShape(3, [][]Span{{{6, 9}, {0, 2}, {2, 4}}, {{5, 5}}, {{1, 2}}, {}}).Hash(), "the same pixels")
	for _, rows := range [][][]Span{
		nil,
		{{{0, 4}, {6, 9}}, nil, {{1, 3}}},
		{{{0, 4}, {6, 9}}, {{1, 2}}},
		{{{0, 9}}, nil, {{1, 2}}},
	} {
		require.NotEqual(t, a.Hash(), NewShape(3, rows).Hash())
	}
	require.NotEqual(t, a.Hash(), NewShape(4, [][]Span{{{0, 4}, {6, 9}}, nil, {{1, 2}}}).Hash())
}

func TestRegionCovers(t *testing.T) {
	r := Region{Rect: image.Rect(0, 0, 10, 2)}
	box := image.Rect(1, 0, 9, 2)
	require.True(t, r.Covers(box))
	r.Shape = NewShape(0, [][]Span{{{0, 10}}, {{0, 4}, {5, 10}}})
	require.NotNil(t, r.Outline())
	require.False(t, r.Covers(box))
	require.True(t, r.Covers(image.Rect(5, 0, 10, 2)))
	require.False(t, r.Covers(image.Rect(5, 0, 11, 2)))
	r.Rect = image.Rect(0, 0, 11, 2)
	require.Nil(t, r.Outline(), "a shape of another rectangle")
	require.True(t, r.Covers(box))
	r = Region{Rect: image.Rect(0, 0, 3, 1), Shape: NewShape(0, [][]Span{{{0, 3}}})}
	require.Nil(t, r.Outline(), "all of it")
}
