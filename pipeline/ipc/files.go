package ipc

import "scrim/redact/geom"

// Files is the first message to a redactor of files. It answers with Hello, and
// then to each File with FileBegin, a FileFrame for each picture, and FileEnd.
// It ends, and removes what is half done, when the pipe to it is closed.
type Files struct {
	// Detect says how faces are found.
	Detect DetectConfig `json:"detect"`
	// Sizes are the longer sides of the detector's inputs; a picture is inspected
	// at each that differs for it. Detect.Size and
	// Detect.SkipUnchanged are not used.
	Sizes []int `json:"sizes"`
	// Lookahead is by how many pictures a video is looked ahead.
	Lookahead int `json:"lookahead"`
	// SecondLook looks at every picture once more after it was obscured.
	SecondLook bool `json:"second_look"`
	// Obscure says how faces are made unrecognisable.
	Obscure ObscureConfig `json:"obscure"`
	// Zones are those of the camera whose recordings the files are.
	Zones []ZoneConfig `json:"zones,omitempty"`
	// KeepAudio copies the audio tracks of videos.
	KeepAudio bool `json:"keep_audio"`
}

// FileKind says what a file holds.
type FileKind string

// The kinds of files.
const (
	Video FileKind = "video"
	Image FileKind = "image"
)

// File is one file to redact.
type File struct {
	// Name is what records call it.
	Name string   `json:"name"`
	Kind FileKind `json:"kind"`
	// In is its path. Out is written under another name, Temp, which is in the
	// same folder, and renamed when it is whole.
	In   string `json:"in"`
	Out  string `json:"out"`
	Temp string `json:"temp"`
}

// FileBegin says that a file is being redacted. It comes again while the file is
// finished after its last picture, which takes long for large ones.
type FileBegin struct {
	// Frames is how many pictures to expect, about; 0 is unknown.
	Frames int64 `json:"frames"`
}

// FileFrame is the record of one picture, as a line of a report has it.
type FileFrame struct {
	File string `json:"file"`
	// Frame counts from 0; PTS is in seconds.
	Frame  int64   `json:"frame"`
	PTS    float64 `json:"pts"`
	Width  int     `json:"width"`
	Height int     `json:"height"`
	// Regions are rectangles within the picture, all of which was obscured; never
	// null. A region of another shape is listed as several of the same track,
	// which lie within it.
	Regions []geom.Region `json:"regions"`
}

// FileEnd says what became of a file.
type FileEnd struct {
	// Error is one line that says why there is no output; empty when there is.
	Error string `json:"error,omitempty"`
	// Frames is how many pictures there were, Failsafe how many of them were
	// obscured whole since they could not be certified, and Reason why the first
	// of those was. There is a reason, too, when the input was damaged and that
	// cost pictures altogether.
	Frames   int64  `json:"frames"`
	Failsafe int64  `json:"failsafe"`
	Reason   string `json:"reason,omitempty"`
	// Incomplete says why the end of the input could not be read; empty: it was.
	// There is an output with what came before.
	Incomplete string `json:"incomplete,omitempty"`
	// Warning is one line with what else was noticed about the input, such as
	// that it has fewer pictures than it announces.
	Warning string `json:"warning,omitempty"`
	// Audio is how many audio tracks were copied, Dropped how many were not.
	Audio   int `json:"audio"`
	Dropped int `json:"dropped"`
}
