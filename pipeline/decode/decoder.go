package decode

import (
	"errors"
	"fmt"

	"github.com/asticode/go-astiav"

	"scrim/pipeline/internal/av"
	"scrim/redact/yuv"
)

// Picture is one decoded picture.
type Picture struct {
	// ID is that of the access unit it was coded in. Pictures come in the order
	// of display, which with B-frames is not that of the units.
	ID int64
	// Image comes from the pool and is the receiver's to put back.
	Image *yuv.Image
	// Corrupt is set when the decoder knows that something is wrong. That it is
	// not set proves nothing: FFmpeg conceals loss silently.
	Corrupt bool
}

// Options are a Decoder's settings.
type Options struct {
	// Pool gives the Images; nil: a pool of the decoder's own.
	Pool *yuv.Pool
	// Threads are slice threads, which add no delay; 0 means 1.
	Threads int
}

// Decoder decodes H.264. It is not safe for concurrent use.
type Decoder struct {
	pool   *yuv.Pool
	cc     *astiav.CodecContext
	packet *av.Packet
	frame  *astiav.Frame
}

// New returns a Decoder, which the caller closes. It opens FFmpeg's own H.264
// decoder and no other, whatever the bytes say they are.
func New(o Options) (*Decoder, error) {
	astiav.SetLogLevel(astiav.LogLevelQuiet)
	codec := astiav.FindDecoderByName("h264")
	if codec == nil {
		return nil, errors.New("FFmpeg has no H.264 decoder; install a build with it")
	}
	d := &Decoder{pool: o.Pool, cc: astiav.AllocCodecContext(codec), packet: av.NewPacket(), frame: astiav.AllocFrame()}
	if d.pool == nil {
		d.pool = new(yuv.Pool)
	}
	d.cc.SetThreadCount(max(o.Threads, 1))
	d.cc.SetThreadType(astiav.ThreadTypeSlice)
	d.cc.SetFlags(d.cc.Flags().Add(astiav.CodecContextFlagLowDelay))
	dict := astiav.NewDictionary()
	defer dict.Free()
	if err := dict.Set("max_pixels", fmt.Sprint(yuv.MaxWidth*yuv.MaxHeight), 0); err != nil {
		d.Close()
		return nil, fmt.Errorf("decoder option max_pixels: %w", err)
	}
	if err := d.cc.Open(codec, dict); err != nil {
		d.Close()
		return nil, fmt.Errorf("open H.264 decoder: %w", err)
	}
	return d, nil
}

// Decode decodes one access unit in Annex B form and calls emit for every
// picture that comes out, none or more. After an error the decoder may go on
// with the next unit, but its pictures are not to be trusted before an IDR.
func (d *Decoder) Decode(au []byte, id int64, emit func(Picture) error) error {
	if err := d.packet.Set(au, id); err != nil {
		return err
	}
	if err := d.cc.SendPacket(d.packet.AV()); err != nil {
		return fmt.Errorf("H.264: %w", err)
	}
	return d.receive(emit)
}

// Flush fetches the pictures that the decoder holds back. Nothing can be
// decoded afterwards.
func (d *Decoder) Flush(emit func(Picture) error) error {
	if err := d.cc.SendPacket(nil); err != nil && !errors.Is(err, astiav.ErrEof) {
		return fmt.Errorf("H.264: flush: %w", err)
	}
	return d.receive(emit)
}

func (d *Decoder) receive(emit func(Picture) error) error {
	for {
		err := d.cc.ReceiveFrame(d.frame)
		switch {
		case errors.Is(err, astiav.ErrEagain), errors.Is(err, astiav.ErrEof):
			return nil
		case err != nil:
			return fmt.Errorf("H.264: %w", err)
		}
		pic, err := d.picture()
		d.frame.Unref()
		if err != nil {
			return err
		}
		if err := emit(pic); err != nil {
			return err
		}
	}
}

// picture copies the decoder's frame.
func (d *Decoder) picture() (Picture, error) {
	planes, err := av.Planes(d.frame)
	if err != nil {
		return Picture{}, err
	}
	im, err := d.pool.Get(planes.Width, planes.Height)
	if err != nil {
		return Picture{}, err
	}
	if err := im.CopyFrom(&planes); err != nil {
		return Picture{}, err
	}
	return Picture{ID: d.frame.Pts(), Image: im, Corrupt: av.Damaged(d.frame)}, nil
}

// Close frees the decoder; a second call does nothing.
func (d *Decoder) Close() {
	if d.frame != nil {
		d.frame.Free()
		d.frame = nil
	}
	d.packet.Close()
	if d.cc != nil {
		d.cc.Free()
		d.cc = nil
	}
}
