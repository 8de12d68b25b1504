package streaminfo

// Stream has the measurements. Rates are 0 without enough data.
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
	// FPS is the actual rate, by this machine's clock. TimestampFPS is the rate by the
	// RTP timestamps, and SPSFPS the rate in the SPS.
	FPS          float64 `json:"fps"`
	TimestampFPS float64 `json:"timestamp_fps,omitempty"`
	SPSFPS       float64 `json:"sps_fps,omitempty"`
	// LongestGap is the longest time between two pictures, in seconds.
	LongestGap float64 `json:"longest_gap"`
	// Bitrate is of the RTP payloads, in bit/s.
	Bitrate int `json:"bitrate"`

	// KeyFrames counts key frames. GOP is the largest number of pictures from one key
	// frame to the next, and GOPSeconds the time; 0 without key frames, or if a loss
	// hides the distance. GOPAtLeast is set if the largest distance was seen at one end
	// only, before the first or after the last key frame: the real one is at least
	// that.
	KeyFrames  int     `json:"key_frames"`
	GOP        int     `json:"gop,omitempty"`
	GOPSeconds float64 `json:"gop_seconds,omitempty"`
	GOPAtLeast bool    `json:"gop_at_least,omitempty"`
	// Slices is the largest number of slices in a picture.
	Slices int `json:"slices,omitempty"`
	// BFrames is set if a picture contains B slices (H.264), Reordered if pictures are
	// not sent in display order.
	BFrames   bool `json:"b_frames"`
	Reordered bool `json:"reordered"`
	// InBand is set if parameter sets are sent with the pictures.
	InBand bool `json:"parameter_sets_in_band"`
	// MarkerWithin is set if the marker bit was found within a picture.
	MarkerWithin bool `json:"marker_within_picture"`

	Packets int `json:"packets"`
	// Lost counts missing sequence numbers, Late packets out of order.
	Lost int `json:"packets_lost"`
	Late int `json:"packets_late"`
	// Sources counts SSRCs: more than one means that the stream was restarted.
	Sources int `json:"sources"`

	// Reports counts RTCP sender reports. ClockSet is set if they contain a time.
	// ClockAhead is by how many seconds the camera's clock is ahead of this machine's.
	Reports    int     `json:"sender_reports"`
	ClockSet   bool    `json:"clock_set"`
	ClockAhead float64 `json:"clock_ahead,omitempty"`
}

// Loss returns the share of packets that were lost.
func (s *Stream) Loss() float64 {
	if s.Lost == 0 {
		return 0
	}
	return float64(s.Lost) / float64(s.Lost+s.Packets)
}
