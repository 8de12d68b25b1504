package webrtc

import (
	"cmp"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"

	"scrim/transport"
)

// sight is the answer about the sight of a camera. Sizes are heights of faces in pixels
// of the picture; 0: unknown, or nothing is found with certainty.
type sight struct {
	Camera    string              `json:"camera"`
	State     transport.State     `json:"state"`
	Reason    string              `json:"reason,omitempty"`
	CoveredBy transport.CoveredBy `json:"covered_by,omitempty"`
	Width     int                 `json:"width"`
	Height    int                 `json:"height"`
	transport.Sight
	BlindLastDay map[transport.BlindReason]float64 `json:"blind_last_day"`
	// FaceSizes are the least sizes of the classes in which faces are counted.
	FaceSizes []int       `json:"face_sizes"`
	Parts     []sightPart `json:"parts"`
	// Advice is that of all parts, each line once with where it applies.
	Advice []string `json:"advice"`
}

// sightPart is a part of the picture, in fractions of it.
type sightPart struct {
	X float64 `json:"x"`
	Y float64 `json:"y"`
	W float64 `json:"w"`
	H float64 `json:"h"`
	// Size is the sight there.
	Size float64 `json:"size"`
	// Faces counts the faces of the last day by size class, TooSmall those that are
	// smaller than the sight.
	Faces    []uint32 `json:"faces"`
	TooSmall uint64   `json:"too_small"`
	Advice   string   `json:"advice,omitempty"`
}

// getSight says how small the faces are that are found in each part of a camera's
// picture, and how small those are that pass there.
func (g *Gateway) getSight(w http.ResponseWriter, r *http.Request) error {
	name := r.PathValue("camera")
	cameras, _ := g.statuses()
	i := slices.IndexFunc(cameras, func(s transport.Status) bool { return s.Camera == name })
	switch {
	case i < 0:
		return refuse(http.StatusNotFound, "unknown camera %.64q", name)
	case cameras[i].Sight == nil:
		return refuse(http.StatusServiceUnavailable, "the sight of camera %s is not known yet", name)
	}
	return writeJSON(w, newSight(&cameras[i]))
}

// newSight returns what a status says, whose Sight is not nil.
func newSight(s *transport.Status) *sight {
	out := &sight{
		Camera: s.Camera, State: s.State, Reason: s.Reason, CoveredBy: s.CoveredBy, Width: s.Width, Height: s.Height,
		Sight: *s.Sight, BlindLastDay: s.BlindLastDay, FaceSizes: transport.FaceSizes(), Parts: []sightPart{}, Advice: []string{},
	}
	if out.BlindLastDay == nil {
		out.BlindLastDay = map[transport.BlindReason]float64{}
	}
	a := adviser{sight: s.Sight, side: max(s.Width, s.Height)}
	var places [][]string // of each line of Advice
	for i, p := range s.Sight.Parts {
		col, row := i%s.Sight.Cols, i/s.Sight.Cols
		part := sightPart{
			X: share(col, s.Sight.Cols), Y: share(row, s.Sight.Rows), W: share(1, s.Sight.Cols), H: share(1, s.Sight.Rows), Size: p.Size, Faces: p.Faces,
		}
		if part.Faces == nil {
			part.Faces = make([]uint32, transport.FaceSizeClasses)
		}
		part.TooSmall, part.Advice = a.advise(p)
		out.Parts = append(out.Parts, part)
		if part.Advice == "" {
			continue
		}
		line := slices.Index(out.Advice, part.Advice)
		if line < 0 {
			line = len(out.Advice)
			out.Advice, places = append(out.Advice, part.Advice), append(places, nil)
		}
		places[line] = append(places[line], fmt.Sprintf("row %d column %d", row+1, col+1))
	}
	for i := range out.Advice {
		where := strings.Join(places[i], ", ")
		if len(places[i]) == len(out.Parts) {
			where = "everywhere"
		}
		out.Advice[i] = where + ": " + out.Advice[i]
	}
	if s.NeedIsRisky() {
		out.Advice = append(out.Advice, transport.RiskyNeedText)
	}
	return out
}

// share returns n of all, rounded for people.
func share(n, all int) float64 { return math.Round(float64(n)/float64(all)*10_000) / 10_000 }

const (
	// minFaces is how many faces of a size must have passed until there is advice: a
	// detector is wrong at times.
	minFaces = 3
	// worseThanNeeded is how many times the need a part's sight must be until there is
	// advice: few faces are painted in each part, in sizes a quarter apart.
	worseThanNeeded = 1.25
	// detectStep and maxDetectSize bound what is advised for the detector's input, in
	// pixels. Beyond, tiles are cheaper.
	detectStep    = 32
	maxDetectSize = 1920
)

// adviser advises on the parts of a camera's picture, whose longer side is side pixels.
type adviser struct {
	sight *transport.Sight
	side  int
}

// advise returns how many faces passed that are smaller than the sight, and what to do;
// empty: nothing.
func (a *adviser) advise(p transport.SightPart) (tooSmall uint64, advice string) {
	sizes, smallest := transport.FaceSizes(), 0
	for class := 0; class+1 < len(sizes) && class < len(p.Faces) && float64(sizes[class+1]) <= p.Size; class++ {
		tooSmall += uint64(p.Faces[class])
		if smallest == 0 && tooSmall >= minFaces {
			smallest = sizes[class]
		}
	}
	switch cause := remedies[a.sight.Why]; {
	case p.Size == 0 && a.sight.Proved, a.sight.Tested.IsZero():
		return tooSmall, ""
	case p.Size == 0:
		return tooSmall, fmt.Sprintf("no face is found here with certainty: %s or mask", cmp.Or(cause, "look at the picture"))
	case smallest > 0 && cause != "":
		return tooSmall, fmt.Sprintf("faces of %d px pass here; sight is %.0f px (%s): %s or mask", smallest, p.Size, a.sight.Why, cause)
	case smallest > 0:
		return tooSmall, fmt.Sprintf("faces of %d px pass here; sight is %.0f px: %s", smallest, p.Size, a.enlarge(p.Size/float64(smallest)))
	case p.Size > worseThanNeeded*a.sight.Need && cause != "":
		return tooSmall, fmt.Sprintf("sight is %.0f px, need is %.0f px (%s): %s or mask", p.Size, a.sight.Need, a.sight.Why, cause)
	case p.Size > worseThanNeeded*a.sight.Need:
		return tooSmall, fmt.Sprintf("sight is %.0f px, need is %.0f px: %s", p.Size, a.sight.Need, a.enlarge(p.Size/a.sight.Need))
	}
	return tooSmall, ""
}

// remedies are what helps against what makes the sight bad. Against the other reasons, a
// larger input of the detector may.
var remedies = map[transport.BlindReason]string{
	transport.BlindDark:     "give it light",
	transport.BlindBright:   "shade the camera, or lower its exposure",
	transport.BlindNoisy:    "give it light, or lower the camera's gain",
	transport.BlindBlurred:  "focus the camera, or clean it",
	transport.BlindContrast: "clean the camera, or give it light",
	transport.BlindCovered:  "clear the camera's view",
}

// enlarge returns how faces can be found that are smaller by a factor.
func (a *adviser) enlarge(factor float64) string {
	size := (int(float64(a.sight.DetectSize)*factor)/detectStep + 1) * detectStep
	switch {
	case a.sight.Tiles || a.sight.DetectSize == 0 || a.sight.DetectSize >= a.side:
		return "bring the camera closer or mask"
	case size > min(a.side, maxDetectSize):
		return "set `detect.tiles: true` or mask"
	}
	return fmt.Sprintf("raise `detect.size` to %d or mask", size)
}
