package measure

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"scrim/redact/geom"
)

const (
	reportText = `{"file":"a.mp4","frame":0,"pts":0,"width":640,"height":360,"regions":[` +
		`{"x":10,"y":20,"w":30,"h":40,"face":{"x":15.5,"y":25,"w":20,"h":30},"score":0.9,"source":"detected","track":7},` +
		`{"x":0,"y":0,"w":5,"h":5,"score":0,"source":"zone","track":0}]}` + "\n\n" +
		`{"file":"a.mp4","frame":1,"pts":0.04,"width":640,"height":360,"regions":[]}` + "\r\n" +
		`{"file":"b.mp4","frame":0,"pts":0,"width":64,"height":36,"regions":null,"more":[1]}`
	truthText = `{"frame":0,"pts":0,"width":640,"height":360,"faces":[` +
		`{"person":3,"x":15,"y":25,"w":20,"h":30,"visible":0.75,"yaw":-30,"roll":5},{"x":1,"y":2,"w":3,"h":4,"ignore":true}]}` + "\n" +
		`{"frame":2,"pts":0.08,"width":640,"height":360,"faces":[]}` + "\n"
	stillsText = `{"comment": {"images": 1}, "images": [
 {"file": "a.jpg", "faces": [{"x": 1, "y": 2, "w": 3, "h": 4, "ignore": false}, {"x": 5, "y": 6, "w": 7, "h": 8, "ignore": true}]},
 {"file": "b.jpg", "faces": []}]}`
)

func TestReportIsReadByFile(t *testing.T) {
	got, err := ReadReport(strings.NewReader(reportText), "r")
	require.NoError(t, err)
	require.Len(t, got, 2)
	require.Equal(t, &Report{Path: "r", File: "a.mp4", Frames: []ReportFrame{
		{Frame: 0, Width: 640, Height: 360, Line: 1, Regions: []Region{
			{Box: geom.Box{X: 10, Y: 20, W: 30, H: 40}, Face: geom.Box{X: 15.5, Y: 25, W: 20, H: 30}, Score: 0.9, Source: "detected", Track: 7},
			{Box: geom.Box{W: 5, H: 5}, Source: "zone"},
		}},
		{Frame: 1, PTS: 0.04, Width: 640, Height: 360, Line: 3},
	}}, got[0])
	require.Equal(t, "b.mp4", got[1].File)
}

func TestTruthIsRead(t *testing.T) {
	got, err := ReadTruth(strings.NewReader(truthText), "t")
	require.NoError(t, err)
	require.Len(t, got, 1)
	require.False(t, got[0].Still)
	require.Len(t, got[0].Frames, 2)
	require.Equal(t, TrueFace{Person: 3, Box: geom.Box{X: 15, Y: 25, W: 20, H: 30}, Visible: 0.75, Yaw: -30, Roll: 5}, got[0].Frames[0].Faces[0])
	ignored := got[0].Frames[0].Faces[1]
	require.True(t, ignored.Ignore)
	require.True(t, math.IsNaN(ignored.Yaw))
	require.InDelta(t, 0.08, got[0].lasts(0), 1e-12)
	require.InDelta(t, 0.08, got[0].lasts(1), 1e-12)
}

func TestStillsAreToldFromLines(t *testing.T) {
	got, err := ReadTruth(strings.NewReader(stillsText), "t")
	require.NoError(t, err)
	require.Len(t, got, 2)
	require.True(t, got[0].Still)
	require.Equal(t, "a.jpg", got[0].File)
	require.Len(t, got[0].Frames[0].Faces, 2)
	require.True(t, got[0].Frames[0].Faces[1].Ignore)
	require.Empty(t, got[1].Frames[0].Faces)
}

func TestTruthLineIsReadAsItWasWritten(t *testing.T) {
	f := TruthFace{Person: 2, X: -3.25, Y: 1.0004, W: 40, H: 50, Visible: 1, Yaw: -12.345, Roll: 179.999}.Rounded()
	b, err := json.Marshal(TruthLine{Frame: 4, PTS: 0.16, Width: 64, Height: 48, Faces: []TruthFace{f}})
	require.NoError(t, err)
	got, err := ReadTruth(strings.NewReader(string(b)), "t")
	require.NoError(t, err)
	require.Equal(t, []TrueFace{{Person: 2, Box: geom.Box{X: -3.25, Y: 1, W: 40, H: 50}, Visible: 1, Yaw: f.Yaw, Roll: 180}}, got[0].Frames[0].Faces)
	require.InDelta(t, -12.345, f.Yaw, 0.006)
}

func TestMistakesAreSaidWithTheirPlace(t *testing.T) {
	good := `{"frame":0,"pts":0,"width":64,"height":36,"regions":[],"faces":[]}` + "\n"
	const next = `{"frame":1,"pts":1,"width":64,"height":36,`
	many := strings.Repeat(`{"x":0,"y":0,"w":1,"h":1,"source":"held"},`, MaxBoxes+1)
	for name, c := range map[string]struct{ line, both, report, truth string }{
		"no JSON":      {line: `{`, both: "invalid JSON"},
		"two values":   {line: `{"frame":1} {}`, both: "invalid JSON"},
		"type":         {line: `{"frame":"1"}`, both: "frame"},
		"half a frame": {line: `{"frame":1.5}`, both: "frame"},
		"no frame":     {line: `{"width":64}`, both: "frame is missing"},
		"before 0":     {line: `{"frame":-1,"width":64,"height":36}`, both: "-1"},
		"no size":      {line: `{"frame":1}`, both: "0×0"},
		"large":        {line: `{"frame":1,"width":64,"height":65537}`, both: "65537"},
		"twice":        {line: strings.TrimSpace(good), both: "frame 0"},
		"pts":          {line: `{"frame":1,"pts":1e300,"width":64,"height":36}`, both: "pts"},
		"name": {
			line: `{"file":"` + strings.Repeat("n", maxName+1) + `","frame":1,"pts":1,"width":64,"height":36}`, both: "name",
		},
		"time stands":   {line: `{"frame":1,"pts":0,"width":64,"height":36,"faces":[]}`, truth: "must increase"},
		"no time":       {line: `{"frame":1,"width":64,"height":36}`, truth: "pts is missing"},
		"side missing":  {line: next + `"faces":[],"regions":[{"x":1,"y":1,"w":1,"source":"held"}]}`, report: "x, y, w and h"},
		"side below 0":  {line: next + `"faces":[],"regions":[{"x":1,"y":1,"w":1,"h":-1,"source":"held"}]}`, report: "below 0"},
		"far away":      {line: next + `"faces":[],"regions":[{"x":1e9,"y":1,"w":1,"h":1,"source":"held"}]}`, report: "beyond"},
		"face":          {line: next + `"faces":[],"regions":[{"x":1,"y":1,"w":1,"h":1,"face":{},"source":"held"}]}`, report: "face of region 0"},
		"source":        {line: next + `"faces":[],"regions":[{"x":1,"y":1,"w":1,"h":1,"source":"guess"}]}`, report: "guess"},
		"many":          {line: next + `"faces":[],"regions":[` + strings.TrimSuffix(many, ",") + `]}`, report: "2001 boxes"},
		"no faces":      {line: next + `"regions":[]}`, truth: "faces are missing"},
		"nobody":        {line: next + `"faces":[{"x":1,"y":1,"w":1,"h":1}]}`, truth: "person is missing"},
		"two faces":     {line: next + `"faces":[{"person":1,"x":1,"y":1,"w":1,"h":1},{"person":1,"x":1,"y":1,"w":1,"h":1}]}`, truth: "another face"},
		"too visible":   {line: next + `"faces":[{"person":1,"x":1,"y":1,"w":1,"h":1,"visible":1.1}]}`, truth: "visible 1.1"},
		"owl":           {line: next + `"faces":[{"person":1,"x":1,"y":1,"w":1,"h":1,"yaw":181}]}`, truth: "yaw 181"},
		"line too long": {line: `{"frame":1,"pad":"` + strings.Repeat("x", MaxLine) + `"}`, both: "longer than"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ReadReport(strings.NewReader(good+"\n"+c.line), "file")
			if want := c.both + c.report; want != "" {
				require.ErrorContains(t, err, "file:3: ")
				require.ErrorContains(t, err, want)
			} else {
				require.NoError(t, err)
			}
			_, err = ReadTruth(strings.NewReader(good+"\n"+c.line), "file")
			if want := c.both + c.truth; want != "" {
				require.ErrorContains(t, err, "file:3: ")
				require.ErrorContains(t, err, want)
			} else {
				require.NoError(t, err)
			}
		})
	}
}

func TestALineOfTheGreatestLengthIsRead(t *testing.T) {
	begin, end := `{"frame":0,"pts":0,"width":64,"height":36,"pad":"`, `"}`
	line := begin + strings.Repeat("x", MaxLine-len(begin)-len(end)) + end
	require.Len(t, line, MaxLine)
	_, err := ReadReport(strings.NewReader(line+"\n"+strings.Replace(line, `"frame":0`, `"frame":1`, 1)), "r")
	require.NoError(t, err)
}

func TestMistakesInStillsAreSaid(t *testing.T) {
	for text, want := range map[string]string{
		"{\"images\": [\n{\"file\": 1}]}":                                               "f:2: ",
		"{\"images\": [\n{]}":                                                           "f:2: ",
		`{"images": [{"file": ""}]}`:                                                    "image 0",
		`{"images": [{"file": "a"},{"file": "a"}]}`:                                     `"a" occurs twice`,
		`{"images": [{"file": "a", "faces": [{"x": 1}]}]}`:                              "a: face 0: a box needs",
		`{"images": [{"file": "a", "faces": [{"x": 1, "y": 1, "w": -1, "h": 1}]}]}`:     "below 0",
		`{"images": [{"file": "a", "faces": [` + strings.Repeat("{},", 2000) + `{}]}]}`: "2001 boxes",
	} {
		_, err := ReadTruth(strings.NewReader(text), "f")
		require.ErrorContains(t, err, want)
		require.ErrorContains(t, err, "f:")
	}
}

func TestFilesAreBounded(t *testing.T) {
	c := count{frames: MaxFrames}
	require.ErrorContains(t, c.add(0), fmt.Sprint(MaxFrames))
	c = count{boxes: MaxAllBoxes}
	require.ErrorContains(t, c.add(1), fmt.Sprint(MaxAllBoxes))
}

func FuzzReadReport(f *testing.F) {
	f.Add([]byte(reportText))
	f.Add([]byte(`{"frame":1e3,"width":1,"height":1,"regions":[{"x":-1,"y":0,"w":1e6,"h":1,"source":"failsafe","track":18446744073709551615}]}`))
	truths, err := ReadTruth(strings.NewReader(truthText), "t")
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, data []byte) {
		reports, err := ReadReport(strings.NewReader(string(data)), "file")
		if err != nil {
			require.Contains(t, err.Error(), "file:")
			return
		}
		for _, r := range reports {
			require.NotEmpty(t, r.Frames)
			result, err := Score([]Pair{{truths[0], r}}, Options{Filter: DefaultFilter})
			requireSane(t, result, err)
		}
	})
}

func FuzzReadTruth(f *testing.F) {
	f.Add([]byte(truthText))
	f.Add([]byte(stillsText))
	reports, err := ReadReport(strings.NewReader(reportText), "r")
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, data []byte) {
		truths, err := ReadTruth(strings.NewReader(string(data)), "file")
		if err != nil {
			require.Contains(t, err.Error(), "file:")
			return
		}
		for _, v := range truths {
			require.NotEmpty(t, v.Frames)
			result, err := Score([]Pair{{v, reports[0]}}, Options{})
			requireSane(t, result, err)
		}
	})
}

func requireSane(t *testing.T, r *Result, err error) {
	t.Helper()
	if err != nil {
		require.NotContains(t, err.Error(), "\n")
		return
	}
	require.Equal(t, r.Headline.Faces, r.Headline.Covered+r.Headline.Exposed)
	_, err = json.Marshal(r)
	require.NoError(t, err)
	require.NoError(t, r.WriteTable(&strings.Builder{}))
	require.NoError(t, r.WriteHTML(&strings.Builder{}))
	for _, v := range []Number{r.Headline.Coverage, r.Headline.Recall, r.Area.Obscured, r.Area.False, r.Area.FalseMax} {
		if v.Known() {
			require.GreaterOrEqual(t, float64(v), 0.0)
			require.LessOrEqual(t, float64(v), 1+1e-6)
		}
	}
	require.LessOrEqual(t, float64(r.Area.False), float64(r.Area.Obscured)+1e-6)
}
