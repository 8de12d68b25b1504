package measure

import (
	"bytes"
	"fmt"
	"image"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"scrim/redact/geom"
	"scrim/transport"
)

var began = time.Unix(1_700_000_000, 123_456_789)

// frameAt is when frame n of a live truth was captured: 25 a second.
func frameAt(n int) time.Time { return began.Add(time.Duration(n) * 40 * time.Millisecond) }

// liveTruth has one face in n frames, from number 100.
func liveTruth(n int) *Truth {
	t := &Truth{Path: "t"}
	for i := range n {
		t.Frames = append(t.Frames, TruthFrame{
			Frame: 100 + i, PTS: 0.04 * float64(i), Captured: frameAt(i), Width: 400, Height: 300, Faces: []TrueFace{watched(0, 100)}, Line: i + 1,
		})
	}
	return t
}

// picture is frame n as it was published: half a tick of 90 kHz off.
func picture(n int, regions ...Region) Shown {
	return Shown{Captured: frameAt(n).Add(5 * time.Microsecond), Width: 400, Height: 300, Regions: regions}
}

func slate(after int) Shown {
	return Shown{Captured: frameAt(after).Add(10 * time.Millisecond), Width: 400, Height: 300, Slate: true}
}

func scoreLive(t *testing.T, runs ...Run) *Result {
	t.Helper()
	r, err := ScoreLive(runs, Options{Filter: DefaultFilter})
	require.NoError(t, err)
	return r
}

func TestLiveRunCountsWhatWasShown(t *testing.T) {
	cover := veil(watched(0, 100))
	shown := []Shown{
		slate(-30), slate(1), // before the first picture
		picture(2, cover), picture(3), picture(4, cover), // 3 is exposed
		// 5 and 6 are dropped, and a slate stands before 7 and 8.
		slate(6), slate(7), picture(9, cover),
		picture(11, cover), picture(10, cover), // in any order
		picture(12), // 13 is dropped
		picture(14, cover),
	}
	r := scoreLive(t, Run{Camera: "door", Truth: liveTruth(20), Shown: shown, Lost: 1})
	require.Equal(t, []Live{{Camera: "door", Frames: 13, Published: 8, UnderSlates: 2, Dropped: 3, Slates: 4, Lost: 1}}, r.Live)
	require.Equal(t, 10, r.Frames)
	require.Zero(t, r.Missing)
	require.Zero(t, r.Extra)
	require.Equal(t, 10, r.Headline.Faces)
	require.Equal(t, 2, r.Headline.Exposed)
	require.Equal(t, 1, r.Headline.LongestRun)
	require.Equal(t, 6, r.Headline.Found)
	require.Equal(t, [2]int{103, 112}, [2]int{r.Leaks[0].First, r.Leaks[1].First}, "frames have the scene's numbers")
	require.InDelta(t, 0.04, r.Leaks[0].Seconds, 1e-9)
	require.InDelta(t, 0.08, r.Leaks[1].Seconds, 1e-9, "a picture lasts until the next")
	require.Equal(t, "door", r.Leaks[0].File)
	require.Equal(t, map[geom.Source]int{"detected": 6, "failsafe": 2}, r.Sources)
	require.Equal(t, Number(1), r.Area.ObscuredMax)

	var table, page bytes.Buffer
	require.NoError(t, r.WriteTable(&table))
	require.Contains(t, table.String(), "camera door: 13 frames: 8 published, 2 under 4 slates, 3 dropped; 1 units were lost")
	require.NoError(t, r.WriteHTML(&page))
	require.Contains(t, page.String(), "Camera door: 13 frames: 8 published")
}

func TestPictureThatIsNotKnownIsNotScored(t *testing.T) {
	cover := veil(watched(0, 100))
	arrived := picture(3) // its time is that of its arrival
	arrived.Captured = arrived.Captured.Add(7 * time.Millisecond)
	twice := picture(5)
	twice.Captured = twice.Captured.Add(200 * time.Microsecond)
	for _, shown := range [][]Shown{
		{arrived, picture(4, cover), picture(5, cover), twice, picture(6, cover)},
		{picture(4, cover), twice, picture(5, cover), picture(6, cover), arrived},
	} {
		r := scoreLive(t, Run{Camera: "door", Truth: liveTruth(10), Shown: shown})
		require.Equal(t, []Live{{Camera: "door", Frames: 3, Published: 3, Unmatched: 2}}, r.Live)
		require.Zero(t, r.Headline.Exposed)
	}
}

func TestRunsOfSeveralCamerasAreScoredTogether(t *testing.T) {
	cover := veil(watched(0, 100))
	r := scoreLive(t,
		Run{Camera: "door", Truth: liveTruth(10), Shown: []Shown{picture(0, cover), picture(1, cover)}},
		Run{Camera: "hall", Truth: liveTruth(10), Shown: []Shown{picture(4), picture(5)}})
	require.Equal(t, 2, r.Videos)
	require.Equal(t, 2, r.Headline.People)
	require.Equal(t, []string{"hall"}, []string{r.Leaks[0].File})
	require.Equal(t, 2, r.Headline.LongestRun)
}

func TestLiveRunSaysWhyItCannotBeScored(t *testing.T) {
	noTime, back, off := liveTruth(3), liveTruth(3), liveTruth(3)
	noTime.Frames[1].Captured = time.Time{}
	back.Frames[2].Captured = began
	for i := range off.Frames {
		off.Frames[i].Captured = off.Frames[i].Captured.Add(time.Hour)
	}
	for want, run := range map[string]Run{
		"published nothing":         {Truth: liveTruth(3)},
		"slates only, 1 of them":    {Truth: liveTruth(3), Shown: []Shown{slate(0)}},
		"t:2: frame without a time": {Truth: noTime, Shown: []Shown{picture(0)}},
		"t:3: time of capture":      {Truth: back, Shown: []Shown{picture(0)}},
		"none of 2 pictures":        {Truth: off, Shown: []Shown{picture(0), picture(1)}},
		"none of 1 pictures":        {Truth: &Truth{Path: "t"}, Shown: []Shown{picture(0)}},
	} {
		run.Camera = "door"
		_, err := ScoreLive([]Run{run}, Options{Filter: DefaultFilter})
		require.ErrorContains(t, err, want)
		require.ErrorContains(t, err, "camera door: ")
	}
}

func TestPublishedUnitSaysWhatWasObscured(t *testing.T) {
	got := ShownUnit(&transport.RedactedUnit{
		Captured: began, Width: 400, Height: 300, State: transport.StateLive,
		Regions: []geom.Region{
			{Rect: image.Rect(90, 80, 140, 150), Face: geom.Box{X: 100, Y: 100, W: 30, H: 40}, Score: 0.5, Source: "held", Track: 7},
			{Rect: image.Rect(0, 0, 5, 6)},
		},
	})
	require.Equal(t, Shown{Captured: began, Width: 400, Height: 300, Regions: []Region{
		{Box: geom.Box{X: 90, Y: 80, W: 50, H: 70}, Face: geom.Box{X: 100, Y: 100, W: 30, H: 40}, Score: 0.5, Source: "held", Track: 7},
		{Box: geom.Box{W: 5, H: 6}, Source: "unknown"},
	}}, got)
	require.True(t, ShownUnit(&transport.RedactedUnit{State: transport.StateObscured}).Slate)
}

func TestGrowingTruthIsReadUpToItsLastWholeLine(t *testing.T) {
	var text strings.Builder
	for n := range 50 {
		fmt.Fprintf(&text, `{"frame":%d,"pts":%g,"captured":%d,"width":400,"height":300,"faces":[]}`+"\n", n, 0.04*float64(n), frameAt(n).UnixNano())
	}
	for cut := range 60 {
		got, err := ReadLiveTruth(strings.NewReader(text.String()[:text.Len()-cut]), "t", frameAt(40), frameAt(100))
		require.NoError(t, err)
		want := 10
		if cut > 0 {
			want = 9
		}
		require.Len(t, got.Frames, want, "%d bytes are missing", cut)
		require.True(t, got.Frames[0].Captured.Equal(frameAt(40)))
		require.Equal(t, 41, got.Frames[0].Line)
	}
	got, err := ReadLiveTruth(strings.NewReader(text.String()), "t", frameAt(100), frameAt(200))
	require.NoError(t, err)
	require.Empty(t, got.Frames)
	_, err = ReadLiveTruth(strings.NewReader(strings.Repeat("x", 3*MaxLine)+"\n"), "t", began, began)
	require.ErrorContains(t, err, "longer than")
	_, err = ReadLiveTruth(strings.NewReader("{}\n"), "t", began, began)
	require.ErrorContains(t, err, "t:1: frame is missing")
}

func TestTruthOfALiveRunIsKnownToBeOneFromItsFirstLine(t *testing.T) {
	const frame = `{"frame":7,"pts":0.1,"captured":1700000000000000000,"width":640,"height":360,"faces":[]}`
	for text, says := range map[string]string{
		"":                    "", // nothing is written yet
		`{"frame":7,"pt`:      "",
		frame + "\n":          "",
		frame + "\n" + `{"fr`: "",
		"nonsense":            "t:1: invalid JSON",
		"nonsense\n" + frame:  "t:1: invalid JSON",
		`{"frame":7,"pts":0.1,"width":640,"height":360,"faces":[]}` + "\n": "t:1: frame without a time of capture",
		`{"file":"a.jpg","frame":0,"regions":[]}` + "\n":                   "t:1: ",
		`{"images":[]}`:                  "labelled pictures",
		strings.Repeat(" ", 2<<20):       "longer than",
		"{" + strings.Repeat(" ", 2<<20): "longer than",
	} {
		err := CheckLiveTruth(strings.NewReader(text), "t")
		if says == "" {
			require.NoError(t, err, "%.40q", text)
			continue
		}
		require.ErrorContains(t, err, says, "%.40q", text)
	}
}
