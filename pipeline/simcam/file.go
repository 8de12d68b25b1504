package simcam

import (
	"errors"
	"fmt"
	"time"

	"github.com/asticode/go-astiav"

	"scrim/pipeline/internal/av"
	"scrim/redact/yuv"
)

const (
	// fallbackRate is used for files that do not say their rate, in pictures a
	// second; maxRate bounds what they say.
	fallbackRate = 25
	maxRate      = 240
)

// file plays a video file in a loop.
type file struct {
	path   string
	in     *av.Input
	scaler av.Scaler
	im     *yuv.Image
	every  time.Duration
	shown  int // pictures since the start of the file
	ended  bool
}

func openFile(path string) (*file, error) {
	f := &file{path: path}
	if err := f.open(); err != nil {
		return nil, err
	}
	return f, nil
}

// open opens the file at its start.
func (f *file) open() error {
	in, err := av.OpenInput(f.path, av.InputOptions{Choose: firstVideo})
	if err != nil {
		return fmt.Errorf("video %s: %w", f.path, err)
	}
	rate := in.Stream.AvgFrameRate()
	fps := float64(fallbackRate)
	if rate.Num() > 0 && rate.Den() > 0 {
		fps = min(float64(rate.Num())/float64(rate.Den()), maxRate)
	}
	f.in, f.every, f.shown, f.ended = in, time.Duration(float64(time.Second)/fps), 0, false
	return nil
}

func firstVideo(streams []*astiav.Stream) *astiav.Stream {
	for _, s := range streams {
		if s.CodecParameters().MediaType() == astiav.MediaTypeVideo {
			return s
		}
	}
	return nil
}

func (f *file) interval() time.Duration { return f.every }

// shoot returns the next picture of the file.
func (f *file) shoot(uint32, time.Time) (*yuv.Image, error) {
	for {
		err := f.in.Decoder.ReceiveFrame(f.in.Frame)
		switch {
		case err == nil:
			im, err := f.copyPicture()
			f.in.Frame.Unref()
			if err != nil {
				return nil, fmt.Errorf("video %s: %w", f.path, err)
			}
			f.shown++
			return im, nil
		case errors.Is(err, astiav.ErrEof):
			if f.shown == 0 {
				return nil, fmt.Errorf("video %s: it holds no picture", f.path)
			}
			f.close()
			if err := f.open(); err != nil {
				return nil, err
			}
		case errors.Is(err, astiav.ErrEagain):
			if err := f.feed(); err != nil {
				return nil, err
			}
		default:
			return nil, fmt.Errorf("video %s: decode: %w", f.path, err)
		}
	}
}

// feed hands the next packet of the video to the decoder; at the end of the
// file it asks for the pictures that are left.
func (f *file) feed() error {
	if f.ended {
		return fmt.Errorf("video %s: decoder does not end", f.path)
	}
	for {
		err := f.in.Format.ReadFrame(f.in.Packet)
		if errors.Is(err, astiav.ErrEof) {
			f.ended = true
			return f.in.Decoder.SendPacket(nil)
		}
		if err != nil {
			return fmt.Errorf("video %s: %w", f.path, err)
		}
		if f.in.Packet.StreamIndex() != f.in.Stream.Index() {
			f.in.Packet.Unref()
			continue
		}
		err = f.in.Decoder.SendPacket(f.in.Packet)
		f.in.Packet.Unref()
		if err != nil && !errors.Is(err, astiav.ErrInvaliddata) { // a file may have a damaged picture
			return fmt.Errorf("video %s: decode: %w", f.path, err)
		}
		return nil
	}
}

// copyPicture copies the decoder's picture, converted to 4:2:0 and even sides.
func (f *file) copyPicture() (*yuv.Image, error) {
	src := f.in.Frame
	w, h := src.Width()&^1, src.Height()&^1
	if w < 2 || h < 2 || w > yuv.MaxWidth || h > yuv.MaxHeight {
		return nil, fmt.Errorf("picture of %d×%d pixels is not within 2×2 … %d×%d", src.Width(), src.Height(), yuv.MaxWidth, yuv.MaxHeight)
	}
	planes, err := f.scaler.Planes(src, w, h)
	if err != nil {
		return nil, err
	}
	if f.im == nil || f.im.Width != w || f.im.Height != h {
		if f.im, err = yuv.New(w, h); err != nil {
			return nil, err
		}
	}
	return f.im, f.im.CopyFrom(&planes)
}

func (f *file) close() {
	f.scaler.Close()
	f.in.Close()
}
