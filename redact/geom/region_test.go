package geom

import (
	"encoding/json"
	"image"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// This is a region of a line of `scrim redact --report`.
const regionText = `{"x":-1,"y":2,"w":30,"h":40,"face":{"x":5.5,"y":6,"w":20,"h":25},"score":0.5,"source":"held","track":9}`

func TestRegionIsWrittenAsInReports(t *testing.T) {
	r := Region{Rect: image.Rect(-1, 2, 29, 42), Face: Box{X: 5.5, Y: 6, W: 20, H: 25}, Score: 0.5, Source: Held, Track: 9}
	text, err := json.Marshal(r.Cut(r.Rect))
	require.NoError(t, err)
	require.JSONEq(t, regionText, string(text))
	var got RegionRecord
	require.NoError(t, json.Unmarshal(text, &got))
	require.Equal(t, r, got.Region())
	require.Error(t, json.Unmarshal([]byte(`{"x":"1"}`), &got))
}

func TestCutRegionIsARoundedRectangleWithinThePicture(t *testing.T) {
	r := Region{
		Rect: image.Rect(-5, -5, 30, 40), Face: Box{X: 1.23456, Y: -1, W: 20.009, H: 25}, Score: 0.123456, Source: Detected, Track: 3,
		Shape: NewShape(0, [][]Span{{{0, 3}}}),
	}
	want := RegionRecord{W: 20, H: 10, Face: Box{X: 1.23, Y: -1, W: 20.01, H: 25}, Score: 0.1235, Source: Detected, Track: 3}
	require.Equal(t, want, r.Cut(image.Rect(0, 0, 20, 10)))
}

func TestClippedBoxIsWhatBothShare(t *testing.T) {
	box := rapid.Custom(func(t *rapid.T) Box {
		at := rapid.IntRange(-4, 4)
		return Box{X: float64(at.Draw(t, "x")), Y: float64(at.Draw(t, "y")), W: float64(at.Draw(t, "w")), H: float64(at.Draw(t, "h"))}
	})
	rapid.Check(t, func(t *rapid.T) {
		a, b := box.Draw(t, "a"), box.Draw(t, "b")
		shared := 0.0
		for x := -8; x < 8; x++ {
			for y := -8; y < 8; y++ {
				p := Box{X: float64(x), Y: float64(y), W: 1, H: 1}
				if p.X >= max(a.X, b.X) && p.X+1 <= min(a.X+a.W, b.X+b.W) && p.Y >= max(a.Y, b.Y) && p.Y+1 <= min(a.Y+a.H, b.Y+b.H) {
					shared++
				}
			}
		}
		require.InDelta(t, shared, a.Intersect(b), 0)
		require.InDelta(t, shared, a.Clip(b).Area(), 0)
	})
}
