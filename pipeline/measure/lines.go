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

// Limits of what is read.
const (
	// MaxLine is the longest line in bytes, and MaxStills the largest file of
	// labelled stills.
	MaxLine   = 1 << 20
	MaxStills = 64 << 20
	// MaxFrames is the most frames in a file.
	MaxFrames = 1_000_000
	// MaxBoxes is the most faces or regions in a frame, MaxAllBoxes in a file.
	MaxBoxes    = 2000
	MaxAllBoxes = 8_000_000
	// MaxSide is the longest side of a picture in pixels.
	MaxSide = 1 << 16
	// maxCoordinate bounds coordinates in pixels; rounding is far below a pixel.
	maxCoordinate = 1 << 20
	// maxTime bounds a timestamp: some years, in seconds.
	maxTime = 1e9
	// maxName bounds a file's name in bytes.
	maxName = 4096
)

// place names a line of a file in errors.
func place(file string, line int) string { return fmt.Sprintf("%s:%d", file, line) }

// eachLine gives every line that is not blank to use, with its number from 1.
// Errors begin with file:line.
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
		return fmt.Errorf("%s: the line is longer than %d bytes; a line holds one frame", place(file, n+1), MaxLine)
	}
	if s.Err() != nil {
		return fmt.Errorf("%s: %w", file, s.Err())
	}
	return nil
}

// decode reads one JSON value and nothing after it.
func decode(text []byte, v any) error {
	err := json.Unmarshal(text, v)
	if err == nil {
		return nil
	}
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return typeError{wrong}
	}
	return fmt.Errorf("no JSON: %w", err)
}

// typeError is one of encoding/json in words for people.
type typeError struct{ *json.UnmarshalTypeError }

func (e typeError) Error() string {
	return fmt.Sprintf("%s is a %s and cannot be read as %s", cmp.Or(e.Field, "the line"), e.Value, e.Type)
}

func (e typeError) Unwrap() error { return e.UnmarshalTypeError }

// number is a JSON number of which one knows whether it was there.
type number = *float64

// coordinates are a box as files have it.
type coordinates struct {
	X number `json:"x"`
	Y number `json:"y"`
	W number `json:"w"`
	H number `json:"h"`
}

// box returns the box; it fails when a number is missing or absurd.
func (c coordinates) box() (geom.Box, error) {
	if c.X == nil || c.Y == nil || c.W == nil || c.H == nil {
		return geom.Box{}, errors.New("a box needs x, y, w and h")
	}
	b := geom.Box{X: *c.X, Y: *c.Y, W: *c.W, H: *c.H}
	for _, v := range []float64{b.X, b.Y, b.W, b.H} {
		if !(math.Abs(v) <= maxCoordinate) {
			return geom.Box{}, fmt.Errorf("coordinate %v is beyond %d pixels", v, maxCoordinate)
		}
	}
	if b.W < 0 || b.H < 0 {
		return geom.Box{}, fmt.Errorf("a box of %v×%v pixels has a side below 0", b.W, b.H)
	}
	return b, nil
}

// header is what lines of reports and truths begin with.
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
		return fmt.Errorf("frame %d is not within 0 … %d", *h.Frame, math.MaxInt32)
	case h.Width < 1 || h.Height < 1 || h.Width > MaxSide || h.Height > MaxSide:
		return fmt.Errorf("a picture of %d×%d pixels is not within 1×1 … %d×%[3]d", h.Width, h.Height, MaxSide)
	case h.PTS != nil && !(math.Abs(*h.PTS) <= maxTime):
		return fmt.Errorf("pts %v is absurd", *h.PTS)
	case len(h.File) > maxName:
		return fmt.Errorf("file has a name of %d bytes; %d are allowed", len(h.File), maxName)
	}
	return nil
}

// count adds n boxes and one frame to what a file holds.
type count struct{ frames, boxes int }

func (c *count) add(n int) error {
	c.frames++
	c.boxes += n
	switch {
	case n > MaxBoxes:
		return fmt.Errorf("%d boxes in a frame; %d are allowed", n, MaxBoxes)
	case c.frames > MaxFrames:
		return fmt.Errorf("more than %d frames; split the file", MaxFrames)
	case c.boxes > MaxAllBoxes:
		return fmt.Errorf("more than %d boxes in a file; split it", MaxAllBoxes)
	}
	return nil
}
