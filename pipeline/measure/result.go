package measure

import "scrim/redact/geom"

// Result is what Score found. Shares go from 0 to 1; times are seconds.
type Result struct {
	Filter Filter `json:"filter"`
	Videos int    `json:"videos"`
	Stills int    `json:"stills"`
	// Frames are those of the truth, stills included; Missing those of them for
	// which the report has no line, so that nothing counts as obscured.
	Frames  int `json:"frames"`
	Missing int `json:"missing_frames"`
	// Extra are frames of the report of which the truth says nothing.
	Extra   int     `json:"extra_frames"`
	Seconds float64 `json:"seconds"`
	// Live says what became of the frames of live runs; there is none of files.
	Live []Live `json:"live,omitempty"`

	Headline Group `json:"headline"`
	Hard     Group `json:"hard"`
	// BySize and ByYaw have one row per bucket, the last of them the regions that
	// touch no true face. Regions belong to the face that they share most with.
	BySize []Group `json:"by_size"`
	ByYaw  []Group `json:"by_yaw"`

	Area Area `json:"area"`
	// Boxes are reported face boxes, Matched those that found a face of any kind.
	Boxes   int     `json:"boxes"`
	Matched int     `json:"matched_boxes"`
	Flicker Flicker `json:"flicker"`
	// Sources counts regions by what they rest on.
	Sources map[geom.Source]int `json:"regions_by_source"`
	Steady  Steady              `json:"steady"`
	// People are those of the headline, in the order of the files.
	People []Person `json:"people"`
	// Leaks are the headline's runs of exposed frames, in the order in which they
	// begin in each file; LeaksLeftOut were too many.
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
	// IoU is the mean of those that were found.
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
	// Time from the first frame in which a person counts to the first in which
	// the face is covered, of those who ever are; NeverCovered are the others.
	FirstCoverMedian Number `json:"first_cover_median_seconds"`
	FirstCoverP95    Number `json:"first_cover_p95_seconds"`
	FirstCoverMax    Number `json:"first_cover_max_seconds"`
	NeverCovered     int    `json:"never_covered_people"`

	// FalseArea and Flicker are null for the headline and the hard ones: there
	// they are those of the Result.
	FalseArea *Number  `json:"false_area_mean,omitempty"`
	Flicker   *Flicker `json:"flicker,omitempty"`
}

// Area is shares of the frame.
type Area struct {
	Obscured    Number `json:"obscured_mean"`
	ObscuredMax Number `json:"obscured_max"`
	False       Number `json:"false_mean"`
	FalseMax    Number `json:"false_max"`
	// FalseMaxAt is where.
	FalseMaxFile  string `json:"false_max_file"`
	FalseMaxFrame int    `json:"false_max_frame"`
}

// Flicker is how restless regions are, zones apart.
type Flicker struct {
	// Appear and Vanish are regions per second of video.
	Appear Number `json:"appear_per_second"`
	Vanish Number `json:"vanish_per_second"`
	// TrueAppear is how many people come into view per second: what Appear would
	// be at best. It is null in buckets.
	TrueAppear Number `json:"true_appear_per_second"`
	// Move is how far an edge moves from frame to frame in pixels, Jitter by how
	// much that movement changes: 0 for a region that moves evenly. Means.
	Move   Number `json:"edge_move_pixels"`
	Jitter Number `json:"edge_jitter_pixels"`
}

// Steady is how people fare who are in view long and large.
type Steady struct {
	People int `json:"people"`
	// Held are those who are never exposed for more than SteadyRun frames.
	Held  int    `json:"held"`
	Share Number `json:"share"`
}

// Person is how one person fares. In stills every face is a person.
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
	// First and Last are frame numbers, from 0; Frames how many count.
	First   int     `json:"first_frame"`
	Last    int     `json:"last_frame"`
	Frames  int     `json:"frames"`
	Seconds float64 `json:"seconds"`
	// Coverage is the least; Size, Yaw and Visible are those at that frame.
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

// state is how a person fares in a frame.
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
