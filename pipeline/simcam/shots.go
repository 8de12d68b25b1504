package simcam

import (
	"cmp"
	"time"

	"scrim/pipeline/scene"
	"scrim/redact/yuv"
)

// shots is what a camera takes its pictures of.
type shots interface {
	// interval between pictures.
	interval() time.Duration
	// shoot returns picture n, which is valid until the next call.
	shoot(n uint32, captured time.Time) (*yuv.Image, error)
	close()
}

// source returns what a camera shows: pictures to be coded, or a clip that is
// coded, and then shots that are never taken.
func source(o Options) (shots, *Clip, error) {
	if o.Replay == "" {
		s, err := newShots(o)
		return s, nil, err
	}
	clip, err := OpenClip(o.Replay, 0)
	return &drawn{}, clip, err
}

func newShots(o Options) (shots, error) {
	if o.File != "" {
		return openFile(o.File)
	}
	return newDrawn(o.Scene)
}

// drawn shows the scene.
type drawn struct {
	scene *scene.Scene
	im    *yuv.Image
	every time.Duration
	truth scene.Truth // of the last picture
}

func newDrawn(o scene.Options) (*drawn, error) {
	s, err := scene.New(o)
	if err != nil {
		return nil, err
	}
	im, err := yuv.New(o.Width, o.Height)
	if err != nil {
		return nil, err
	}
	fps := cmp.Or(o.FPS, scene.DefaultFPS)
	return &drawn{scene: s, im: im, every: time.Duration(float64(time.Second) / fps)}, nil
}

func (d *drawn) interval() time.Duration { return d.every }

func (d *drawn) shoot(n uint32, captured time.Time) (*yuv.Image, error) {
	var err error
	d.truth, err = d.scene.Draw(d.im, n, captured)
	return d.im, err
}

func (d *drawn) close() {}
