package webrtc

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"scrim/transport"
	"scrim/transport/transporttest"
)

// faces are counts of faces by their least sizes.
func faces(counts map[int]uint32) []uint32 {
	out := make([]uint32, transport.FaceSizeClasses)
	for size, n := range counts {
		out[slices.Index(transport.FaceSizes(), size)] = n
	}
	return out
}

// hall is a camera of 1920×1080 with two parts.
func hall() *transport.Status {
	return &transport.Status{Site: "plant", Camera: "hall", State: transport.StateLive, Width: 1920, Height: 1080, Sight: &transport.Sight{
		Size: 34, Need: 48, Proved: true, Tested: time.Unix(1_700_000_000, 0).UTC(), DetectSize: 640, Cols: 2, Rows: 1,
		Condition: &transport.Condition{Noise: 3},
		Parts:     []transport.SightPart{{Size: 34, Faces: faces(map[int]uint32{20: 12, 32: 3, 100: 8})}, {Size: 30}},
	}}
}

func TestSightOfACameraSaysWhatPassesUnseen(t *testing.T) {
	m := transporttest.NewSource("gate")
	s := hall()
	s.BlindLastDay = map[transport.BlindReason]float64{transport.BlindDark: 60}
	m.Set(*s)
	g := start(t, Options{Source: m})
	res, body := do(t, http.MethodGet, g.url+"/api/cameras/hall/sight", "")
	require.Equal(t, http.StatusOK, res.StatusCode, body)
	require.Equal(t, "application/json", res.Header.Get("Content-Type"))
	require.JSONEq(t, `{
		"camera": "hall", "state": "live", "width": 1920, "height": 1080, "size": 34, "need": 48, "proved": true,
		"tested": "2023-11-14T22:13:20Z", "detect_size": 640, "cols": 2, "rows": 1,
		"condition": {"dark":0,"median":0,"bright":0,"contrast":0,"noise":3,"blur":0,"clipped":0},
		"blind_last_day": {"too dark": 60},
		"face_sizes": [8,10,13,16,20,25,32,40,50,64,80,100,128,160,200,256],
		"parts": [
			{"x":0, "y":0, "w":0.5, "h":1, "size":34, "faces":[0,0,0,0,12,0,3,0,0,0,0,8,0,0,0,0], "too_small":12,
			 "advice":"faces of 20 px pass here; sight is 34 px: raise `+"`detect.size`"+` to 1120 or mask"},
			{"x":0.5, "y":0, "w":0.5, "h":1, "size":30, "faces":[0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0], "too_small":0}
		],
		"advice": ["row 1 column 1: faces of 20 px pass here; sight is 34 px: raise `+"`detect.size`"+` to 1120 or mask"]
	}`, body)

	res, body = do(t, http.MethodGet, g.url+"/api/cameras/gate/sight", "")
	require.Equal(t, http.StatusServiceUnavailable, res.StatusCode)
	require.Equal(t, "the sight of camera gate is not known yet\n", body)
	res, body = do(t, http.MethodGet, g.url+"/api/cameras/yard/sight", "")
	require.Equal(t, http.StatusNotFound, res.StatusCode)
	require.Contains(t, body, "unknown camera")

	_, body = do(t, http.MethodGet, g.url+"/api/cameras", "")
	var list []transport.Status
	require.NoError(t, json.Unmarshal([]byte(body), &list))
	i := slices.IndexFunc(list, func(s transport.Status) bool { return s.Camera == "hall" })
	require.Equal(t, s.Sight.Summary(), list[i].Sight, "the list has no parts")
	require.Equal(t, s.BlindLastDay, list[i].BlindLastDay)
}

func TestSightAsksForTheToken(t *testing.T) {
	m := transporttest.NewSource()
	m.Set(*hall())
	g := start(t, Options{Token: "secret", Source: m})
	res, _ := do(t, http.MethodGet, g.url+"/api/cameras/hall/sight", "")
	require.Equal(t, http.StatusUnauthorized, res.StatusCode)
	res, _ = do(t, http.MethodGet, g.url+"/api/cameras/hall/sight", "", "Authorization", "Bearer secret")
	require.Equal(t, http.StatusOK, res.StatusCode)
}

func TestAdviceNamesWhatHelps(t *testing.T) {
	passing := faces(map[int]uint32{16: 1, 20: 1, 25: 1})
	for name, c := range map[string]struct {
		change func(*transport.Status)
		advice string
	}{
		"too few to count": {func(s *transport.Status) { s.Sight.Parts[0].Faces = faces(map[int]uint32{20: 2}) }, ""},
		"none are smaller": {func(s *transport.Status) { s.Sight.Parts[0].Faces = faces(map[int]uint32{32: 90}) }, ""},
		"the third smallest": {func(s *transport.Status) { s.Sight.Parts[0].Faces = passing },
			"faces of 25 px pass here; sight is 34 px: raise `detect.size` to 896 or mask"},
		"already at the picture's size": {func(s *transport.Status) { s.Sight.DetectSize = 1920 },
			"faces of 20 px pass here; sight is 34 px: bring the camera closer or mask"},
		"with tiles": {func(s *transport.Status) { s.Sight.Tiles = true }, "faces of 20 px pass here; sight is 34 px: bring the camera closer or mask"},
		"beyond what is sensible": {func(s *transport.Status) { s.Sight.DetectSize = 1280 },
			"faces of 20 px pass here; sight is 34 px: set `detect.tiles: true` or mask"},
		"dark": {func(s *transport.Status) { s.Sight.Proved, s.Sight.Why = false, transport.BlindDark },
			"faces of 20 px pass here; sight is 34 px (too dark): give it light or mask"},
		"dark, and nobody passes": {func(s *transport.Status) {
			s.Sight.Proved, s.Sight.Why, s.Sight.Parts[0] = false, transport.BlindDark, transport.SightPart{Size: 70}
		}, "sight is 70 px, need is 48 px (too dark): give it light or mask"},
		"worse than needed": {func(s *transport.Status) { s.Sight.Parts[0] = transport.SightPart{Size: 70} },
			"sight is 70 px, need is 48 px: raise `detect.size` to 960 or mask"},
		"about as good as needed": {func(s *transport.Status) { s.Sight.Parts[0] = transport.SightPart{Size: 59} }, ""},
		"nothing found": {func(s *transport.Status) {
			s.Sight.Proved, s.Sight.Why, s.Sight.Parts[0].Size = false, transport.BlindNotFound, 0
		}, "no face is found here with certainty: look at the picture or mask"},
		"not known":  {func(s *transport.Status) { s.Sight.Parts[0].Size = 0 }, ""},
		"not tested": {func(s *transport.Status) { s.Sight.Tested = time.Time{} }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := hall()
			c.change(s)
			require.Equal(t, c.advice, newSight(s).Parts[0].Advice)
		})
	}
}

func TestAdviceSaysWhereItApplies(t *testing.T) {
	s := hall()
	s.Sight.Parts[1] = s.Sight.Parts[0]
	require.True(t, strings.HasPrefix(newSight(s).Advice[0], "everywhere: faces of 20 px"), newSight(s).Advice)
	require.Len(t, newSight(s).Advice, 1)
	s.Sight.Cols, s.Sight.Rows, s.Sight.Parts = 2, 2, append(s.Sight.Parts, transport.SightPart{Size: 20}, transport.SightPart{Size: 20})
	require.True(t, strings.HasPrefix(newSight(s).Advice[0], "row 1 column 1, row 1 column 2: faces"), newSight(s).Advice)
	s.Sight.Need = 100
	require.Equal(t, transport.RiskyNeedText, newSight(s).Advice[1])
	s.Sight.Cols, s.Sight.Rows, s.Sight.Parts, s.Sight.Need = 0, 0, nil, 48
	require.Empty(t, newSight(s).Advice)
}
