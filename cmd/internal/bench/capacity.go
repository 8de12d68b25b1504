package bench

import "fmt"

// Capacity is how the most cameras were found.
type Capacity struct {
	Tries []Try `json:"tries"`
	// Bounded is set when the search ended at the most that were allowed.
	Bounded bool `json:"bounded,omitempty"`
}

// Try is one number of cameras.
type Try struct {
	Cameras int    `json:"cameras"`
	Held    bool   `json:"held"`
	Why     string `json:"why,omitempty"`
	In      int    `json:"frames_in"`
	Dropped int    `json:"dropped"`
	Slates  int    `json:"slates"`
	// Exposed faces are of Faces, which is 0 where nobody knows of any.
	Exposed int     `json:"exposed_face_frames"`
	Faces   int     `json:"face_frames"`
	Cores   float64 `json:"cpu_cores"`
	P99     float64 `json:"added_latency_ms_p99"`
}

// Judge says whether the cameras held their rate, and if not, why: everything has
// to be shown, and nothing that must not be. A failure that is known already
// remains.
func (t *Try) Judge() {
	switch {
	case t.Why != "":
	case t.In == 0:
		t.Why = "no pictures came"
	case t.Dropped > 0:
		t.Why = fmt.Sprintf("%d of %d pictures dropped", t.Dropped, t.In)
	case t.Slates > 0:
		t.Why = fmt.Sprintf("%d slates in place of pictures", t.Slates)
	case t.Exposed > 0:
		t.Why = fmt.Sprintf("%d of %d faces exposed", t.Exposed, t.Faces)
	}
	t.Held = t.Why == ""
}

// MostCameras finds the largest number up to most that holds, if all below one
// that holds do: it doubles from begin until one does not, and halves the distance
// then. It is 0 when not even one does.
func MostCameras(begin, most int, holds func(n int) (bool, error)) (int, error) {
	limit, few, n := most, 0, begin
	for few < most {
		held, err := holds(n)
		switch {
		case err != nil:
			return 0, err
		case !held && n == 1:
			return 0, nil
		case !held:
			most = n - 1
			n = (few + most + 1) / 2
		case most == limit: // nothing has failed so far
			few, n = n, min(2*n, most)
		default:
			few, n = n, (n+most+1)/2
		}
	}
	return few, nil
}
