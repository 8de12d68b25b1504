package simcam

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/asticode/go-astiav"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"

	"scrim/pipeline/internal/x264"
	"scrim/transport"
)

// containers are FFmpeg's formats by the extension of the file: those that keep
// times in 90 kHz, or none.
var containers = map[string]string{".mp4": "mp4", ".h264": "h264"}

// movie writes access units into a file.
type movie struct {
	path, part    string
	width, height int
	format        *astiav.FormatContext
	io            *astiav.IOContext
	stream        *astiav.Stream
	packet        *astiav.Packet
	begun         bool
}

// newMovie opens a file next to path, which close renames to path.
func newMovie(path string, width, height int) (*movie, error) {
	container := containers[strings.ToLower(filepath.Ext(path))]
	if container == "" {
		return nil, errors.New("the file's name must end in .mp4 or .h264")
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return nil, err
	}
	m := &movie{path: path, part: f.Name(), width: width, height: height}
	_ = f.Chmod(0o644) // as any other file; the umask of the user does not reach here
	_ = f.Close()
	if err := m.open(container); err != nil {
		return nil, errors.Join(err, m.close(false))
	}
	return m, nil
}

func (m *movie) open(container string) error {
	astiav.SetLogLevel(astiav.LogLevelQuiet)
	var err error
	if m.format, err = astiav.AllocOutputFormatContext(nil, container, m.part); err != nil {
		return fmt.Errorf("muxer %s: %w", container, err)
	}
	// With the protocol, no name is mistaken for another one.
	if m.io, err = astiav.OpenIOContext("file:"+m.part, astiav.NewIOContextFlags(astiav.IOContextFlagWrite)); err != nil {
		return err
	}
	m.format.SetPb(m.io)
	if m.stream, m.packet = m.format.NewStream(nil), astiav.AllocPacket(); m.stream == nil || m.packet == nil {
		return errors.New("out of memory for the muxer")
	}
	p := m.stream.CodecParameters()
	p.SetMediaType(astiav.MediaTypeVideo)
	p.SetCodecID(astiav.CodecIDH264)
	p.SetPixelFormat(astiav.PixelFormatYuv420P)
	p.SetColorRange(astiav.ColorRangeMpeg)
	p.SetWidth(m.width)
	p.SetHeight(m.height)
	m.stream.SetTimeBase(astiav.NewRational(1, transport.ClockRate))
	return nil
}

// begin writes the header, for which the parameter sets must be known.
func (m *movie) begin(unit []byte) error {
	var nalus, sets h264.AnnexB
	if err := nalus.Unmarshal(unit); err != nil {
		return fmt.Errorf("encoder's output: %w", err)
	}
	for _, n := range nalus {
		if t := h264.NALUType(n[0] & 0x1f); t == h264.NALUTypeSPS || t == h264.NALUTypePPS {
			sets = append(sets, n)
		}
	}
	data, err := sets.Marshal()
	if err != nil {
		return fmt.Errorf("parameter sets: %w", err)
	}
	if err := m.stream.CodecParameters().SetExtraData(data); err != nil {
		return fmt.Errorf("parameter sets: %w", err)
	}
	if err := m.format.WriteHeader(nil); err != nil {
		return fmt.Errorf("muxer: %w", err)
	}
	m.begun = true
	return nil
}

// write writes an access unit that lasts for some 90 kHz ticks.
func (m *movie) write(unit x264.Packet, lasts int64) error { return m.writeAt(unit, unit.PTS, lasts) }

// writeAt writes one that is decoded at another time than it is shown.
func (m *movie) writeAt(unit x264.Packet, dts, lasts int64) error {
	if !m.begun {
		if err := m.begin(unit.Data); err != nil {
			return err
		}
	}
	defer m.packet.Unref()
	if err := m.packet.FromData(unit.Data); err != nil {
		return fmt.Errorf("muxer: %w", err)
	}
	m.packet.SetStreamIndex(m.stream.Index())
	m.packet.SetPts(unit.PTS)
	m.packet.SetDts(dts)
	m.packet.SetDuration(lasts)
	if unit.Key {
		m.packet.SetFlags(astiav.NewPacketFlags(astiav.PacketFlagKey))
	}
	// The muxer may have chosen another clock.
	m.packet.RescaleTs(astiav.NewRational(1, transport.ClockRate), m.stream.TimeBase())
	if err := m.format.WriteFrame(m.packet); err != nil {
		return fmt.Errorf("muxer: %w", err)
	}
	return nil
}

// close frees everything, and gives the file its name if it is whole.
func (m *movie) close(whole bool) error {
	var err error
	if whole && m.begun {
		err = m.format.WriteTrailer()
	}
	if m.packet != nil {
		m.packet.Free()
	}
	if m.io != nil {
		err = errors.Join(err, m.io.Close())
	}
	if m.format != nil {
		m.format.Free()
	}
	if whole && err == nil {
		return os.Rename(m.part, m.path)
	}
	return errors.Join(err, os.Remove(m.part))
}
