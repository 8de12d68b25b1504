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

// file shows a video file in a loop.
type file struct {
	path   string
	format *astiav.FormatContext
	stream *astiav.Stream
	cc     *astiav.CodecContext
	packet *astiav.Packet
	frame  *astiav.Frame
	scaled *astiav.Frame
	scaler *astiav.SoftwareScaleContext
	im     *yuv.Image
	every  time.Duration
	shown  int // pictures since the start of the file
	ended  bool
}

func openFile(path string) (*file, error) {
	astiav.SetLogLevel(astiav.LogLevelQuiet)
	f := &file{path: path}
	if err := f.open(); err != nil {
		f.close()
		return nil, err
	}
	return f, nil
}

// open opens the file at its start.
func (f *file) open() error {
	f.packet, f.frame = astiav.AllocPacket(), astiav.AllocFrame()
	in := astiav.AllocFormatContext()
	if in == nil || f.packet == nil || f.frame == nil {
		return fmt.Errorf("video %s: out of memory", f.path)
	}
	if err := in.OpenInput("file:"+f.path, nil, nil); err != nil { // frees in when it fails
		return fmt.Errorf("video %s: %w", f.path, err)
	}
	f.format = in
	if err := in.FindStreamInfo(nil); err != nil {
		return fmt.Errorf("video %s: %w", f.path, err)
	}
	for _, s := range in.Streams() {
		if s.CodecParameters().MediaType() == astiav.MediaTypeVideo {
			f.stream = s
			break
		}
	}
	if f.stream == nil {
		return fmt.Errorf("video %s: it has no video track", f.path)
	}
	codec := astiav.FindDecoder(f.stream.CodecParameters().CodecID())
	if codec == nil {
		return fmt.Errorf("video %s: FFmpeg has no decoder for %s", f.path, f.stream.CodecParameters().CodecID())
	}
	f.cc = astiav.AllocCodecContext(codec)
	if err := f.stream.CodecParameters().ToCodecContext(f.cc); err != nil {
		return fmt.Errorf("video %s: %w", f.path, err)
	}
	if err := f.cc.Open(codec, nil); err != nil {
		return fmt.Errorf("video %s: %w", f.path, err)
	}
	rate := f.stream.AvgFrameRate()
	fps := float64(fallbackRate)
	if rate.Num() > 0 && rate.Den() > 0 {
		fps = min(float64(rate.Num())/float64(rate.Den()), maxRate)
	}
	f.every, f.shown, f.ended = time.Duration(float64(time.Second)/fps), 0, false
	return nil
}

func (f *file) interval() time.Duration { return f.every }

// shoot returns the next picture of the file.
func (f *file) shoot(uint32, time.Time) (*yuv.Image, error) {
	for {
		err := f.cc.ReceiveFrame(f.frame)
		switch {
		case err == nil:
			im, err := f.take()
			f.frame.Unref()
			if err != nil {
				return nil, fmt.Errorf("video %s: %w", f.path, err)
			}
			f.shown++
			return im, nil
		case errors.Is(err, astiav.ErrEof):
			if f.shown == 0 {
				return nil, fmt.Errorf("video %s: it holds no picture", f.path)
			}
			f.release()
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
		err := f.format.ReadFrame(f.packet)
		if errors.Is(err, astiav.ErrEof) {
			f.ended = true
			return f.cc.SendPacket(nil)
		}
		if err != nil {
			return fmt.Errorf("video %s: %w", f.path, err)
		}
		if f.packet.StreamIndex() != f.stream.Index() {
			f.packet.Unref()
			continue
		}
		err = f.cc.SendPacket(f.packet)
		f.packet.Unref()
		if err != nil && !errors.Is(err, astiav.ErrInvaliddata) { // a file may have a damaged picture
			return fmt.Errorf("video %s: decode: %w", f.path, err)
		}
		return nil
	}
}

// take copies the decoder's picture, converted to 4:2:0 and even sides.
func (f *file) take() (*yuv.Image, error) {
	src := f.frame
	w, h := src.Width()&^1, src.Height()&^1
	if w < 2 || h < 2 || w > yuv.MaxWidth || h > yuv.MaxHeight {
		return nil, fmt.Errorf("picture of %d×%d pixels is not within 2×2 … %d×%d", src.Width(), src.Height(), yuv.MaxWidth, yuv.MaxHeight)
	}
	pf := src.PixelFormat()
	if w != src.Width() || h != src.Height() || pf != astiav.PixelFormatYuv420P && pf != astiav.PixelFormatYuvj420P {
		if err := f.convert(w, h); err != nil {
			return nil, err
		}
		src = f.scaled
	}
	planes, err := av.Planes(src)
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

func (f *file) convert(w, h int) error {
	if f.scaled == nil || f.scaled.Width() != w || f.scaled.Height() != h {
		f.freeScaler()
		var err error
		f.scaler, err = astiav.CreateSoftwareScaleContext(f.frame.Width(), f.frame.Height(), f.frame.PixelFormat(),
			w, h, astiav.PixelFormatYuv420P, astiav.NewSoftwareScaleContextFlags(astiav.SoftwareScaleContextFlagBilinear))
		if err != nil {
			return fmt.Errorf("scaler: %w", err)
		}
		f.scaled = astiav.AllocFrame()
		f.scaled.SetWidth(w)
		f.scaled.SetHeight(h)
		f.scaled.SetPixelFormat(astiav.PixelFormatYuv420P)
		if err := f.scaled.AllocBuffer(0); err != nil {
			return fmt.Errorf("scaler: %w", err)
		}
	}
	return f.scaler.ScaleFrame(f.frame, f.scaled)
}

func (f *file) freeScaler() {
	if f.scaled != nil {
		f.scaled.Free()
		f.scaled = nil
	}
	if f.scaler != nil {
		f.scaler.Free()
		f.scaler = nil
	}
}

// release frees all but the picture.
func (f *file) release() {
	f.freeScaler()
	if f.cc != nil {
		f.cc.Free()
		f.cc = nil
	}
	if f.format != nil {
		f.format.CloseInput()
		f.format = nil
	}
	if f.frame != nil {
		f.frame.Free()
		f.frame = nil
	}
	if f.packet != nil {
		f.packet.Free()
		f.packet = nil
	}
	f.stream = nil
}

func (f *file) close() { f.release() }
