package x264

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"

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
	// nominalRate is what x264 is told; it goes by it where it plans ahead.
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
	// Predict chooses each picture's quantiser by what those before it took, in place
	// of x264's own analysis of each picture beforehand: a quarter of what ultrafast
	// costs. A picture that comes out too large is coded again, as a key frame.
	// Quality is the quantiser then.
	Predict bool
}

// buffer returns how many bits the rate buffer holds.
func (o Options) buffer() int { return int(float64(o.Bitrate) * bufferTime.Seconds()) }

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
	n       *native
	rate    *rate // nil: x264's
	codec   string
	lastKey int64
	started bool
	// afterKey says that the picture before was a key frame.
	afterKey bool
}

var errClosed = errors.New("encoder is closed")

// ErrOptions is wrapped by the errors of New that another setting mends.
var ErrOptions = errors.New("encoder settings are not usable")

// New returns an Encoder, which the caller closes.
func New(o Options) (*Encoder, error) {
	if err := yuv.CheckCameraSize(o.Width, o.Height); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrOptions, err)
	}
	if o.Width%2 != 0 || o.Height%2 != 0 {
		return nil, fmt.Errorf("%w: size %d×%d is not even", ErrOptions, o.Width, o.Height)
	}
	o.Preset = cmp.Or(o.Preset, "ultrafast")
	if o.KeyframeInterval <= 0 {
		o.KeyframeInterval = 2 * time.Second
	}
	o.Threads = max(o.Threads, 1)
	o.Quality = cmp.Or(o.Quality, defaultQuality)
	if o.Quality < 1 || o.Quality > 51 {
		return nil, fmt.Errorf("%w: quality %d is not within 1 … 51", ErrOptions, o.Quality)
	}
	if o.Bitrate <= 0 {
		pixels := float64(o.Width*o.Height) / fullHDPixels
		o.Bitrate = max(int(fullHDBitrate*math.Pow(pixels, bitratePower)), minBitrate)
	}
	n, err := newNative(o, o.Predict)
	if err != nil {
		return nil, fmt.Errorf("%w: preset %q, quality %d, %d bit/s: %w", ErrOptions, o.Preset, o.Quality, o.Bitrate, err)
	}
	e := &Encoder{o: o, n: n}
	if o.Predict {
		e.rate = newRate(o)
	}
	return e, nil
}

// Encode codes one picture, which stays the caller's and is not kept. pts is
// in 90 kHz ticks and must grow; key asks for an IDR.
func (e *Encoder) Encode(im *yuv.Image, pts int64, key bool) (Packet, error) {
	if e.n == nil {
		return Packet{}, errClosed
	}
	if im == nil || im.Width != e.o.Width || im.Height != e.o.Height {
		return Packet{}, fmt.Errorf("picture does not have the encoder's size of %d×%d", e.o.Width, e.o.Height)
	}
	if !whole(im) {
		return Packet{}, fmt.Errorf("planes of the picture of %d×%d are too short for their strides", im.Width, im.Height)
	}
	interval := int64(e.o.KeyframeInterval.Seconds() * transport.ClockRate)
	key = key || !e.started || pts-e.lastKey >= interval
	data, key, err := e.code(im, pts, key)
	if err != nil {
		return Packet{}, err
	}
	out := Packet{PTS: pts, Key: key}
	if out.Data, err = e.strip(data); err != nil {
		return Packet{}, err
	}
	if out.Key {
		e.lastKey = pts
	}
	e.started, e.afterKey = true, out.Key
	return out, nil
}

// code returns the coded picture, valid until the next call. One that is too large
// was never sent, so that only a key frame can take its place.
func (e *Encoder) code(im *yuv.Image, pts int64, key bool) ([]byte, bool, error) {
	if e.rate == nil {
		return e.n.encode(im, key, -1)
	}
	qp := e.rate.choose(pts, key)
	// x264 numbers key frames 0 and 1 in turn, and two that follow each other must differ
	// (H.264, 7.4.3): where one was dropped, another must be.
	dropped := 0
	for try := 1; ; try++ {
		data, isKey, err := e.n.encode(im, key, qp)
		if err != nil {
			return nil, false, err
		}
		bits := float64(8 * len(data))
		e.rate.tried(isKey, qp, bits)
		coarser, again := e.rate.coarser(bits, qp)
		again = again && try < maxTries
		if !again && (!isKey || !e.afterKey || dropped%2 == 0) {
			e.rate.sent(bits)
			return data, isKey, nil
		}
		if isKey {
			dropped++
		}
		if key = true; again {
			qp = coarser
		}
	}
}

// whole reports whether the planes hold what the picture's size and strides say: C code
// reads them.
func whole(im *yuv.Image) bool {
	holds := func(plane []byte, stride, w, h int) bool { return stride >= w && len(plane) >= stride*(h-1)+w }
	w, h := im.ChromaWidth(), im.ChromaHeight()
	return holds(im.Y, im.YStride, im.Width, im.Height) && holds(im.U, im.CStride, w, h) && holds(im.V, im.CStride, w, h)
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
	if e.n != nil {
		e.n.close()
		e.n = nil
	}
}
