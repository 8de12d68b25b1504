package measure

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"

	"scrim/redact/geom"
)

// Limits of input files.
const (
	// MaxLine is the longest line in bytes, and MaxStills the largest file of
	// labelled stills.
	MaxLine   = 1 << 20
	MaxStills = 64 << 20
	// MaxFrames is the maximum number of frames in a file.
	MaxFrames = 1_000_000
	// MaxBoxes is the maximum number of faces or regions in a frame, MaxAllBoxes in a file.
	MaxBoxes    = 2000
	MaxAllBoxes = 8_000_000
	// MaxSide is the longest side of a picture in pixels.
	MaxSide = 1 << 16
	// maxCoordinate bounds coordinates in pixels; rounding is far below a pixel.
	maxCoordinate = 1 << 20
	// maxTime bounds a timestamp in seconds: some years.
	maxTime = 1e9
	// maxName bounds a file's name in bytes.
	maxName = 4096
	// maxReason bounds a reason for blindness in bytes.
	maxReason = 100
)

// place formats a file and a line for errors.
func place(file string, line int) string { return fmt.Sprintf("%s:%d", file, line) }

// eachLine calls use for every line that is not blank, with its number from 1. Errors
// start with file:line.
func eachLine(r io.Reader, file string, use func(line int, text []byte) error) error {
	s := bufio.NewScanner(r)
	s.Buffer(make([]byte, 0, 64<<10), MaxLine+1) // with its line feed
	n := 0
	for s.Scan() {
		n++
		text := bytes.TrimSpace(s.Bytes())
		if len(text) == 0 {
			continue
		}
		if err := use(n, text); err != nil {
			return fmt.Errorf("%s: %w", place(file, n), err)
		}
	}
	if errors.Is(s.Err(), bufio.ErrTooLong) {
		return fmt.Errorf("%s: line longer than %d bytes; a line holds one frame", place(file, n+1), MaxLine)
	}
	if s.Err() != nil {
		return fmt.Errorf("%s: %w", file, s.Err())
	}
	return nil
}

// decode reads a line with exactly one JSON value.
func decode(text []byte, v any) error {
	err := json.Unmarshal(text, v)
	if err == nil {
		return nil
	}
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return typeError{wrong}
	}
	return fmt.Errorf("invalid JSON: %w", err)
}

// typeError is a readable form of a type error of encoding/json.
type typeError struct{ *json.UnmarshalTypeError }

func (e typeError) Error() string {
	return fmt.Sprintf("%s is a %s and cannot be read as %s", cmp.Or(e.Field, "the line"), e.Value, e.Type)
}

func (e typeError) Unwrap() error { return e.UnmarshalTypeError }

// number is an optional JSON number.
type number = *float64

// coordinates are a box in a file.
type coordinates struct {
	X number `json:"x"`
	Y number `json:"y"`
	W number `json:"w"`
	H number `json:"h"`
}

// box returns the box; it fails if a number is missing or out of range.
func (c coordinates) box() (geom.Box, error) {
	if c.X == nil || c.Y == nil || c.W == nil || c.H == nil {
		return geom.Box{}, errors.New("a box needs x, y, w and h")
	}
	b := geom.Box{X: *c.X, Y: *c.Y, W: *c.W, H: *c.H}
	for _, v := range []float64{b.X, b.Y, b.W, b.H} {
		if !(math.Abs(v) <= maxCoordinate) {
			return geom.Box{}, fmt.Errorf("invalid coordinate %v: beyond %d pixels", v, maxCoordinate)
		}
	}
	if b.W < 0 || b.H < 0 {
		return geom.Box{}, fmt.Errorf("invalid box of %v×%v pixels: has a side below 0", b.W, b.H)
	}
	return b, nil
}

// header has the common fields of lines of reports and truths.
type header struct {
	File   string   `json:"file"`
	Frame  *int64   `json:"frame"`
	PTS    *float64 `json:"pts"`
	Width  int64    `json:"width"`
	Height int64    `json:"height"`
}

func (h *header) check() error {
	switch {
	case h.Frame == nil:
		return errors.New("frame is missing")
	case *h.Frame < 0 || *h.Frame > math.MaxInt32:
		return fmt.Errorf("invalid frame %d: must be from 0 to %d", *h.Frame, math.MaxInt32)
	case h.Width < 1 || h.Height < 1 || h.Width > MaxSide || h.Height > MaxSide:
		return fmt.Errorf("invalid size of %d×%d pixels: must be from 1×1 to %d×%[3]d", h.Width, h.Height, MaxSide)
	case h.PTS != nil && !(math.Abs(*h.PTS) <= maxTime):
		return fmt.Errorf("invalid pts %v", *h.PTS)
	case len(h.File) > maxName:
		return fmt.Errorf("file name of %d bytes: at most %d are allowed", len(h.File), maxName)
	}
	return nil
}

// count adds n boxes and one frame to the counts of a file.
type count struct{ frames, boxes int }

func (c *count) add(n int) error {
	c.frames++
	c.boxes += n
	switch {
	case n > MaxBoxes:
		return fmt.Errorf("%d boxes in a frame: at most %d are allowed", n, MaxBoxes)
	case c.frames > MaxFrames:
		return fmt.Errorf("more than %d frames; split the file", MaxFrames)
	case c.boxes > MaxAllBoxes:
		return fmt.Errorf("more than %d boxes in a file; split it", MaxAllBoxes)
	}
	return nil
}
