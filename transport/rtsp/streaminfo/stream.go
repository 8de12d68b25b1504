package streaminfo

// Stream is what was found. Rates are 0 where too little came to know them.
type Stream struct {
	Codec   string `json:"codec"`
	Profile string `json:"profile,omitempty"`
	Level   string `json:"level,omitempty"`
	Width   int    `json:"width,omitempty"`
	Height  int    `json:"height,omitempty"`
	// SPS is the sequence parameter set, without start code; H.264 and H.265 only.
	SPS []byte `json:"-"`

	// Seconds is the time between the first and the last picture, by this machine's
	// clock.
	Seconds  float64 `json:"seconds"`
	Pictures int     `json:"pictures"`
	// FPS is the real rate: pictures by this machine's clock. TimestampFPS is the
	// rate by the RTP timestamps, and SPSFPS the one that the SPS promises.
	FPS          float64 `json:"fps"`
	TimestampFPS float64 `json:"timestamp_fps,omitempty"`
	SPSFPS       float64 `json:"sps_fps,omitempty"`
	// LongestGap is the longest time between two pictures, in seconds.
	LongestGap float64 `json:"longest_gap"`
	// Bitrate is of the RTP payloads, in bit/s.
	Bitrate int `json:"bitrate"`

	// KeyFrames counts them. GOP is the largest number of pictures from one to the
	// next, GOPSeconds the time; 0 when no key frame came or loss hid the distance.
	// GOPAtLeast is set when no two were seen so far apart: the time before the first
	// or after the last was longer, and the distance is at least that.
	KeyFrames  int     `json:"key_frames"`
	GOP        int     `json:"gop,omitempty"`
	GOPSeconds float64 `json:"gop_seconds,omitempty"`
	GOPAtLeast bool    `json:"gop_at_least,omitempty"`
	// Slices is the largest number in a picture.
	Slices int `json:"slices,omitempty"`
	// BFrames is set when a picture holds B slices (H.264), and Reordered when
	// pictures do not come in the order in which they are shown.
	BFrames   bool `json:"b_frames"`
	Reordered bool `json:"reordered"`
	// InBand is set when parameter sets come with the pictures.
	InBand bool `json:"parameter_sets_in_band"`
	// MarkerWithin is set when the marker bit does not mean a picture's end.
	MarkerWithin bool `json:"marker_within_picture"`

	Packets int `json:"packets"`
	// Lost counts sequence numbers that never came, Late those that came out of
	// order.
	Lost int `json:"packets_lost"`
	Late int `json:"packets_late"`
	// Sources counts SSRCs: more than one means that the stream was restarted.
	Sources int `json:"sources"`

	// Reports counts RTCP sender reports. ClockSet is set when they say a time, and
	// ClockAhead by how many seconds the camera's clock is ahead of this machine's.
	Reports    int     `json:"sender_reports"`
	ClockSet   bool    `json:"clock_set"`
	ClockAhead float64 `json:"clock_ahead,omitempty"`
}

// Loss is the share of packets that were lost.
func (s *Stream) Loss() float64 {
	if s.Lost == 0 {
		return 0
	}
	return float64(s.Lost) / float64(s.Lost+s.Packets)
}
