package decode

import (
	"cmp"
	"errors"
	"fmt"

	"github.com/asticode/go-astiav"

	"scrim/pipeline/internal/av"
	"scrim/redact/geom"
	"scrim/redact/rotate"
	"scrim/redact/yuv"
	"scrim/transport"
)

// Picture is one decoded picture.
type Picture struct {
	// ID is that of the access unit it was coded in. Pictures come in display order,
	// which differs from that of the units if there are B-frames.
	ID int64
	// Image comes from the pool; the receiver puts it back.
	Image *yuv.Image
	// Corrupt is set if the decoder knows that something is wrong. If it is not set,
	// the picture may still be damaged: FFmpeg conceals loss silently.
	Corrupt bool
}

// Options are a Decoder's settings.
type Options struct {
	// Codec is the codec to decode; empty means H.264.
	Codec transport.Codec
	// Rotate is by how much the pictures are turned.
	Rotate geom.Rotation
	// Pool provides the Images; nil: a pool of the decoder's own.
	Pool *yuv.Pool
	// Threads are slice threads, which add no delay; 0 means 1.
	Threads int
}

// decoders are FFmpeg's own decoders of what a camera may send.
var decoders = map[transport.Codec]string{transport.H264: "h264", transport.H265: "hevc", transport.MJPEG: "mjpeg"}

// errMissing means that slices are missing, ended early, or were all skipped.
var errMissing = errors.New("parts of the picture are missing")

// Decoder decodes the access units of one codec. It is not safe for concurrent use.
type Decoder struct {
	codec  transport.Codec
	turn   rotate.Orientation
	pool   *yuv.Pool
	cc     *astiav.CodecContext
	packet *av.Packet
	frame  *astiav.Frame
	half   *yuv.Image // what came as 4:2:2, before it is turned
	// blocks and buf are for H.265 only.
	blocks *av.Blocks
	buf    []byte
}

// New returns a Decoder, which the caller closes. It only opens FFmpeg's own decoder
// of the codec, whatever the input claims to be.
func New(o Options) (*Decoder, error) {
	astiav.SetLogLevel(astiav.LogLevelQuiet)
	o.Codec = cmp.Or(o.Codec, transport.H264)
	name, ok := decoders[o.Codec]
	if !ok {
		return nil, fmt.Errorf("unsupported codec %s: must be h264, h265 or mjpeg", o.Codec)
	}
	codec := astiav.FindDecoderByName(name)
	if codec == nil {
		return nil, fmt.Errorf("FFmpeg has no %s decoder; install a build with it", o.Codec)
	}
	d := &Decoder{codec: o.Codec, turn: rotate.By(o.Rotate), pool: o.Pool, cc: astiav.AllocCodecContext(codec), packet: av.NewPacket(), frame: astiav.AllocFrame()}
	if d.pool == nil {
		d.pool = new(yuv.Pool)
	}
	d.cc.SetThreadCount(max(o.Threads, 1))
	d.cc.SetThreadType(astiav.ThreadTypeSlice)
	d.cc.SetFlags(d.cc.Flags().Add(astiav.CodecContextFlagLowDelay))
	if o.Codec == transport.H265 {
		var err error
		if d.blocks, err = av.WatchBlocks(d.cc); err != nil {
			d.Close()
			return nil, err
		}
		d.cc.SetThreadCount(1)
	}
	options := [][2]string{{"max_pixels", fmt.Sprint(yuv.MaxWidth * yuv.MaxHeight)}}
	if o.Codec == transport.MJPEG {
		// Otherwise FFmpeg makes up the rest of a scan that ends early.
		options = append(options, [2]string{"err_detect", "explode"})
	}
	dict, err := av.Dictionary(options)
	if err != nil {
		d.Close()
		return nil, err
	}
	defer dict.Free()
	if err := d.cc.Open(codec, dict); err != nil {
		d.Close()
		return nil, fmt.Errorf("open %s decoder: %w", o.Codec, err)
	}
	return d, nil
}

// Decode decodes one access unit in the form of its codec and calls emit for every
// picture that comes out, none or more. After an error the decoder may continue
// with the next unit, but its pictures must not be trusted before a key frame.
func (d *Decoder) Decode(au []byte, id int64, emit func(Picture) error) error {
	slices := false
	if d.codec == transport.H265 {
		d.blocks.Begin()
		d.buf, slices = endSlices(d.buf[:0], au)
		au = d.buf
	}
	if err := d.packet.Set(au, id); err != nil {
		return err
	}
	if err := d.cc.SendPacket(d.packet.AV()); err != nil {
		return fmt.Errorf("%s: %w", d.codec, err)
	}
	if !slices || !d.blocks.Missing() {
		return d.receive(emit)
	}
	// It may be shown later, and others refer to it.
	if err := d.receive(func(p Picture) error { p.Corrupt = true; return emit(p) }); err != nil {
		return err
	}
	return fmt.Errorf("%s: %w", d.codec, errMissing)
}

// Reset makes an H.265 decoder forget all pictures, including those it holds back,
// and where decoding started, which determines the RASL pictures that it skips.
// It keeps the parameter sets. The next unit must be a key frame. For other codecs
// it does nothing: their key frames do not depend on earlier pictures.
func (d *Decoder) Reset() {
	if d.blocks != nil {
		d.blocks.Reset()
	}
}

// Flush emits the pictures that the decoder holds back. Nothing can be decoded
// afterwards.
func (d *Decoder) Flush(emit func(Picture) error) error {
	if err := d.cc.SendPacket(nil); err != nil && !errors.Is(err, astiav.ErrEof) {
		return fmt.Errorf("%s: flush: %w", d.codec, err)
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
			return fmt.Errorf("%s: %w", d.codec, err)
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

// picture copies the decoder's frame. MJPEG may have 4:2:2, which becomes 4:2:0.
func (d *Decoder) picture() (Picture, error) {
	half := d.frame.PixelFormat() == astiav.PixelFormatYuvj422P
	var planes yuv.Image
	var err error
	if half {
		planes, err = av.Planes422(d.frame)
	} else {
		planes, err = av.Planes(d.frame)
	}
	if err != nil {
		return Picture{}, err
	}
	im, err := d.pool.Get(d.turn.Size(planes.Width, planes.Height))
	if err != nil {
		return Picture{}, err
	}
	switch {
	case half:
		err = d.halve(im, &planes)
	case d.turn == (rotate.Orientation{}):
		err = im.CopyFrom(&planes)
	default:
		err = d.turn.Image(im, &planes)
	}
	if err != nil {
		d.pool.Put(im)
		return Picture{}, err
	}
	return Picture{ID: d.frame.Pts(), Image: im, Corrupt: av.Damaged(d.frame)}, nil
}

// halve writes a picture of 4:2:2 to im.
func (d *Decoder) halve(im, planes *yuv.Image) error {
	if d.turn == (rotate.Orientation{}) {
		halve(im, planes)
		return nil
	}
	if d.half == nil || d.half.Width != planes.Width || d.half.Height != planes.Height {
		var err error
		if d.half, err = yuv.New(planes.Width, planes.Height); err != nil {
			return err
		}
	}
	halve(d.half, planes)
	return d.turn.Image(im, d.half)
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
	if d.blocks != nil {
		d.blocks.Free()
		d.blocks = nil
	}
}
