package x264

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/asticode/go-astiav"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"

	"scrim/pipeline/internal/av"
	"scrim/redact/yuv"
	"scrim/transport"
)

const (
	// bufferTime bounds x264's rate buffer, and with it how large an IDR may be.
	bufferTime = 500 * time.Millisecond
	// defaultQuality is the constant rate factor below the ceiling.
	defaultQuality = 23
	// fullHDBitrate is the default ceiling at 1080p in bit/s. Smaller pictures
	// need more for each pixel: it goes with their number to the power of
	// bitratePower. minBitrate bounds it from below.
	fullHDBitrate = 6_000_000
	fullHDPixels  = 1920 * 1080
	bitratePower  = 0.75
	minBitrate    = 400_000
	// nominalRate is what x264 is told until timestamps say otherwise.
	nominalRate = 30
)

// Options are an Encoder's settings.
type Options struct {
	// Width and Height in pixels; both even, as H.264 4:2:0 needs it.
	Width, Height int
	// Bitrate is the ceiling in bit/s; 0 chooses by size.
	Bitrate int
	// Quality is x264's constant rate factor, which holds below the ceiling: 1 is
	// all but lossless, 51 the worst. 0 means 23.
	Quality int
	// Preset is x264's; empty means ultrafast.
	Preset string
	// KeyframeInterval is the longest time between key frames; 0 means 2 s.
	KeyframeInterval time.Duration
	// Threads are slice threads, which add no delay; 0 means 1.
	Threads int
	// FullRange says that samples go from 0 to 255.
	FullRange bool
}

// Packet is one coded access unit.
type Packet struct {
	// Data is in Annex B form and the receiver's: SPS, PPS (before an IDR) and
	// slices, nothing else.
	Data []byte
	// PTS in 90 kHz ticks, as given.
	PTS int64
	// Key is set for an IDR.
	Key bool
}

// Encoder codes pictures of one size. It is not safe for concurrent use.
type Encoder struct {
	o       Options
	cc      *astiav.CodecContext
	frame   *astiav.Frame
	packet  *astiav.Packet
	codec   string
	lastKey int64
	started bool
}

// ErrOptions is wrapped by the errors of New that another setting mends.
var ErrOptions = errors.New("encoder settings are not usable")

// New returns an Encoder, which the caller closes.
func New(o Options) (*Encoder, error) {
	if o.Width < 2 || o.Height < 2 || o.Width > yuv.MaxWidth || o.Height > yuv.MaxHeight || o.Width%2 != 0 || o.Height%2 != 0 {
		return nil, fmt.Errorf("%w: size %d×%d is not even or not within 2×2 … %d×%d", ErrOptions, o.Width, o.Height, yuv.MaxWidth, yuv.MaxHeight)
	}
	if o.Preset == "" {
		o.Preset = "ultrafast"
	}
	if o.KeyframeInterval <= 0 {
		o.KeyframeInterval = 2 * time.Second
	}
	o.Threads = max(o.Threads, 1)
	if o.Quality == 0 {
		o.Quality = defaultQuality
	}
	if o.Quality < 1 || o.Quality > 51 {
		return nil, fmt.Errorf("%w: quality %d is not within 1 … 51", ErrOptions, o.Quality)
	}
	if o.Bitrate <= 0 {
		pixels := float64(o.Width*o.Height) / fullHDPixels
		o.Bitrate = max(int(fullHDBitrate*math.Pow(pixels, bitratePower)), minBitrate)
	}
	e := &Encoder{o: o}
	if err := e.open(); err != nil {
		e.Close()
		return nil, err
	}
	return e, nil
}

func (e *Encoder) open() error {
	astiav.SetLogLevel(astiav.LogLevelQuiet)
	codec := astiav.FindEncoderByName("libx264")
	if codec == nil {
		return errors.New("FFmpeg has no libx264; install a build with it (Debian: libavcodec-extra or libavcodec59)")
	}
	e.cc, e.frame, e.packet = astiav.AllocCodecContext(codec), astiav.AllocFrame(), astiav.AllocPacket()
	if e.cc == nil || e.frame == nil || e.packet == nil {
		return errors.New("out of memory for the encoder")
	}
	e.cc.SetWidth(e.o.Width)
	e.cc.SetHeight(e.o.Height)
	e.cc.SetPixelFormat(astiav.PixelFormatYuv420P)
	e.cc.SetTimeBase(astiav.NewRational(1, transport.ClockRate))
	e.cc.SetFramerate(astiav.NewRational(nominalRate, 1))
	e.cc.SetThreadCount(e.o.Threads)
	e.cc.SetThreadType(astiav.ThreadTypeSlice)
	colour := "tv"
	if e.o.FullRange {
		colour = "pc"
	}
	dict := astiav.NewDictionary()
	defer dict.Free()
	for _, kv := range [][2]string{
		{"preset", e.o.Preset}, {"tune", "zerolatency"}, {"profile", "baseline"}, {"forced-idr", "1"},
		{"color_range", colour},
		// Key frames are forced by time, so x264 makes none of its own.
		{"x264-params", fmt.Sprintf("keyint=infinite:scenecut=0:bframes=0:repeat-headers=1:annexb=1:crf=%d:vbv-maxrate=%d:vbv-bufsize=%d",
			e.o.Quality, e.o.Bitrate/1000, int(float64(e.o.Bitrate)/1000*bufferTime.Seconds()))},
	} {
		if err := dict.Set(kv[0], kv[1], 0); err != nil {
			return fmt.Errorf("encoder option %s=%s: %w", kv[0], kv[1], err)
		}
	}
	if err := e.cc.Open(codec, dict); err != nil {
		return fmt.Errorf("%w: open libx264 with preset %q: %w", ErrOptions, e.o.Preset, err)
	}
	return nil
}

// Encode codes one picture, which stays the caller's and is not kept. pts is
// in 90 kHz ticks and must grow; key asks for an IDR.
func (e *Encoder) Encode(im *yuv.Image, pts int64, key bool) (Packet, error) {
	if im == nil || im.Width != e.o.Width || im.Height != e.o.Height {
		return Packet{}, fmt.Errorf("picture does not have the encoder's size of %d×%d", e.o.Width, e.o.Height)
	}
	interval := int64(e.o.KeyframeInterval.Seconds() * transport.ClockRate)
	key = key || !e.started || pts-e.lastKey >= interval
	var out Packet
	err := av.Lend(e.frame, im, func() error {
		e.frame.SetPts(pts)
		if key {
			e.frame.SetPictureType(astiav.PictureTypeI)
		}
		if err := e.cc.SendFrame(e.frame); err != nil {
			return fmt.Errorf("libx264: %w", err)
		}
		if err := e.cc.ReceivePacket(e.packet); err != nil {
			return fmt.Errorf("libx264 gave no packet for its picture: %w", err)
		}
		defer e.packet.Unref()
		out.PTS, out.Key = e.packet.Pts(), e.packet.Flags().Has(astiav.PacketFlagKey)
		var err error
		out.Data, err = e.strip(e.packet.Data())
		return err
	})
	if err != nil {
		return Packet{}, err
	}
	if out.Key {
		e.lastKey = pts
	}
	e.started = true
	return out, nil
}

// strip drops all but parameter sets and slices (x264 writes its settings into
// an SEI), and learns the codec string.
func (e *Encoder) strip(data []byte) ([]byte, error) {
	var nalus h264.AnnexB
	if err := nalus.Unmarshal(data); err != nil {
		return nil, fmt.Errorf("libx264's output: %w", err)
	}
	kept := nalus[:0]
	for _, n := range nalus {
		switch h264.NALUType(n[0] & 0x1f) {
		case h264.NALUTypeSPS:
			if len(n) > 3 {
				e.codec = fmt.Sprintf("avc1.%02x%02x%02x", n[1], n[2], n[3])
			}
		case h264.NALUTypePPS, h264.NALUTypeIDR, h264.NALUTypeNonIDR:
		default:
			continue
		}
		kept = append(kept, n)
	}
	return kept.Marshal()
}

// Codec returns the codec string of RFC 6381, such as "avc1.42c028"; empty
// before the first picture.
func (e *Encoder) Codec() string { return e.codec }

// Bitrate returns the ceiling in force, in bit/s.
func (e *Encoder) Bitrate() int { return min(e.o.Bitrate, math.MaxInt32) }

// Close frees the encoder; a second call does nothing.
func (e *Encoder) Close() {
	if e.packet != nil {
		e.packet.Free()
		e.packet = nil
	}
	if e.frame != nil {
		e.frame.Free()
		e.frame = nil
	}
	if e.cc != nil {
		e.cc.Free()
		e.cc = nil
	}
}
