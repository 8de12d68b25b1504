package x264

import (
	"errors"
	"fmt"

	"github.com/asticode/go-astiav"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"

	"scrim/pipeline/internal/av"
	"scrim/redact/yuv"
)

const (
	// streamPreset and streamQuality are used for files: the loss is not visible, and
	// time matters less than live.
	streamPreset  = "medium"
	streamQuality = 18
	// streamThreads is fixed: what x264 writes depends on it, and the same
	// input must give the same bytes on every machine.
	streamThreads = 4
)

// StreamOptions are a Stream's settings.
type StreamOptions struct {
	// Width and Height in pixels; both even.
	Width, Height int
	// TimeBase is the unit of timestamps in seconds.
	TimeBase astiav.Rational
	// Rate is about how many pictures come a second.
	Rate astiav.Rational
	// Aspect is the shape of a sample, width over height; 0 is unknown.
	Aspect astiav.Rational
	// Colour says what the samples mean, FullRange that they go from 0 to 255.
	Colour    av.Colour
	FullRange bool
}

// StreamPacket is one coded picture of a Stream, in the order of decoding.
type StreamPacket struct {
	// Data is in Annex B form and the receiver's: slices, nothing else.
	Data []byte
	// PTS and DTS are in ticks of the time base.
	PTS, DTS int64
	// Key is set for an IDR.
	Key bool
}

// Stream codes a file: in high quality, with B-frames, and with a delay. It is
// not safe for concurrent use.
type Stream struct {
	o      StreamOptions
	cc     *astiav.CodecContext
	frame  *astiav.Frame
	packet *astiav.Packet
}

// NewStream returns a Stream, which the caller closes.
func NewStream(o StreamOptions) (*Stream, error) {
	if err := yuv.CheckSize(o.Width, o.Height); err != nil || o.Width%2 != 0 || o.Height%2 != 0 {
		return nil, fmt.Errorf("%w: size %d×%d is not even or not within 2×2 … %d×%d", ErrOptions, o.Width, o.Height, yuv.MaxSide, yuv.MaxSide)
	}
	if o.TimeBase.Num() < 1 || o.TimeBase.Den() < 1 {
		return nil, fmt.Errorf("%w: time base %d/%d", ErrOptions, o.TimeBase.Num(), o.TimeBase.Den())
	}
	if o.Rate.Num() < 1 || o.Rate.Den() < 1 {
		o.Rate = astiav.NewRational(nominalRate, 1)
	}
	s := &Stream{o: o}
	if err := s.open(); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

func (s *Stream) open() error {
	astiav.SetLogLevel(astiav.LogLevelQuiet)
	codec := astiav.FindEncoderByName("libx264")
	if codec == nil {
		return errors.New("FFmpeg has no libx264; install a build with it (Debian: libavcodec-extra or libavcodec59)")
	}
	s.cc, s.frame, s.packet = astiav.AllocCodecContext(codec), astiav.AllocFrame(), astiav.AllocPacket()
	if s.cc == nil || s.frame == nil || s.packet == nil {
		return errors.New("out of memory for the encoder")
	}
	s.cc.SetWidth(s.o.Width)
	s.cc.SetHeight(s.o.Height)
	s.cc.SetPixelFormat(astiav.PixelFormatYuv420P)
	s.cc.SetTimeBase(s.o.TimeBase)
	s.cc.SetFramerate(s.o.Rate)
	if s.o.Aspect.Num() > 0 && s.o.Aspect.Den() > 0 {
		s.cc.SetSampleAspectRatio(s.o.Aspect)
	}
	s.cc.SetThreadCount(streamThreads)
	s.cc.SetFlags(s.cc.Flags().Add(astiav.CodecContextFlagGlobalHeader).Add(astiav.CodecContextFlagBitexact))
	options := [][2]string{
		{"preset", streamPreset}, {"crf", fmt.Sprint(streamQuality)}, {"forced-idr", "1"},
		// x264's macroblock tree reads memory that nobody has written: with it
		// the same pictures give other bytes now and then.
		{"x264-params", "mbtree=0"},
		{"color_range", colourRange(s.o.FullRange)},
	}
	// 0 is RGB and 2 is unknown; neither is said of 4:2:0.
	for _, c := range []struct {
		name  string
		value int
	}{{"color_primaries", s.o.Colour.Primaries}, {"color_trc", s.o.Colour.Transfer}, {"colorspace", s.o.Colour.Matrix}} {
		if c.value > 0 && c.value != 2 {
			options = append(options, [2]string{c.name, fmt.Sprint(c.value)})
		}
	}
	dict := astiav.NewDictionary()
	defer dict.Free()
	for _, kv := range options {
		if err := dict.Set(kv[0], kv[1], 0); err != nil {
			return fmt.Errorf("encoder option %s=%s: %w", kv[0], kv[1], err)
		}
	}
	if err := s.cc.Open(codec, dict); err != nil {
		return fmt.Errorf("%w: open libx264 for %d×%d: %w", ErrOptions, s.o.Width, s.o.Height, err)
	}
	return nil
}

func colourRange(full bool) string {
	if full {
		return "pc"
	}
	return "tv"
}

// Parameters writes what a container must know of the stream.
func (s *Stream) Parameters(to *astiav.CodecParameters) error { return to.FromCodecContext(s.cc) }

// Encode takes one picture, which stays the caller's and is not kept, and hands
// on the packets that are ready. pts must grow.
func (s *Stream) Encode(im *yuv.Image, pts int64, emit func(StreamPacket) error) error {
	if im == nil || im.Width != s.o.Width || im.Height != s.o.Height {
		return fmt.Errorf("picture does not have the encoder's size of %d×%d", s.o.Width, s.o.Height)
	}
	return av.Lend(s.frame, im, func() error {
		s.frame.SetPts(pts)
		if err := s.cc.SendFrame(s.frame); err != nil {
			return fmt.Errorf("libx264: %w", err)
		}
		return s.receive(emit)
	})
}

// Flush hands on the packets that are left. Nothing can be coded afterwards.
func (s *Stream) Flush(emit func(StreamPacket) error) error {
	if err := s.cc.SendFrame(nil); err != nil {
		return fmt.Errorf("libx264: flush: %w", err)
	}
	return s.receive(emit)
}

func (s *Stream) receive(emit func(StreamPacket) error) error {
	for {
		err := s.cc.ReceivePacket(s.packet)
		if errors.Is(err, astiav.ErrEagain) || errors.Is(err, astiav.ErrEof) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("libx264: %w", err)
		}
		p := StreamPacket{PTS: s.packet.Pts(), DTS: s.packet.Dts(), Key: s.packet.Flags().Has(astiav.PacketFlagKey)}
		p.Data, err = slices(s.packet.Data())
		s.packet.Unref()
		if err != nil {
			return err
		}
		if err := emit(p); err != nil {
			return err
		}
	}
}

// slices drops all but slices. The parameter sets are in the container's
// header; what x264 says of itself in an SEI is nobody's business.
func slices(data []byte) ([]byte, error) {
	var nalus h264.AnnexB
	if err := nalus.Unmarshal(data); err != nil {
		return nil, fmt.Errorf("libx264's output: %w", err)
	}
	kept := nalus[:0]
	for _, n := range nalus {
		switch h264.NALUType(n[0] & 0x1f) {
		case h264.NALUTypeIDR, h264.NALUTypeNonIDR:
			kept = append(kept, n)
		}
	}
	return kept.Marshal()
}

// Close frees the encoder; a second call does nothing.
func (s *Stream) Close() {
	if s.packet != nil {
		s.packet.Free()
		s.packet = nil
	}
	if s.frame != nil {
		s.frame.Free()
		s.frame = nil
	}
	if s.cc != nil {
		s.cc.Free()
		s.cc = nil
	}
}
