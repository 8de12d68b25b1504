package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"time"

	"scrim/pipeline/measure"
	"scrim/pipeline/scene"
	"scrim/pipeline/simcam"
	"scrim/transport"
)

// Recording has the flags for drawing into a file instead of an RTSP stream.
type Recording struct {
	Record string        `placeholder:"FILE" help:"Draw every frame into a video file (.mp4 or .h264) as fast as possible, and exit."`
	Truth  string        `placeholder:"FILE" help:"Write the position of every face, one JSON line per drawn frame."`
	Frames int           `placeholder:"N" help:"With --record: number of frames."`
	For    time.Duration `placeholder:"TIME" help:"With --record: duration, such as 60s."`
}

// check rejects invalid combinations of flags.
func (r *Recording) check(file string) error {
	switch {
	case r.Truth != "" && file != "":
		return fmt.Errorf("--truth is for drawn people; it cannot be used with the file %s", file)
	case r.Record == "" && (r.Frames != 0 || r.For != 0):
		return errors.New("--frames and --for need --record")
	case r.Record == "":
		return nil
	case file != "":
		return fmt.Errorf("--record is for drawn people; it cannot be used with the file %s", file)
	case (r.Frames != 0) == (r.For != 0):
		return errors.New("--record needs either --frames or --for")
	case r.Frames < 0 || r.For < 0:
		return errors.New("--frames and --for must be positive")
	}
	return nil
}

// count returns the number of frames to draw.
func (r *Recording) count(fps float64) int {
	if r.Frames != 0 {
		return r.Frames
	}
	return int(min(math.Round(r.For.Seconds()*fps), math.MaxInt32))
}

// draw draws the scene into the file.
func (r *Recording) draw(ctx context.Context, o scene.Options) error {
	record := simcam.RecordOptions{Path: r.Record, Scene: o, Frames: r.count(o.FPS)}
	if r.Truth == "" {
		return simcam.Record(ctx, record, func(simcam.Recorded) error { return nil })
	}
	f, err := os.CreateTemp(filepath.Dir(r.Truth), "."+filepath.Base(r.Truth)+"-*")
	if err != nil {
		return fmt.Errorf("truth: %w", err)
	}
	defer func() { _ = os.Remove(f.Name()) }() // no effect after the rename
	defer func() { _ = f.Close() }()
	w := bufio.NewWriter(f)
	lines := json.NewEncoder(w)
	err = simcam.Record(ctx, record, func(p simcam.Recorded) error { return lines.Encode(truthLine(p)) })
	if err != nil {
		return err
	}
	if err := errors.Join(w.Flush(), f.Chmod(0o644), f.Close()); err != nil {
		return fmt.Errorf("truth: %w", err)
	}
	return os.Rename(f.Name(), r.Truth)
}

// liveTruth is the truth file of a live camera. Each line is written before its picture
// is sent, so that a receiver of the picture finds it in the file.
type liveTruth struct {
	path  string
	file  *os.File
	lines *json.Encoder
}

// write writes a line. The first one creates the file, so that a camera that fails to
// start does not overwrite another's.
func (l *liveTruth) write(p simcam.Recorded) error {
	if l.file == nil {
		f, err := os.Create(l.path)
		if err != nil {
			return fmt.Errorf("truth: %w", err)
		}
		l.file, l.lines = f, json.NewEncoder(f) // one write per line
	}
	if err := l.lines.Encode(truthLine(p)); err != nil {
		return fmt.Errorf("truth: %w", err)
	}
	return nil
}

func (l *liveTruth) close() {
	if l.file != nil {
		_ = l.file.Close()
	}
}

// truthLine converts the truth of a frame for package measure.
func truthLine(p simcam.Recorded) measure.TruthLine {
	line := measure.TruthLine{
		Frame: int64(p.Truth.Frame), PTS: float64(p.PTS) / transport.ClockRate, Width: p.Width, Height: p.Height,
		Faces: make([]measure.TruthFace, 0, len(p.Truth.Faces)), Clear: &p.Truth.Clear,
	}
	for _, b := range p.Truth.Bodies {
		line.Bodies = append(line.Bodies, measure.TruthBody{Person: b.Person, X: b.Trunk.X, Y: b.Trunk.Y, W: b.Trunk.W, H: b.Trunk.H}.Rounded())
	}
	if !p.Captured.IsZero() {
		line.Captured = p.Captured.UnixNano()
	}
	for _, f := range p.Truth.Faces {
		line.Faces = append(line.Faces, measure.TruthFace{
			Person: f.Person, X: f.Box.X, Y: f.Box.Y, W: f.Box.W, H: f.Box.H, Visible: f.Visible, Yaw: f.Yaw, Roll: f.Roll,
		}.Rounded())
	}
	return line
}
