package measure

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"time"

	"scrim/redact/geom"
)

// TrueFace is a face in the truth.
type TrueFace struct {
	// Person is the same for the same person over all frames of a file.
	Person int
	// Box is the face, from hairline to chin and cheek to cheek.
	Box geom.Box
	// Visible is the visible share of the face, 0 to 1.
	Visible float64
	// Yaw and Roll are in degrees; NaN if unknown.
	Yaw, Roll float64
	// Ignore means that it does not matter whether it is covered.
	Ignore bool
}

// size returns the longer side in pixels.
func (f *TrueFace) size() float64 { return max(f.Box.W, f.Box.H) }

// TruthFrame has the faces of one frame.
type TruthFrame struct {
	Frame int
	// PTS is in seconds; 0 for stills.
	PTS float64
	// Captured is the time of capture by a live camera; zero in files.
	Captured time.Time
	// Width and Height are 0 for stills: the report has them.
	Width, Height int
	Faces         []TrueFace
	// Bodies are the trunks of people by their number; nil if they are not known.
	Bodies map[int]geom.Box
	// Clear says whether nothing makes the picture hard to see; nil if that is not known.
	Clear *bool
	// Line is the line of the truth, from 1; 0 for stills.
	Line int
}

// Truth has the faces of one video or picture.
type Truth struct {
	// Path is the truth's path, File the name of the video or picture in it, which
	// may be empty.
	Path, File string
	// Still marks a single picture, which has no time.
	Still bool
	// Frames are in ascending order of number and time.
	Frames []TruthFrame
}

// lasts returns how long frame i is shown, in seconds. The last one is shown as long as
// the one before it, a single one for no time.
func (t *Truth) lasts(i int) float64 {
	next := min(i+1, len(t.Frames)-1)
	if next == 0 {
		return 0
	}
	return t.Frames[next].PTS - t.Frames[next-1].PTS
}

// TruthLine is a line of a truth file.
type TruthLine struct {
	// File is optional.
	File string `json:"file,omitempty"`
	// Frame counts from 0.
	Frame int64 `json:"frame"`
	// PTS is in seconds.
	PTS float64 `json:"pts"`
	// Captured is the time of capture by a live camera, in Unix ns; 0 in files.
	Captured int64       `json:"captured,omitempty"`
	Width    int         `json:"width"`
	Height   int         `json:"height"`
	Faces    []TruthFace `json:"faces"`
	// Bodies are optional.
	Bodies []TruthBody `json:"bodies,omitempty"`
	// Clear is false if noise, darkness or the like make the picture hard to see;
	// optional.
	Clear *bool `json:"clear,omitempty"`
}

// TruthBody is the trunk of a person in a TruthLine, from shoulders to hips, in pixels.
type TruthBody struct {
	Person int     `json:"person"`
	X      float64 `json:"x"`
	Y      float64 `json:"y"`
	W      float64 `json:"w"`
	H      float64 `json:"h"`
}

// Rounded returns b with lengths rounded to 1/1000 pixel.
func (b TruthBody) Rounded() TruthBody {
	for _, v := range []*float64{&b.X, &b.Y, &b.W, &b.H} {
		*v = math.Round(*v*1e3) / 1e3
	}
	return b
}

// TruthFace is one face in a TruthLine, in pixels and degrees.
type TruthFace struct {
	Person  int     `json:"person"`
	X       float64 `json:"x"`
	Y       float64 `json:"y"`
	W       float64 `json:"w"`
	H       float64 `json:"h"`
	Visible float64 `json:"visible"`
	Yaw     float64 `json:"yaw"`
	Roll    float64 `json:"roll"`
}

// Rounded returns f with lengths rounded to 1/1000 pixel, shares to 1/10000 and angles to
// 1/100 degree.
func (f TruthFace) Rounded() TruthFace {
	to := func(v *float64, step float64) { *v = math.Round(*v*step) / step }
	for _, v := range []*float64{&f.X, &f.Y, &f.W, &f.H} {
		to(v, 1e3)
	}
	to(&f.Visible, 1e4)
	to(&f.Yaw, 1e2)
	to(&f.Roll, 1e2)
	return f
}

// ReadTruth reads a truth of either format; path is its name in errors. It returns one
// Truth for each file in it. The caller owns the result.
func ReadTruth(r io.Reader, path string) ([]*Truth, error) {
	in := bufio.NewReaderSize(r, 4096)
	if stills(in) {
		return readStills(in, path)
	}
	return readTruthLines(in, path)
}

// stills reports whether the file has labelled stills: an object with images, where a line
// of a truth has a frame. It only reads the beginning.
func stills(in *bufio.Reader) bool {
	head, _ := in.Peek(4096)
	dec := json.NewDecoder(bytes.NewReader(head))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return false
	}
	for dec.More() {
		key, err := dec.Token()
		if err != nil || key == "frame" {
			return false
		}
		if key == "images" {
			return true
		}
		var value json.RawMessage
		if dec.Decode(&value) != nil {
			return false
		}
	}
	return false
}

// faceInput is a face in either format.
type faceInput struct {
	coordinates
	Person  *int   `json:"person"`
	Visible number `json:"visible"`
	Yaw     number `json:"yaw"`
	Roll    number `json:"roll"`
	Ignore  bool   `json:"ignore"`
}

func (in *faceInput) face() (TrueFace, error) {
	box, err := in.box()
	if err != nil {
		return TrueFace{}, err
	}
	f := TrueFace{Box: box, Visible: 1, Yaw: math.NaN(), Roll: math.NaN(), Ignore: in.Ignore}
	for _, v := range []struct {
		name     string
		in       number
		out      *float64
		from, to float64
	}{{"visible", in.Visible, &f.Visible, 0, 1}, {"yaw", in.Yaw, &f.Yaw, -180, 180}, {"roll", in.Roll, &f.Roll, -180, 180}} {
		if v.in == nil {
			continue
		}
		if !(*v.in >= v.from && *v.in <= v.to) {
			return TrueFace{}, fmt.Errorf("invalid %s %v: must be from %v to %v", v.name, *v.in, v.from, v.to)
		}
		*v.out = *v.in
	}
	return f, nil
}

func readTruthLines(r io.Reader, path string) ([]*Truth, error) {
	return readSomeTruth(r, path, func(*TruthFrame) bool { return true })
}

// readSomeTruth reads the frames that are wanted; Faces are not decoded when wanted is
// called.
func readSomeTruth(r io.Reader, path string, wanted func(*TruthFrame) bool) ([]*Truth, error) {
	var truths []*Truth
	byFile := map[string]*Truth{}
	var total count
	err := eachLine(r, path, func(n int, text []byte) error {
		var line struct {
			header
			Captured int64        `json:"captured"`
			Faces    *[]faceInput `json:"faces"`
			Bodies   []bodyInput  `json:"bodies"`
			Clear    *bool        `json:"clear"`
		}
		if err := decode(text, &line); err != nil {
			return err
		}
		if err := line.check(); err != nil {
			return err
		}
		if line.PTS == nil {
			return errors.New("pts is missing")
		}
		if line.Faces == nil {
			return errors.New("faces are missing; use [] for none")
		}
		f := TruthFrame{Frame: int(*line.Frame), PTS: *line.PTS, Width: int(line.Width), Height: int(line.Height), Clear: line.Clear, Line: n}
		if line.Captured != 0 {
			f.Captured = time.Unix(0, line.Captured)
		}
		if !wanted(&f) {
			return nil
		}
		if err := total.add(len(*line.Faces) + len(line.Bodies)); err != nil {
			return err
		}
		if err := f.setFaces(*line.Faces); err != nil {
			return err
		}
		if err := f.setBodies(line.Bodies); err != nil {
			return err
		}
		truth := byFile[line.File]
		if truth == nil {
			truth = &Truth{Path: path, File: line.File}
			byFile[line.File] = truth
			truths = append(truths, truth)
		}
		if k := len(truth.Frames); k > 0 && (truth.Frames[k-1].Frame >= f.Frame || truth.Frames[k-1].PTS >= f.PTS) {
			p := truth.Frames[k-1]
			return fmt.Errorf("frame %d at %v after frame %d at %v of line %d; numbers and times must increase", f.Frame, f.PTS, p.Frame, p.PTS, p.Line)
		}
		truth.Frames = append(truth.Frames, f)
		return nil
	})
	return truths, err
}

func (f *TruthFrame) setFaces(faces []faceInput) error {
	seen := make(map[int]bool, len(faces))
	f.Faces = make([]TrueFace, 0, len(faces))
	for i := range faces {
		t, err := faces[i].face()
		if err != nil {
			return fmt.Errorf("face %d: %w", i, err)
		}
		switch p := faces[i].Person; {
		case p == nil && !t.Ignore:
			return fmt.Errorf("face %d: person is missing", i)
		case p != nil && seen[*p]:
			return fmt.Errorf("face %d: person %d has another face in this frame", i, *p)
		case p != nil:
			t.Person, seen[*p] = *p, true
		}
		f.Faces = append(f.Faces, t)
	}
	return nil
}

// bodyInput is a body in a line.
type bodyInput struct {
	coordinates
	Person *int `json:"person"`
}

func (f *TruthFrame) setBodies(bodies []bodyInput) error {
	if bodies == nil {
		return nil
	}
	f.Bodies = make(map[int]geom.Box, len(bodies))
	for i := range bodies {
		box, err := bodies[i].box()
		if err != nil {
			return fmt.Errorf("body %d: %w", i, err)
		}
		p := bodies[i].Person
		if p == nil {
			return fmt.Errorf("body %d: person is missing", i)
		}
		if _, twice := f.Bodies[*p]; twice {
			return fmt.Errorf("body %d: person %d has another body in this frame", i, *p)
		}
		f.Bodies[*p] = box
	}
	return nil
}

// readStills reads a file of labelled pictures. Every face is a different person.
func readStills(r io.Reader, path string) ([]*Truth, error) {
	text, err := io.ReadAll(io.LimitReader(r, MaxStills+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if len(text) > MaxStills {
		return nil, fmt.Errorf("%s: file larger than %d bytes", path, MaxStills)
	}
	var in struct {
		Images []struct {
			File  string      `json:"file"`
			Faces []faceInput `json:"faces"`
		} `json:"images"`
	}
	if err := decode(text, &in); err != nil {
		return nil, fmt.Errorf("%s: %w", place(path, lineOf(text, err)), err)
	}
	var truths []*Truth
	var total count
	named := map[string]bool{}
	for i, image := range in.Images {
		err := total.add(len(image.Faces))
		switch {
		case err != nil:
			return nil, fmt.Errorf("%s: image %d: %w", path, i, err)
		case image.File == "" || len(image.File) > maxName:
			return nil, fmt.Errorf("%s: image %d: file needs a name of 1 to %d bytes", path, i, maxName)
		case named[image.File]:
			return nil, fmt.Errorf("%s: image %d: file %q occurs twice", path, i, image.File)
		}
		named[image.File] = true
		frame := TruthFrame{Faces: make([]TrueFace, 0, len(image.Faces))}
		for k := range image.Faces {
			f, err := image.Faces[k].face()
			if err != nil {
				return nil, fmt.Errorf("%s: %s: face %d: %w", path, image.File, k, err)
			}
			f.Person = k
			frame.Faces = append(frame.Faces, f)
		}
		truths = append(truths, &Truth{Path: path, File: image.File, Still: true, Frames: []TruthFrame{frame}})
	}
	return truths, nil
}

// lineOf returns the line, from 1, at which decoding failed.
func lineOf(text []byte, err error) int {
	var at int64
	if e, ok := errors.AsType[*json.SyntaxError](err); ok {
		at = e.Offset
	} else if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		at = e.Offset
	}
	return 1 + bytes.Count(text[:min(max(at, 0), int64(len(text)))], []byte("\n"))
}
