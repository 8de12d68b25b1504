package simcam

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/asticode/go-astiav"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"

	"scrim/pipeline/bitstream"
	"scrim/pipeline/internal/av"
	"scrim/pipeline/internal/x264"
	"scrim/transport"
)

// MaxClipBytes bounds what a Clip holds in memory.
const MaxClipBytes = 256 << 20

// ErrCoding is wrapped by the errors of OpenClip about a video that is coded in
// a way that cannot be sent as it is.
var ErrCoding = errors.New("its coding cannot be sent as it is")

// ClipUnit is one coded picture of a Clip.
type ClipUnit struct {
	// Data is as that of a transport.CameraUnit, with parameter sets before a key
	// frame.
	Data []byte
	// PTS and DTS in 90 kHz ticks; the first picture has PTS 0. Without
	// reordering they are the same.
	PTS, DTS int64
	// Key is set when decoding can start here.
	Key bool
}

// Clip is a video as it is coded, in the order of decoding. It is read-only.
type Clip struct {
	Codec         transport.Codec
	Units         []ClipUnit
	Width, Height int
	// Length is the time after which the clip may repeat, Delay by how much
	// the first picture is shown later than it is decoded, Shift by how much other
	// pictures are at most beyond that; 90 kHz ticks.
	Length, Delay, Shift int64
}

// codecs are those that can be sent as they are.
var codecs = map[astiav.CodecID]transport.Codec{
	astiav.CodecIDH264: transport.H264, astiav.CodecIDHevc: transport.H265, astiav.CodecIDMjpeg: transport.MJPEG,
}

// OpenClip reads the coded pictures of a video file: the first for some
// time at most, and not more than MaxClipBytes; 0 is all.
func OpenClip(path string, limit time.Duration) (*Clip, error) {
	c, err := openClip(path, limit)
	if err != nil {
		return nil, fmt.Errorf("video %s: %w", path, err)
	}
	return c, nil
}

func openClip(path string, limit time.Duration) (*Clip, error) {
	in, err := av.OpenInput(path, av.InputOptions{Choose: firstVideo})
	if err != nil {
		return nil, err
	}
	defer in.Close()
	p := in.Stream.CodecParameters()
	codec, ok := codecs[p.CodecID()]
	if !ok {
		return nil, fmt.Errorf("%w: it is %s, not H.264, H.265 or MJPEG", ErrCoding, p.CodecID())
	}
	sets, lengths, err := parameterSets(codec, p.ExtraData())
	if err != nil {
		return nil, err
	}
	c := &Clip{Codec: codec}
	size, until := 0, int64(limit)*transport.ClockRate/int64(time.Second)
	var last, step int64
	for {
		if err := in.Format.ReadFrame(in.Packet); err != nil {
			if errors.Is(err, astiav.ErrEof) {
				break
			}
			return nil, err
		}
		if in.Packet.StreamIndex() != in.Stream.Index() {
			in.Packet.Unref()
			continue
		}
		u, err := c.unit(in, sets, lengths)
		in.Packet.Unref()
		if err != nil {
			return nil, err
		}
		if len(c.Units) == 0 && !u.Key { // it cannot begin here
			continue
		}
		if len(c.Units) > 0 {
			if u.DTS <= last {
				return nil, fmt.Errorf("%w: the time stamp does not increase at picture %d", ErrCoding, len(c.Units))
			}
			step = u.DTS - last
		}
		if len(c.Units) > 0 && until > 0 && u.DTS-c.Units[0].DTS >= until {
			break
		}
		if size += len(u.Data); size > MaxClipBytes {
			break
		}
		last = u.DTS
		c.Units = append(c.Units, u)
	}
	if len(c.Units) < 2 {
		return nil, errors.New("it has fewer than two pictures")
	}
	c.time(step)
	return c, nil
}

// time makes times count from the first picture; the last one lasts for some
// ticks.
func (c *Clip) time(last int64) {
	first := c.Units[0]
	c.Delay = first.PTS - first.DTS
	c.Length = c.Units[len(c.Units)-1].DTS - first.DTS + last
	for i := range c.Units {
		u := &c.Units[i]
		c.Shift = max(c.Shift, u.PTS-u.DTS-c.Delay)
		u.PTS -= first.PTS
		u.DTS -= first.PTS
	}
}

// unit returns the packet that was read.
func (c *Clip) unit(in *av.Input, sets []byte, lengths bool) (ClipUnit, error) {
	in.Packet.RescaleTs(in.Stream.TimeBase(), astiav.NewRational(1, transport.ClockRate))
	u := ClipUnit{PTS: in.Packet.Pts(), DTS: in.Packet.Dts()}
	const none = -1 << 63
	if u.PTS == none || u.DTS == none {
		return u, fmt.Errorf("%w: its pictures have no time stamps; put it into an .mp4 or .mkv", ErrCoding)
	}
	data := in.Packet.Data()
	if lengths {
		var nalus h264.AVCC
		if err := nalus.Unmarshal(data); err != nil {
			return u, fmt.Errorf("%w: %w", ErrCoding, err)
		}
		var err error
		if data, err = h264.AnnexB(nalus).Marshal(); err != nil {
			return u, fmt.Errorf("%w: %w", ErrCoding, err)
		}
	}
	if c.Codec == transport.MJPEG {
		var err error
		if data, err = withoutHuffman(data); err != nil {
			return u, err
		}
	}
	info, err := bitstream.Inspect(c.Codec, data)
	if err == nil && info.Key && info.SPS == nil {
		info, err = bitstream.Inspect(c.Codec, slices.Concat(sets, info.Data))
	}
	if err != nil {
		return u, fmt.Errorf("%w: %w", ErrCoding, err)
	}
	if info.SPS != nil && c.Width == 0 {
		c.Width, c.Height = info.Width, info.Height
	}
	u.Data, u.Key = info.Data, info.Key
	return u, nil
}

// SaveClip writes coded pictures of H.264 to an .mp4 file, which has its name only
// once it is whole. What comes before the first IDR is left out.
func SaveClip(path string, units []ClipUnit) error {
	if err := saveClip(path, units); err != nil {
		return fmt.Errorf("video %s: %w", path, err)
	}
	return nil
}

func saveClip(path string, units []ClipUnit) (err error) {
	var width, height int
	for len(units) > 0 {
		info, err := bitstream.Inspect(transport.H264, units[0].Data)
		if err != nil {
			return err
		}
		if info.Key && info.SPS != nil {
			width, height = info.Width, info.Height
			break
		}
		units = units[1:]
	}
	if len(units) < 2 {
		return errors.New("there are fewer than two pictures from the first key frame on")
	}
	m, err := newMovie(path, width, height)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.close(err == nil)) }()
	lasts := units[1].DTS - units[0].DTS
	for i := range units {
		u := &units[i]
		if i+1 < len(units) {
			lasts = units[i+1].DTS - u.DTS
		}
		if lasts <= 0 {
			return fmt.Errorf("%w: the time stamp does not increase at picture %d", ErrCoding, i)
		}
		info, err := bitstream.Inspect(transport.H264, u.Data)
		if err != nil {
			return err
		}
		start := units[0].DTS
		if err := m.writeAt(x264.Packet{Data: info.Data, PTS: u.PTS - start, Key: info.Key}, u.DTS-start, lasts); err != nil {
			return err
		}
	}
	return nil
}
