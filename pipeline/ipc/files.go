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
	// Rotate is by how much pictures are turned after they were turned as the file says.
	Rotate RotateConfig `json:"rotate"`
	// AllWays looks at every picture all four ways, unless the file says which way is up, or
	// Rotate does for the detector.
	AllWays bool `json:"all_ways"`
	// Lookahead is the number of pictures of look-ahead in videos.
	Lookahead int `json:"lookahead"`
	// SecondLook inspects every picture again after it was obscured.
	SecondLook bool `json:"second_look"`
	// Obscure is how faces are made unrecognisable.
	Obscure ObscureConfig `json:"obscure"`
	// Zones are the zones of the camera that recorded the files.
	Zones []zone.Zone `json:"zones,omitempty"`
	// Cover is what is obscured; Sight is how small the faces are that must be found, and
	// what happens to pictures in which they are not.
	Cover CoverConfig `json:"cover"`
	Sight SightConfig `json:"sight"`
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
	// Cover is what is obscured in this picture.
	Cover FileCover `json:"cover"`
	// Blind is why it is not proved that the detector sees in this picture, such as
	// "too dark"; empty: it sees.
	Blind string `json:"blind,omitempty"`
	// Regions are fully obscured rectangles within the picture; never null. A region
	// of another shape is listed as several rectangles within it, of the same track.
	Regions []geom.RegionRecord `json:"regions"`
}

// FileCover is what of a picture is obscured.
type FileCover string

// What is obscured.
const (
	CoverFaces  FileCover = "faces"  // faces that were found
	CoverPeople FileCover = "people" // their bodies, too
	CoverMotion FileCover = "motion" // faces, and everything that differs from the background
	CoverWhole  FileCover = "whole"  // the whole picture
)

// MaxFileBlind is the maximum number of FileBlind in a FileEnd.
const MaxFileBlind = 500

// FileBlind is a run of pictures in which it is not proved that the detector sees.
type FileBlind struct {
	// From and To are the times of the first and the last picture, in seconds. Both are 0
	// for an image.
	From float64 `json:"from"`
	To   float64 `json:"to"`
	// Why is why it does not see, such as "too dark".
	Why string `json:"why"`
	// Cover is what is obscured instead.
	Cover FileCover `json:"cover"`
}

// FileEnd is the result of a file.
type FileEnd struct {
	// Error is why there is no output, in one line; empty: there is.
	Error string `json:"error,omitempty"`
	// Frames is the number of pictures, and Failsafe how many of them were obscured
	// whole. Reason is why the first of those was that was not blind, or what damage cost
	// pictures altogether.
	Frames   int64  `json:"frames"`
	Failsafe int64  `json:"failsafe"`
	Reason   string `json:"reason,omitempty"`
	// Blind is the number of pictures in which it is not proved that the detector sees.
	// BlindRuns are runs of them, in order; if there are more than MaxFileBlind, those
	// after it are left out.
	Blind     int64       `json:"blind,omitempty"`
	BlindRuns []FileBlind `json:"blind_runs,omitempty"`
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
