package ipc

import (
	"scrim/redact/geom"
	"scrim/redact/zone"
)

// Files is the first message to a redactor of files. The redactor answers with Hello,
// and to each File with FileBegin, one FileFrame per picture, and FileEnd. When its
// pipe is closed it removes the unfinished output and exits.
type Files struct {
	// Detect is how faces are found. Its Size and SkipUnchanged are not used.
	Detect DetectConfig `json:"detect"`
	// Sizes are the longer sides of the detector's inputs. A picture is inspected at
	// each size that differs for it.
	Sizes []int `json:"sizes"`
	// Lookahead is the number of pictures of look-ahead in videos.
	Lookahead int `json:"lookahead"`
	// SecondLook inspects every picture again after it was obscured.
	SecondLook bool `json:"second_look"`
	// Obscure is how faces are made unrecognisable.
	Obscure ObscureConfig `json:"obscure"`
	// Zones are the zones of the camera that recorded the files.
	Zones []zone.Zone `json:"zones,omitempty"`
	// KeepAudio copies the audio tracks of videos.
	KeepAudio bool `json:"keep_audio"`
}

// FileKind is what a file contains.
type FileKind string

// The kinds of files.
const (
	Video FileKind = "video"
	Image FileKind = "image"
)

// File is one file to redact.
type File struct {
	// Name is the name in records.
	Name string   `json:"name"`
	Kind FileKind `json:"kind"`
	// In is the path of the input. The output is written to Temp, in the same folder
	// as Out, and renamed to Out when it is complete.
	In   string `json:"in"`
	Out  string `json:"out"`
	Temp string `json:"temp"`
}

// FileBegin reports that a file is being redacted. It is repeated while the file is
// completed after its last picture, which takes long for large files.
type FileBegin struct {
	// Frames is about how many pictures to expect; 0: unknown.
	Frames int64 `json:"frames"`
}

// FileFrame is the record of one picture: a line of a report.
type FileFrame struct {
	File string `json:"file"`
	// Frame counts from 0; PTS is in seconds.
	Frame  int64   `json:"frame"`
	PTS    float64 `json:"pts"`
	Width  int     `json:"width"`
	Height int     `json:"height"`
	// Regions are fully obscured rectangles within the picture; never null. A region
	// of another shape is listed as several rectangles within it, of the same track.
	Regions []geom.RegionRecord `json:"regions"`
}

// FileEnd is the result of a file.
type FileEnd struct {
	// Error is why there is no output, in one line; empty: there is.
	Error string `json:"error,omitempty"`
	// Frames is the number of pictures, and Failsafe how many of them were obscured
	// whole because their inspection failed. Reason is why the first of those
	// was, or what damage cost pictures altogether.
	Frames   int64  `json:"frames"`
	Failsafe int64  `json:"failsafe"`
	Reason   string `json:"reason,omitempty"`
	// Incomplete is why the end of the input could not be read; empty: it was read.
	// The output holds what came before.
	Incomplete string `json:"incomplete,omitempty"`
	// Warning is one line about the input, such as that it has fewer pictures than
	// it announces.
	Warning string `json:"warning,omitempty"`
	// Audio is the number of audio tracks that were copied, Dropped of those that were not.
	Audio   int `json:"audio"`
	Dropped int `json:"dropped"`
}
