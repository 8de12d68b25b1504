package files

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"strings"
	"time"

	"github.com/asticode/go-astiav"

	"scrim/pipeline/decode"
	"scrim/pipeline/encode"
	"scrim/pipeline/ipc"
	"scrim/redact"
	"scrim/redact/yuv"
)

// containers are the outputs that a video can have, by extension.
var containers = map[string]string{".mp4": encode.MP4, ".m4v": encode.MP4, ".mov": encode.QuickTime, ".mkv": encode.Matroska}

// job is one video being redacted.
type job struct {
	r    *Redactor
	name string
	in   *decode.File
	out  *encode.File
	pool yuv.Pool
	tick float64 // seconds
	end  ipc.FileEnd
	// early are audio packets that come before the output is open.
	early []earlyAudio
}

type earlyAudio struct {
	track int
	p     *astiav.Packet
}

// video redacts f.In into f.Temp, which is there.
func (r *Redactor) video(ctx context.Context, f ipc.File) (ipc.FileEnd, error) {
	container, ok := containers[strings.ToLower(filepath.Ext(f.Out))]
	if !ok {
		return ipc.FileEnd{}, fmt.Errorf("video cannot be written as %q; name the output .mp4, .mov or .mkv", filepath.Ext(f.Out))
	}
	j := &job{r: r, name: f.Name}
	defer j.close()
	var err error
	j.in, err = decode.OpenFile(f.In, decode.FileOptions{Pool: &j.pool, Audio: j.audio()})
	if err != nil {
		return ipc.FileEnd{}, err
	}
	i := j.in.Info()
	o := encode.FileOptions{
		Container: container, Width: i.Width, Height: i.Height, TimeBase: i.TimeBase, Rate: i.Rate,
		Aspect: i.Aspect, Colour: i.Colour, FullRange: i.FullRange,
	}
	j.tick = float64(i.TimeBase.Num()) / float64(i.TimeBase.Den())
	if j.end.Dropped = len(i.Audio); r.o.KeepAudio {
		for _, a := range i.Audio {
			o.Audio = append(o.Audio, encode.AudioTrack{Parameters: a.Parameters, TimeBase: a.TimeBase})
		}
		j.end.Audio, j.end.Dropped = len(i.Audio), 0
	}
	if j.out, err = encode.NewFile(f.Temp, o); err != nil {
		return ipc.FileEnd{}, err
	}
	if err := j.copyEarly(); err != nil {
		return ipc.FileEnd{}, err
	}
	if r.o.Begin != nil {
		if err := r.o.Begin(i.Frames); err != nil {
			return ipc.FileEnd{}, err
		}
	}
	if err := j.run(ctx); err != nil {
		return ipc.FileEnd{}, err
	}
	stop := r.beat(i.Frames)
	defer stop()
	return j.end, j.out.Finish()
}

// audio returns what becomes of audio packets; nil when they are dropped.
func (j *job) audio() func(int, *astiav.Packet) error {
	if !j.r.o.KeepAudio {
		return nil
	}
	return func(track int, p *astiav.Packet) error {
		if j.out != nil {
			return j.out.CopyAudio(track, p)
		}
		c := p.Clone()
		if c == nil {
			return errors.New("out of memory for an audio packet")
		}
		j.early = append(j.early, earlyAudio{track, c})
		return nil
	}
}

// copyEarly writes the audio packets that came before the output was open.
func (j *job) copyEarly() error {
	for _, a := range j.early {
		if err := j.out.CopyAudio(a.track, a.p); err != nil {
			return err
		}
	}
	return nil
}

func (j *job) close() {
	for _, a := range j.early {
		a.p.Free()
	}
	if j.out != nil {
		j.out.Close()
	}
	if j.in != nil {
		j.in.Close()
	}
}

func (j *job) run(ctx context.Context) error {
	p, err := newVideo(j.r.o, j.write)
	if err != nil {
		return err
	}
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		pic, err := j.in.Next()
		if errors.Is(err, io.EOF) {
			err := p.flush()
			j.conclude(j.in.Ending())
			return err
		}
		if err != nil {
			return err
		}
		at := time.Duration(math.Min(float64(pic.PTS)*j.tick*float64(time.Second), math.MaxInt64/2))
		if err := p.take(pic.Image, pic.PTS, pic.Duration, at, pic.Key, pic.Damage); err != nil {
			return err
		}
	}
}

// conclude notes what the input lacks.
func (j *job) conclude(e decode.FileEnding) {
	if e.Err != nil {
		j.end.Incomplete = e.Err.Error()
	}
	if j.end.Reason == "" {
		j.end.Reason = e.Damage
	}
	j.end.Warning = strings.Join(e.Warnings, "; ")
}

// write codes a frame and records it.
func (j *job) write(s *shot, f redact.Frame, reason string) error {
	defer j.pool.Put(s.Image)
	if err := j.out.Encode(f, s.pts, s.duration); err != nil {
		return err
	}
	return j.r.note(&j.end, record(j.name, j.end.Frames, math.Round(float64(s.pts)*j.tick*1e6)/1e6, f), reason)
}

// note counts a picture and passes on its record.
func (r *Redactor) note(end *ipc.FileEnd, rec ipc.FileFrame, reason string) error {
	end.Frames++
	if reason != "" {
		if end.Failsafe++; end.Reason == "" {
			end.Reason = reason
		}
	}
	if r.o.Record == nil {
		return nil
	}
	return r.o.Record(rec)
}
