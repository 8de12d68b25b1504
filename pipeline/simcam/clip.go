package simcam

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/asticode/go-astiav"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"

	"scrim/pipeline/bitstream"
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
	// Data is in Annex B form, with parameter sets before an IDR.
	Data []byte
	// PTS and DTS in 90 kHz ticks; the first picture has PTS 0. Without
	// reordering they are the same.
	PTS, DTS int64
	IDR      bool
}

// Clip is a video as it is coded, in the order of decoding. It is read-only.
type Clip struct {
	Units         []ClipUnit
	Width, Height int
	// Length is the time after which the clip may begin anew, Delay by how much
	// the first picture is shown later than it is decoded, Shift by how much other
	// pictures are at most beyond that; 90 kHz ticks.
	Length, Delay, Shift int64
}

// FPS is the rate of the pictures.
func (c *Clip) FPS() float64 { return float64(len(c.Units)) * transport.ClockRate / float64(c.Length) }

// OpenClip reads the coded pictures of a video file, of which the first for some
// time at most, and not more than MaxClipBytes; 0 is all.
func OpenClip(path string, most time.Duration) (*Clip, error) {
	c, err := openClip(path, most)
	if err != nil {
		return nil, fmt.Errorf("video %s: %w", path, err)
	}
	return c, nil
}

func openClip(path string, most time.Duration) (*Clip, error) {
	f := &file{path: path}
	defer f.close()
	if err := f.open(); err != nil {
		return nil, errors.Unwrap(err)
	}
	p := f.stream.CodecParameters()
	if p.CodecID() != astiav.CodecIDH264 {
		return nil, fmt.Errorf("%w: it is %s and not H.264", ErrCoding, p.CodecID())
	}
	sets, lengths, err := parameterSets(p.ExtraData())
	if err != nil {
		return nil, err
	}
	c := &Clip{}
	size, until := 0, int64(most)*transport.ClockRate/int64(time.Second)
	var last, step int64
	for {
		if err := f.format.ReadFrame(f.packet); err != nil {
			if errors.Is(err, astiav.ErrEof) {
				break
			}
			return nil, err
		}
		if f.packet.StreamIndex() != f.stream.Index() {
			f.packet.Unref()
			continue
		}
		u, err := c.unit(f, sets, lengths)
		f.packet.Unref()
		if err != nil {
			return nil, err
		}
		if len(c.Units) == 0 && !u.IDR { // it cannot begin here
			continue
		}
		if len(c.Units) > 0 {
			if u.DTS <= last {
				return nil, fmt.Errorf("%w: its time does not go on at picture %d", ErrCoding, len(c.Units))
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
		return nil, errors.New("it holds less than two pictures")
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
func (c *Clip) unit(f *file, sets []byte, lengths bool) (ClipUnit, error) {
	f.packet.RescaleTs(f.stream.TimeBase(), astiav.NewRational(1, transport.ClockRate))
	u := ClipUnit{PTS: f.packet.Pts(), DTS: f.packet.Dts()}
	const none = -1 << 63
	if u.PTS == none || u.DTS == none {
		return u, fmt.Errorf("%w: its pictures have no times; put it into an .mp4 or .mkv", ErrCoding)
	}
	data := f.packet.Data()
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
	info, err := bitstream.Inspect(transport.H264, data)
	if err == nil && info.Key && info.SPS == nil {
		info, err = bitstream.Inspect(transport.H264, slices.Concat(sets, info.Data))
	}
	if err != nil {
		return u, fmt.Errorf("%w: %w", ErrCoding, err)
	}
	if info.SPS != nil && c.Width == 0 {
		c.Width, c.Height = info.Width, info.Height
	}
	u.Data, u.IDR = info.Data, info.Key
	return u, nil
}

// parameterSets returns those of a container in Annex B form, and whether NAL
// units have lengths before them (ISO/IEC 14496-15, 5.3.3.1) in place of start
// codes.
func parameterSets(extra []byte) (sets []byte, lengths bool, err error) {
	const head, lengthOfFour = 6, 3
	if len(extra) == 0 || extra[0] != 1 {
		return extra, false, nil
	}
	if len(extra) < head || extra[4]&3 != lengthOfFour {
		return nil, false, fmt.Errorf("%w: its avcC record is not understood", ErrCoding)
	}
	var nalus h264.AnnexB
	b := extra[head:]
	for _, n := range []int{int(extra[5] & 0x1f), -1} {
		if n < 0 {
			if len(b) == 0 {
				break
			}
			n, b = int(b[0]), b[1:]
		}
		for range n {
			if len(b) < 2 || len(b) < 2+int(b[0])<<8+int(b[1]) {
				return nil, false, fmt.Errorf("%w: its avcC record is cut off", ErrCoding)
			}
			size := int(b[0])<<8 + int(b[1])
			nalus = append(nalus, b[2:2+size])
			b = b[2+size:]
		}
	}
	sets, err = nalus.Marshal()
	return sets, true, err
}

// SaveClip writes coded pictures to an .mp4 file, which has its name only once it
// is whole. What comes before the first IDR is left out.
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
		return errors.New("there are less than two pictures from the first key frame on")
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
			return fmt.Errorf("%w: its time does not go on at picture %d", ErrCoding, i)
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
