package files

import (
	"cmp"
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

// containers are the supported outputs of videos, by extension.
var containers = map[string]string{".mp4": encode.MP4, ".m4v": encode.MP4, ".mov": encode.QuickTime, ".mkv": encode.Matroska}

// job is one video being redacted.
type job struct {
	r    *Redactor
	name string
	path string // of the input
	in   *decode.File
	out  *encode.File
	pool yuv.Pool
	tick float64 // seconds
	all  tally
	// earlyAudio are audio packets that come before the output is open.
	earlyAudio []audioPacket
}

type audioPacket struct {
	track int
	p     *astiav.Packet
}

// video redacts the video f.In into the existing file f.Temp.
func (r *Redactor) video(ctx context.Context, f ipc.File) (ipc.FileEnd, error) {
	container, ok := containers[strings.ToLower(filepath.Ext(f.Out))]
	if !ok {
		return ipc.FileEnd{}, fmt.Errorf("unsupported video extension %q: must be .mp4, .m4v, .mov or .mkv", filepath.Ext(f.Out))
	}
	j := &job{r: r, name: f.Name, path: f.In}
	defer j.close()
	var err error
	j.in, err = decode.OpenFile(f.In, decode.FileOptions{Rotate: r.o.Rotate, Pool: &j.pool, Audio: j.audio()})
	if err != nil {
		return ipc.FileEnd{}, err
	}
	i := j.in.Info()
	r.begin(i.Oriented)
	o := encode.FileOptions{
		Container: container, Width: i.Width, Height: i.Height, TimeBase: i.TimeBase, Rate: i.Rate,
		Aspect: i.Aspect, Colour: i.Colour, FullRange: i.FullRange,
	}
	j.tick = float64(i.TimeBase.Num()) / float64(i.TimeBase.Den())
	end := &j.all.end
	if end.Dropped = len(i.Audio); r.o.KeepAudio {
		for _, a := range i.Audio {
			o.Audio = append(o.Audio, encode.AudioTrack{Parameters: a.Parameters, TimeBase: a.TimeBase})
		}
		end.Audio, end.Dropped = len(i.Audio), 0
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
	stop := r.heartbeat(i.Frames)
	defer stop()
	return *end, j.out.Finish()
}

// audio returns the handler of audio packets, nil if they are dropped.
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
		j.earlyAudio = append(j.earlyAudio, audioPacket{track, c})
		return nil
	}
}

// copyEarly writes the audio packets that came before the output was open.
func (j *job) copyEarly() error {
	for _, a := range j.earlyAudio {
		if err := j.out.CopyAudio(a.track, a.p); err != nil {
			return err
		}
	}
	return nil
}

func (j *job) close() {
	for _, a := range j.earlyAudio {
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
	p, err := newVideoRedaction(j.r.surveyed(ctx, j.path), j.write)
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
			j.noteEnding(j.in.Ending())
			return err
		}
		if err != nil {
			return err
		}
		if err := p.add(pic.Image, pic.PTS, pic.Duration, fileTime(pic.PTS, j.tick), pic.Key, pic.Damage); err != nil {
			return err
		}
	}
}

// fileTime returns the time of a picture from the start of its file; tick is in seconds.
func fileTime(pts int64, tick float64) time.Duration {
	return time.Duration(math.Min(float64(pts)*tick*float64(time.Second), math.MaxInt64/2))
}

// noteEnding notes what was missing from the input.
func (j *job) noteEnding(e decode.FileEnding) {
	end := &j.all.end
	if e.Err != nil {
		end.Incomplete = e.Err.Error()
	}
	end.Reason = cmp.Or(end.Reason, e.Damage)
	end.Warning = strings.Join(e.Warnings, "; ")
}

// write encodes a frame and records it.
func (j *job) write(s *picture, f redact.Frame, t treatment) error {
	defer j.pool.Put(s.Image)
	if err := j.out.Encode(f, s.pts, s.duration); err != nil {
		return err
	}
	return j.r.note(&j.all, record(j.name, j.all.end.Frames, math.Round(float64(s.pts)*j.tick*1e6)/1e6, f, t), t)
}

// note counts a picture and passes on its record.
func (r *Redactor) note(all *tally, rec ipc.FileFrame, t treatment) error {
	all.add(rec.PTS, t)
	if r.o.Record == nil {
		return nil
	}
	return r.o.Record(rec)
}
