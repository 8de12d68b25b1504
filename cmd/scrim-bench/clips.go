package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"time"

	"scrim/cmd/internal/bench"
	"scrim/pipeline/measure"
	"scrim/pipeline/scene"
	"scrim/pipeline/simcam"
	"scrim/redact/geom"
	"scrim/transport"
	"scrim/transport/rtsp"
)

// videoName is the name of the clip of a file or camera, in dir.
const videoName = "clip.mp4"

// clips returns the videos of the cameras: drawn scenes, a file, or a recording of a
// camera. They are drawn and encoded here, before anything is measured.
func (m *measurement) clips(ctx context.Context) ([]*bench.Clip, error) {
	switch {
	case m.cli.live():
		c, err := m.capture(ctx)
		return []*bench.Clip{c}, err
	case m.cli.Source != "":
		c, err := m.file(ctx)
		return []*bench.Clip{c}, err
	}
	dir := m.dir
	if m.cli.Clips != "" {
		dir = m.cli.Clips
		if err := os.MkdirAll(dir, 0o750); err != nil {
			return nil, fmt.Errorf("--clips: %w", err)
		}
	}
	var out []*bench.Clip
	for _, o := range m.cli.scenes() {
		c, err := m.draw(ctx, dir, &o)
		if err != nil {
			return nil, err
		}
		c.Name = fmt.Sprintf("%d people, seed %d", o.People, o.Seed)
		m.source = append(m.source, bench.SourceClip{
			Name: c.Name, Width: c.Width, Height: c.Height, FPS: c.FPS(), Frames: len(c.PTS), Bitrate: bitrate(c),
			People: o.People, MinFace: o.MinFace, MaxFace: o.MaxFace, Seed: o.Seed, Drawing: scene.Version, Truth: true,
		})
		out = append(out, c)
	}
	return out, nil
}

// draw draws a scene into a clip, unless the clip exists. It fills in o.
func (m *measurement) draw(ctx context.Context, dir string, o *scene.Options) (*bench.Clip, error) {
	s, err := scene.New(*o)
	if err != nil {
		return nil, err
	}
	*o = s.Options()
	frames := max(int(math.Round(m.cli.clipTime().Seconds()*o.FPS)), 2*bench.WarmUp)
	path := filepath.Join(dir, fmt.Sprintf("drawing-%d-%dx%d-%gfps-%d-people-away-%v-%d-to-%d-seed-%d%s-%d-frames.mp4",
		scene.Version, o.Width, o.Height, o.FPS, o.People, o.Away, o.MinFace, o.MaxFace, o.Seed, m.cli.conditions(), frames))
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		m.logf("drawing %d pictures of %d people, %d×%d", frames, o.People, o.Width, o.Height)
		record := simcam.RecordOptions{Path: path, Scene: *o, Frames: frames, AsCamera: true}
		if err := simcam.Record(ctx, record, func(simcam.Recorded) error { return nil }); err != nil {
			return nil, err
		}
	}
	c, err := open(path)
	if err != nil {
		return nil, err
	}
	if len(c.PTS) != frames {
		return nil, fmt.Errorf("%s has %d pictures instead of %d; delete it", path, len(c.PTS), frames)
	}
	for n := range frames {
		c.Truth = append(c.Truth, truthOf(s.Truth(uint32(n)), c)) //nolint:gosec // bounded by the recording
	}
	return c, nil
}

// truthOf converts the truth of a drawn picture for package measure.
func truthOf(t scene.Truth, c *bench.Clip) measure.TruthFrame {
	f := measure.TruthFrame{
		Frame: int(t.Frame), Width: c.Width, Height: c.Height, Clear: &t.Clear,
		Faces: make([]measure.TrueFace, 0, len(t.Faces)), Bodies: map[int]geom.Box{},
	}
	for _, b := range t.Bodies {
		f.Bodies[b.Person] = b.Trunk
	}
	for _, v := range t.Faces {
		f.Faces = append(f.Faces, measure.TrueFace{
			Person: v.Person, Box: geom.Box{X: v.Box.X, Y: v.Box.Y, W: v.Box.W, H: v.Box.H}, Visible: v.Visible, Yaw: v.Yaw, Roll: v.Roll,
		})
	}
	return f
}

// file returns the clip of a file. It is encoded again only if its coding cannot be sent.
func (m *measurement) file(ctx context.Context) (*bench.Clip, error) {
	path, err := filepath.Abs(m.cli.Source)
	if err != nil {
		return nil, err
	}
	most := m.cli.clipTime()
	coded := filepath.Join(m.dir, videoName)
	err = cut(path, coded, most)
	if errors.Is(err, simcam.ErrCoding) {
		m.logf("%v; encoding it again", err)
		// The rate is not known yet; surplus pictures are not read.
		frames := int(most.Seconds() * 30)
		record := simcam.RecordOptions{Path: coded, File: path, Frames: frames, AsCamera: true}
		if err := simcam.Record(ctx, record, func(simcam.Recorded) error { return nil }); err != nil {
			return nil, err
		}
		err = nil
	}
	if err != nil {
		return nil, err
	}
	c, err := open(coded)
	if err != nil {
		return nil, err
	}
	c.Name = filepath.Base(path)
	if m.cli.Truth != "" {
		if err := readTruth(c, m.cli.Truth); err != nil {
			return nil, fmt.Errorf("--truth %s: %w", m.cli.Truth, err)
		}
	}
	m.source = []bench.SourceClip{{
		Name: c.Name, Width: c.Width, Height: c.Height, FPS: c.FPS(), Frames: len(c.PTS), Bitrate: bitrate(c), Truth: c.Truth != nil,
	}}
	return c, nil
}

// cut copies the first coded pictures of a video, so that all programs get the same.
func cut(from, to string, most time.Duration) error {
	v, err := simcam.OpenClip(from, most)
	if err != nil {
		return err
	}
	if v.Codec != transport.H264 {
		return fmt.Errorf("%w: %s is not measured", simcam.ErrCoding, v.Codec)
	}
	return simcam.SaveClip(to, v.Units)
}

func readTruth(c *bench.Clip, path string) error {
	f, err := os.Open(path) //nolint:gosec // named by the user
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	truths, err := measure.ReadTruth(f, path)
	if err != nil {
		return err
	}
	if len(truths) != 1 || truths[0].Still {
		return errors.New("must be the truth of one video")
	}
	return c.SetTruth(truths[0])
}

// capture records a camera, for the measurements over a clip.
func (m *measurement) capture(ctx context.Context) (*bench.Clip, error) {
	m.logf("recording the camera for %v", m.cli.clipTime())
	client, err := rtsp.NewClient(rtsp.Config{Camera: "bench", URL: m.cli.Source, Log: m.log})
	if err != nil {
		return nil, err
	}
	ctx2, cancel := context.WithCancel(ctx)
	defer cancel()
	var units []simcam.ClipUnit
	var codec transport.Codec
	size := 0
	err = client.Run(ctx2, func(u transport.CameraUnit) {
		if ctx2.Err() != nil {
			return
		}
		codec = u.Codec
		units = append(units, simcam.ClipUnit{Data: u.Data, PTS: u.PTS, DTS: u.PTS})
		size += len(u.Data)
		first := units[0].PTS
		if time.Duration(u.PTS-first)*time.Second/transport.ClockRate >= m.cli.clipTime() || size > simcam.MaxClipBytes/2 {
			cancel()
		}
	})
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if ctx2.Err() == nil {
		return nil, err
	}
	if codec != transport.H264 {
		return nil, fmt.Errorf("unsupported codec %s: only H.264 is measured; record the camera with another program and use the file", codec)
	}
	path := filepath.Join(m.dir, videoName)
	if err := simcam.SaveClip(path, units); err != nil {
		return nil, err
	}
	c, err := open(path)
	if err != nil {
		return nil, err
	}
	c.Name = "camera"
	m.source = []bench.SourceClip{{Name: c.Name, Width: c.Width, Height: c.Height, FPS: c.FPS(), Frames: len(c.PTS), Bitrate: bitrate(c)}}
	return c, nil
}

// open reads the times of a clip's pictures.
func open(path string) (*bench.Clip, error) {
	v, err := simcam.OpenClip(path, 0)
	if err != nil {
		return nil, err
	}
	c := &bench.Clip{Path: path, Width: v.Width, Height: v.Height, Length: v.Length}
	for i := range v.Units {
		c.PTS = append(c.PTS, v.Units[i].PTS)
	}
	slices.Sort(c.PTS)
	step := v.Length / int64(len(v.Units))
	c.Delayed = int((v.Delay + v.Shift + step - 1) / step)
	return c, nil
}

// units reads the coded pictures of a clip.
func units(c *bench.Clip) ([]bench.Unit, error) {
	v, err := simcam.OpenClip(c.Path, 0)
	if err != nil {
		return nil, err
	}
	out := make([]bench.Unit, 0, len(c.PTS))
	for i := range v.Units[:min(len(v.Units), len(c.PTS))] {
		out = append(out, bench.Unit{Data: v.Units[i].Data, PTS: v.Units[i].PTS})
	}
	return out, nil
}

// bitrate returns the clip's bit rate in bit/s.
func bitrate(c *bench.Clip) float64 {
	u, err := units(c)
	if err != nil {
		return 0
	}
	bytes := 0
	for i := range u {
		bytes += len(u[i].Data)
	}
	return 8 * float64(bytes) * transport.ClockRate / float64(c.Length)
}
