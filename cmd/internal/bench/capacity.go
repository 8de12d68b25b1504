package bench

import "fmt"

// Capacity is the search for the largest number of cameras.
type Capacity struct {
	Trials []Trial `json:"tries"`
	// Bounded is set if the search reached the maximum without a failure.
	Bounded bool `json:"bounded,omitempty"`
}

// Trial is a run with one number of cameras.
type Trial struct {
	Cameras int    `json:"cameras"`
	Held    bool   `json:"held"`
	Why     string `json:"why,omitempty"`
	In      int    `json:"frames_in"`
	Dropped int    `json:"dropped"`
	Slates  int    `json:"slates"`
	// Exposed counts the exposed ones of Faces, which is 0 without a truth.
	Exposed int     `json:"exposed_face_frames"`
	Faces   int     `json:"face_frames"`
	Cores   float64 `json:"cpu_cores"`
	P99     float64 `json:"added_latency_ms_p99"`
}

// Judge sets Held and Why: cameras hold their rate if every picture was shown and no
// face was exposed. A Why that is already set stays.
func (t *Trial) Judge() {
	switch {
	case t.Why != "":
	case t.In == 0:
		t.Why = "no pictures arrived"
	case t.Dropped > 0:
		t.Why = fmt.Sprintf("%d of %d pictures dropped", t.Dropped, t.In)
	case t.Slates > 0:
		t.Why = fmt.Sprintf("%d slates instead of pictures", t.Slates)
	case t.Exposed > 0:
		t.Why = fmt.Sprintf("%d of %d faces exposed", t.Exposed, t.Faces)
	}
	t.Held = t.Why == ""
}

// MostCameras returns the largest number up to most that holds, 0 if not even 1 does.
// It assumes that every smaller number holds as well: it doubles from begin until a
// number fails, and bisects then.
func MostCameras(begin, most int, holds func(n int) (bool, error)) (int, error) {
	limit, low, n := most, 0, begin
	for low < most {
		held, err := holds(n)
		switch {
		case err != nil:
			return 0, err
		case !held && n == 1:
			return 0, nil
		case !held:
			most = n - 1
			n = (low + most + 1) / 2
		case most == limit: // nothing has failed so far
			low, n = n, min(2*n, most)
		default:
			low, n = n, (n+most+1)/2
		}
	}
	return low, nil
}
