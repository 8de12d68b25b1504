package measure

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"scrim/redact/geom"
	"scrim/transport"
)

// whole is a region over the picture of a script.
func whole(source geom.Source) Region { return Region{Box: geom.Box{W: 400, H: 300}, Source: source} }

// TestMotionCoverCountsWhoHasMoved has somebody who sits there when the background is
// learned in frame 3 and gets up in frame 6, and somebody who comes in in frame 5.
func TestMotionCoverCountsWhoHasMoved(t *testing.T) {
	sits, walks := watched(0, 100), watched(1, 250)
	p := script(10, func(i int) []TrueFace {
		faces := []TrueFace{sits}
		if i >= 6 {
			faces[0].Box.X += 60
		}
		if i >= 5 {
			faces = append(faces, walks)
		}
		return faces
	}, func(i int) []Region {
		switch {
		case i < 3:
			return []Region{whole(geom.Moving)}
		case i == 8:
			return []Region{{Box: walks.Box, Source: geom.Moving}}
		}
		return nil
	})
	r := score(t, Options{Cover: CoverMotion}, p)
	require.Equal(t, CoverMotion, r.Cover)
	require.Equal(t, 3+4+5, r.Headline.Faces) // sits until learned, and after it moved; walks
	require.Equal(t, 3+1, r.Headline.Covered)
	require.Equal(t, 3, r.Hard.Faces)
	require.InDelta(t, 3, r.Blind.WholeSeconds, 1e-9)

	all := score(t, Options{}, p)
	require.Equal(t, CoverFaces, all.Cover)
	require.Equal(t, 15, all.Headline.Faces)
}

// TestMotionCoverForgetsWithTheBackground learns it a second time in frame 6.
func TestMotionCoverForgetsWithTheBackground(t *testing.T) {
	moved := watched(0, 250)
	for source, want := range map[geom.Source]int{geom.Moving: 3 + 2, geom.Failsafe: 7} {
		p := script(8, func(i int) []TrueFace {
			f := moved
			if i == 0 {
				f.Box.X = 100
			}
			return []TrueFace{f}
		}, func(i int) []Region {
			if i == 4 || i == 5 {
				return []Region{whole(source)}
			}
			return nil
		})
		r := score(t, Options{Cover: CoverMotion}, p)
		// Frame 0 is when it is learned: nobody has moved.
		require.Equal(t, want, r.Headline.Faces, source)
	}
}

func TestPeopleCoverScoresTrunks(t *testing.T) {
	f := watched(0, 100)
	p := script(4, func(int) []TrueFace { return []TrueFace{f} }, func(i int) []Region {
		if i == 0 {
			return []Region{veil(f)}
		}
		return []Region{veil(f), {Box: geom.Box{X: 80, Y: 140, W: 70, H: 150}, Source: geom.Body, Face: f.Box}}
	})
	for i := range p.Truth.Frames {
		p.Truth.Frames[i].Bodies = map[int]geom.Box{0: {X: 85, Y: 145, W: 60, H: 100}, 7: {X: 300, Y: 145, W: 60, H: 100}}
	}
	r := score(t, Options{Cover: CoverPeople}, p)
	require.Equal(t, &Bodies{Frames: 4, Covered: 3, CoveredShare: 0.75, Coverage: r.Bodies.Coverage}, r.Bodies)
	require.Greater(t, float64(r.Bodies.Coverage), 0.75)
	require.Equal(t, 4, r.Boxes) // the body's face is not found a second time
	require.Nil(t, score(t, Options{}, p).Bodies)
}

func TestBlindTimeAndWhetherItIsFalse(t *testing.T) {
	f := watched(0, 100)
	p := script(10, func(int) []TrueFace { return []TrueFace{f} }, func(int) []Region { return []Region{veil(f)} })
	easy, hard := true, false
	for i := range p.Report.Frames {
		p.Truth.Frames[i].Clear = &easy
		if i >= 6 {
			p.Truth.Frames[i].Clear = &hard
		}
		if i >= 5 {
			p.Report.Frames[i].Blind = "too dark"
		}
	}
	p.Report.Frames[9].Blind = "too noisy"
	r := score(t, Options{}, p)
	require.Equal(t, map[string]float64{"too dark": 4, "too noisy": 1}, r.Blind.Reasons)
	require.InDelta(t, 5, r.Blind.Seconds, 1e-9)
	require.InDelta(t, 0.5, float64(r.Blind.Share), 1e-9)
	require.InDelta(t, 1, r.Blind.FalseSeconds, 1e-9)
	require.InDelta(t, 6, r.Blind.ClearSeconds, 1e-9)
	require.InDelta(t, 1.0/6, float64(r.Blind.FalseShare), 1e-9)

	limit := Share(0.4)
	require.ErrorContains(t, Limits{MaxBlind: &limit}.Check(r), "time blind is 50.0 %, more than 40 %")
	require.NoError(t, Limits{MaxFalseBlind: &limit}.Check(r))
	limit = 0.1
	require.ErrorContains(t, Limits{MaxFalseBlind: &limit}.Check(r), "in clear pictures is 16.7 %")
	for i := range p.Truth.Frames {
		p.Truth.Frames[i].Clear = nil
	}
	require.ErrorContains(t, Limits{MaxFalseBlind: &limit}.Check(score(t, Options{}, p)), "not measured")

	var text bytes.Buffer
	require.NoError(t, r.WriteTable(&text))
	require.Contains(t, text.String(), "5.0 s, 50.0 % of the time (too dark 4.0 s, too noisy 1.0 s); 1.0 s of them in 6.0 s of clear pictures")
	text.Reset()
	require.NoError(t, r.WriteHTML(&text))
	require.Contains(t, text.String(), "too dark 4.0 s")
	b, err := json.Marshal(r)
	require.NoError(t, err)
	require.Contains(t, string(b), `"false_seconds":1`)
}

func TestBlindUnitsOfALiveRun(t *testing.T) {
	u := &transport.RedactedUnit{Camera: "door", Width: 4, Height: 2, State: transport.StateBlind, Reason: "too dark"}
	require.Equal(t, "too dark", ShownUnit(u).Blind)
	u.State = transport.StateLive
	require.Empty(t, ShownUnit(u).Blind)
}

func TestCoverIsChecked(t *testing.T) {
	var c Cover
	require.NoError(t, c.UnmarshalText([]byte("people")))
	require.Equal(t, CoverPeople, c)
	require.ErrorContains(t, c.UnmarshalText([]byte("hats")), "must be faces, people or motion")
	_, err := Score([]Pair{{}}, Options{Filter: DefaultFilter, Cover: "hats"})
	require.ErrorContains(t, err, "must be faces, people or motion")
}

func TestReadBodiesAndBlindness(t *testing.T) {
	read := func(rest string) error {
		_, err := ReadTruth(strings.NewReader(`{"frame":0,"pts":0,"width":9,"height":9,"faces":[]`+rest+`}`), "t")
		return err
	}
	truths, err := ReadTruth(strings.NewReader(`{"frame":0,"pts":0,"width":9,"height":9,"faces":[],`+
		`"bodies":[{"person":3,"x":1,"y":2,"w":3,"h":4}],"clear":false}`), "t")
	require.NoError(t, err)
	f := truths[0].Frames[0]
	require.Equal(t, map[int]geom.Box{3: {X: 1, Y: 2, W: 3, H: 4}}, f.Bodies)
	require.False(t, *f.Clear)
	require.ErrorContains(t, read(`,"bodies":[{"x":1,"y":2,"w":3,"h":4}]`), "body 0: person is missing")
	require.ErrorContains(t, read(`,"bodies":[{"person":1,"y":2,"w":3,"h":4}]`), "body 0")
	body := `{"person":1,"x":1,"y":2,"w":3,"h":4}`
	require.ErrorContains(t, read(`,"bodies":[`+body+`,`+body+`]`), "another body")

	reports, err := ReadReport(strings.NewReader(
		`{"frame":0,"width":9,"height":9,"blind":"too dark","regions":[{"x":1,"y":1,"w":2,"h":2,"source":"moving"},`+
			`{"x":1,"y":1,"w":2,"h":2,"source":"body"}]}`), "r")
	require.NoError(t, err)
	require.Equal(t, "too dark", reports[0].Frames[0].Blind)
	require.Len(t, reports[0].Frames[0].Regions, 2)
	_, err = ReadReport(strings.NewReader(`{"frame":0,"width":9,"height":9,"blind":"`+strings.Repeat("x", maxReason+1)+`","regions":[]}`), "r")
	require.ErrorContains(t, err, "reason for blindness")
}
