package measure

import "scrim/redact/geom"

// Result is the result of Score. Shares are from 0 to 1, times in seconds.
type Result struct {
	Filter Filter `json:"filter"`
	Cover  Cover  `json:"cover"`
	Videos int    `json:"videos"`
	Stills int    `json:"stills"`
	// Frames counts those of the truth, including stills; Missing those that the report
	// lacks, in which nothing counts as obscured.
	Frames  int `json:"frames"`
	Missing int `json:"missing_frames"`
	// Extra counts frames of the report that the truth lacks.
	Extra   int     `json:"extra_frames"`
	Seconds float64 `json:"seconds"`
	// Live has the counts of live runs; empty for files.
	Live []Live `json:"live,omitempty"`

	Headline Group `json:"headline"`
	Hard     Group `json:"hard"`
	// BySize and ByYaw have one row per bucket. The last row has the regions that touch no
	// true face. Regions belong to the face with the largest common area.
	BySize []Group `json:"by_size"`
	ByYaw  []Group `json:"by_yaw"`

	Area Area `json:"area"`
	// Bodies is set for CoverPeople if the truth has bodies.
	Bodies *Bodies `json:"bodies,omitempty"`
	Blind  Blind   `json:"blind"`
	// Boxes counts reported face boxes, Matched those that found a face of any kind.
	Boxes   int     `json:"boxes"`
	Matched int     `json:"matched_boxes"`
	Flicker Flicker `json:"flicker"`
	// Sources counts regions by their source.
	Sources map[geom.Source]int `json:"regions_by_source"`
	Steady  Steady              `json:"steady"`
	// People are the people of the headline, in the order of the files.
	People []Person `json:"people"`
	// Leaks are the headline's runs of exposed frames, in the order of their start in each
	// file; LeaksLeftOut counts those beyond MaxLeaks.
	Leaks        []Leak `json:"leaks"`
	LeaksLeftOut int    `json:"leaks_left_out"`

	timeline []moment
	length   float64 // of the time line in seconds
}

// Group is the score of some of the faces.
type Group struct {
	Name string `json:"name"`
	// Faces counts every face in every frame.
	Faces  int    `json:"face_frames"`
	Found  int    `json:"found"`
	Recall Number `json:"recall"`
	// IoU is the mean over found faces.
	IoU          Number `json:"iou_mean"`
	Coverage     Number `json:"coverage_mean"`
	Covered      int    `json:"covered"`
	CoveredShare Number `json:"covered_share"`
	Exposed      int    `json:"exposed"`
	ExposedShare Number `json:"exposed_share"`

	People       int    `json:"people"`
	NeverExposed Number `json:"never_exposed_share"`
	LongestRun   int    `json:"longest_run_frames"`
	// ExposedPerHour is in face-seconds per hour of video.
	ExposedPerHour Number `json:"exposed_face_seconds_per_hour"`
	// The time from the first frame in which a person counts to the first in which the
	// face is covered. NeverCovered counts people who are never covered.
	FirstCoverMedian Number `json:"first_cover_median_seconds"`
	FirstCoverP95    Number `json:"first_cover_p95_seconds"`
	FirstCoverMax    Number `json:"first_cover_max_seconds"`
	NeverCovered     int    `json:"never_covered_people"`

	// FalseArea and Flicker are null for headline and hard; see Result.
	FalseArea *Number  `json:"false_area_mean,omitempty"`
	Flicker   *Flicker `json:"flicker,omitempty"`
}

// Area has shares of the frame.
type Area struct {
	Obscured    Number `json:"obscured_mean"`
	ObscuredMax Number `json:"obscured_max"`
	False       Number `json:"false_mean"`
	FalseMax    Number `json:"false_max"`
	// FalseMaxAt is where FalseMax occurred.
	FalseMaxFile  string `json:"false_max_file"`
	FalseMaxFrame int    `json:"false_max_frame"`
}

// Flicker is how much regions appear, vanish and move, without zones.
type Flicker struct {
	// Appear and Vanish are regions per second of video.
	Appear Number `json:"appear_per_second"`
	Vanish Number `json:"vanish_per_second"`
	// TrueAppear is how many people come into view per second, the ideal value of Appear.
	// It is null in buckets.
	TrueAppear Number `json:"true_appear_per_second"`
	// Move is the mean movement of an edge from frame to frame in pixels, Jitter the mean
	// change of that movement: 0 for a region that moves evenly.
	Move   Number `json:"edge_move_pixels"`
	Jitter Number `json:"edge_jitter_pixels"`
}

// Steady is the result for people who are in view for long with a large face.
type Steady struct {
	People int `json:"people"`
	// Held counts those who are never exposed for more than SteadyRun frames.
	Held  int    `json:"held"`
	Share Number `json:"share"`
}

// Person is the result for one person. In stills, every face is a person.
type Person struct {
	File          string  `json:"file"`
	Person        int     `json:"person"`
	Frames        int     `json:"frames"`
	Seconds       float64 `json:"seconds"`
	Exposed       int     `json:"exposed_frames"`
	ExposedTime   float64 `json:"exposed_seconds"`
	LongestRun    int     `json:"longest_run_frames"`
	FirstCover    Number  `json:"first_cover_seconds"`
	LargestSize   float64 `json:"largest_size"`
	MeanCoverage  Number  `json:"coverage_mean"`
	LeastCoverage float64 `json:"coverage_least"`

	spans []span
}

// Leak is a run of frames in which a person is exposed.
type Leak struct {
	File   string `json:"file"`
	Person int    `json:"person"`
	// First and Last are frame numbers from 0; Frames is the number of frames that count.
	First   int     `json:"first_frame"`
	Last    int     `json:"last_frame"`
	Frames  int     `json:"frames"`
	Seconds float64 `json:"seconds"`
	// Coverage is the lowest; Size, Yaw and Visible are those of that frame.
	Coverage float64 `json:"coverage"`
	Size     float64 `json:"size"`
	Yaw      Number  `json:"yaw"`
	Visible  float64 `json:"visible"`
	Box      []int   `json:"box"`
}

// span is a time during which a person counts, or is exposed.
type span struct {
	from, to float64 // seconds on the time line
	state    state
}

// state is whether a person is covered in a frame.
type state uint8

const (
	covered state = iota
	hard
	exposed
)

// moment is one frame on the time line.
type moment struct {
	at, obscured, wrong float32 // seconds, shares
}
