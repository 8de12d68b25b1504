package simcam

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"scrim/pipeline/internal/x264"
	"scrim/pipeline/scene"
	"scrim/redact/yuv"
	"scrim/transport"
)

// Settings of recordings: hardly a difference to the drawn picture is left.
const (
	recordQuality = 14
	recordBitrate = 200_000_000
	recordGOP     = 2 * time.Second
	recordThreads = 2
)

// MaxRecordFrames is the most pictures of a recording.
const MaxRecordFrames = 1_000_000

// RecordOptions say what Record draws.
type RecordOptions struct {
	// Path is the file, which must end in .mp4 or .h264 (bare Annex B). It has this name
	// only once it is complete; an existing one is replaced.
	Path string
	// Scene is what is drawn.
	Scene scene.Options
	// File, if set, is a video file whose pictures are encoded again, instead of a
	// scene. There is no truth about it.
	File string
	// Frames is how many pictures there are, from number 0. A file repeats at
	// its end.
	Frames int
	// AsCamera encodes as the simulated camera does; otherwise the quality is much
	// higher.
	AsCamera bool
}

// Recorded is one picture of a recording, or of a camera that runs.
type Recorded struct {
	// PTS is its time in 90 kHz ticks. In a file it is the number over the frames
	// per second, rounded to the nearest; in a stream the time of capture after
	// that of the first picture.
	PTS int64
	// Captured is the time of capture in stamp and sender reports; zero in a
	// recording.
	Captured time.Time
	// Width and Height are its size in pixels.
	Width, Height int
	// Truth is what is visible.
	Truth scene.Truth
}

// RecordPTS returns the time of picture n in 90 kHz ticks.
func RecordPTS(n int, fps float64) int64 {
	return int64(math.Round(float64(n) * transport.ClockRate / fps))
}

// at returns a time as the stamp has it.
func at(pts int64) time.Time {
	return time.Unix(pts/transport.ClockRate, pts%transport.ClockRate*int64(time.Second)/transport.ClockRate)
}

// Record draws the scene into a video file, every picture of it and as fast as
// it goes, and calls each after every picture. The stamp's time of capture is
// 1970 plus the picture's time, so that the same options give the same
// pictures. It fails when ctx ends first, or with the error of each; then there
// is no file.
func Record(ctx context.Context, o RecordOptions, each func(Recorded) error) error {
	if err := record(ctx, o, each); err != nil {
		return fmt.Errorf("record %s: %w", o.Path, err)
	}
	return nil
}

func record(ctx context.Context, o RecordOptions, each func(Recorded) error) (err error) {
	if o.Frames < 1 || o.Frames > MaxRecordFrames {
		return fmt.Errorf("%d pictures are not within 1 … %d", o.Frames, MaxRecordFrames)
	}
	src, err := newPictures(o)
	if err != nil {
		return err
	}
	defer src.close()
	settings := x264.Options{Quality: recordQuality, Bitrate: recordBitrate, KeyframeInterval: recordGOP, Threads: recordThreads}
	if o.AsCamera {
		settings = x264.Options{KeyframeInterval: DefaultGOP}
	}
	settings.Width, settings.Height, settings.FullRange = src.im.Width, src.im.Height, src.im.FullRange
	enc, err := x264.New(settings)
	if err != nil {
		return err
	}
	defer enc.Close()
	out, err := newMovie(o.Path, src.im.Width, src.im.Height)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.close(err == nil)) }()
	for n := range o.Frames {
		if err := ctx.Err(); err != nil {
			return err
		}
		pts, next := RecordPTS(n, src.fps), RecordPTS(n+1, src.fps)
		truth, err := src.take(n, at(pts))
		if err != nil {
			return err
		}
		unit, err := enc.Encode(src.im, pts, false)
		if err != nil {
			return err
		}
		if err := out.write(unit, next-pts); err != nil {
			return err
		}
		if err := each(Recorded{PTS: pts, Width: src.im.Width, Height: src.im.Height, Truth: truth}); err != nil {
			return err
		}
	}
	return nil
}

// pictures are what is recorded: those of a scene or of a file.
type pictures struct {
	scene *scene.Scene
	file  *file
	fps   float64
	im    *yuv.Image // the last that was taken
}

func newPictures(o RecordOptions) (*pictures, error) {
	if o.File != "" {
		f, err := openFile(o.File)
		if err != nil {
			return nil, err
		}
		p := &pictures{file: f, fps: float64(time.Second) / float64(f.interval())}
		if p.im, err = f.shoot(0, time.Time{}); err != nil { // for its size
			f.close()
			return nil, err
		}
		return p, nil
	}
	s, err := scene.New(o.Scene)
	if err != nil {
		return nil, err
	}
	im, err := yuv.New(s.Options().Width, s.Options().Height)
	if err != nil {
		return nil, err
	}
	return &pictures{scene: s, fps: s.Options().FPS, im: im}, nil
}

// take makes im picture n.
func (p *pictures) take(n int, captured time.Time) (scene.Truth, error) {
	number := uint32(n) //nolint:gosec // bounded by MaxRecordFrames
	if p.scene != nil {
		return p.scene.Draw(p.im, number, captured)
	}
	var err error
	if n > 0 { // which newPictures has taken
		p.im, err = p.file.shoot(number, captured)
	}
	return scene.Truth{Frame: number}, err
}

func (p *pictures) close() {
	if p.file != nil {
		p.file.close()
	}
}
