package encode

import (
	"errors"
	"fmt"
	"os"

	"github.com/asticode/go-astiav"

	"scrim/pipeline/internal/av"
	"scrim/pipeline/internal/x264"
	"scrim/redact"
)

// Containers that a File can be.
const (
	MP4       = "mp4"
	QuickTime = "mov"
	Matroska  = "matroska"
)

// FileOptions are a File's settings.
type FileOptions struct {
	// Container is one of those above.
	Container string
	// Width and Height in pixels; both even.
	Width, Height int
	// TimeBase is the unit of the pictures' timestamps, in seconds.
	TimeBase astiav.Rational
	// Rate is about how many pictures come a second.
	Rate astiav.Rational
	// Aspect is the shape of a sample; 0 is unknown.
	Aspect astiav.Rational
	// Colour says what the samples mean.
	Colour av.Colour
	// FullRange says that samples go from 0 to 255.
	FullRange bool
	// Audio are tracks that are copied; none by default.
	Audio []AudioTrack
}

// AudioTrack is a coded audio track.
type AudioTrack struct {
	Parameters *astiav.CodecParameters
	TimeBase   astiav.Rational
}

// File codes redacted frames into a video file: H.264 in high quality, without
// any metadata. It is not safe for concurrent use.
type File struct {
	o      FileOptions
	path   string
	x      *x264.Stream
	format *astiav.FormatContext
	pb     *astiav.IOContext
	video  *astiav.Stream
	audio  []*astiav.Stream
	packet *av.Packet
	copied *astiav.Packet
	// durations are those of the pictures in the encoder, by PTS.
	durations map[int64]int64
}

// NewFile begins the file at path, which it writes over. The caller calls
// Finish when all pictures are in, and Close in any case.
func NewFile(path string, o FileOptions) (*File, error) {
	f := &File{o: o, path: path, packet: av.NewPacket(), copied: astiav.AllocPacket(), durations: make(map[int64]int64)}
	if err := f.open(); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

func (f *File) open() error {
	var err error
	f.x, err = x264.NewStream(x264.StreamOptions{
		Width: f.o.Width, Height: f.o.Height, TimeBase: f.o.TimeBase, Rate: f.o.Rate, Aspect: f.o.Aspect,
		Colour: f.o.Colour, FullRange: f.o.FullRange,
	})
	if err != nil {
		return err
	}
	url := "file:" + f.path
	if f.format, err = astiav.AllocOutputFormatContext(nil, f.o.Container, url); err != nil {
		return fmt.Errorf("container %s: %w", f.o.Container, err)
	}
	// Bit-exact: no version of FFmpeg, no time, no random numbers.
	f.format.SetFlags(f.format.Flags().Add(astiav.FormatContextFlagBitexact))
	if f.video = f.format.NewStream(nil); f.video == nil {
		return errors.New("out of memory for the video track")
	}
	if err := f.x.Parameters(f.video.CodecParameters()); err != nil {
		return fmt.Errorf("video track: %w", err)
	}
	f.video.SetTimeBase(f.o.TimeBase)
	f.video.SetAvgFrameRate(f.o.Rate)
	f.video.SetSampleAspectRatio(f.o.Aspect)
	for _, a := range f.o.Audio {
		s := f.format.NewStream(nil)
		if s == nil {
			return errors.New("out of memory for an audio track")
		}
		if err := a.Parameters.Copy(s.CodecParameters()); err != nil {
			return fmt.Errorf("audio track: %w", err)
		}
		s.CodecParameters().SetCodecTag(0) // each container has its own
		s.SetTimeBase(a.TimeBase)
		f.audio = append(f.audio, s)
	}
	if f.pb, err = astiav.OpenIOContext(url, astiav.NewIOContextFlags(astiav.IOContextFlagWrite)); err != nil {
		return fmt.Errorf("write %s: %w", f.path, err)
	}
	f.format.SetPb(f.pb)
	return f.begin()
}

// begin writes the container's header.
func (f *File) begin() error {
	dict := astiav.NewDictionary()
	defer dict.Free()
	if f.o.Container != Matroska {
		options := [][2]string{{"movflags", "+faststart"}}
		if f.o.TimeBase.Num() == 1 {
			options = append(options, [2]string{"video_track_timescale", fmt.Sprint(f.o.TimeBase.Den())})
		}
		for _, kv := range options {
			if err := dict.Set(kv[0], kv[1], 0); err != nil {
				return fmt.Errorf("container option %s=%s: %w", kv[0], kv[1], err)
			}
		}
	}
	if err := f.format.WriteHeader(dict); err != nil {
		if len(f.audio) > 0 {
			return fmt.Errorf("begin %s: %w; it may not be able to hold such an audio track: try .mkv, or go without audio", f.o.Container, err)
		}
		return fmt.Errorf("begin %s: %w", f.o.Container, err)
	}
	return nil
}

// Encode codes one frame, whose picture is not kept. pts and duration are in
// ticks of the time base; pts must grow, a duration of 0 is unknown.
func (f *File) Encode(frame redact.Frame, pts, duration int64) error {
	if frame.Image() == nil {
		return ErrNoFrame
	}
	f.durations[pts] = duration
	return f.x.Encode(frame.Image(), pts, f.write)
}

// write puts a coded picture into the file.
func (f *File) write(p x264.StreamPacket) error {
	if err := f.packet.Set(p.Data, p.PTS); err != nil {
		return err
	}
	out := f.packet.AV()
	out.SetDts(p.DTS)
	out.SetDuration(f.durations[p.PTS])
	delete(f.durations, p.PTS)
	out.SetStreamIndex(f.video.Index())
	flags := astiav.NewPacketFlags()
	if p.Key {
		flags = flags.Add(astiav.PacketFlagKey)
	}
	out.SetFlags(flags)
	return f.interleave(out, f.o.TimeBase, f.video)
}

// CopyAudio puts a packet of an audio track into the file, as it is. p stays
// the caller's.
func (f *File) CopyAudio(track int, p *astiav.Packet) error {
	if track < 0 || track >= len(f.audio) {
		return fmt.Errorf("no audio track %d", track)
	}
	f.copied.Unref()
	if err := f.copied.Ref(p); err != nil {
		return fmt.Errorf("audio packet: %w", err)
	}
	f.copied.SetStreamIndex(f.audio[track].Index())
	f.copied.SetPos(-1)
	return f.interleave(f.copied, f.o.Audio[track].TimeBase, f.audio[track])
}

func (f *File) interleave(p *astiav.Packet, from astiav.Rational, to *astiav.Stream) error {
	p.RescaleTs(from, to.TimeBase())
	if err := f.format.WriteInterleavedFrame(p); err != nil {
		return fmt.Errorf("write %s: %w", f.path, err)
	}
	return nil
}

// Finish codes what is left, ends the file and brings it to the disk.
func (f *File) Finish() error {
	if err := f.x.Flush(f.write); err != nil {
		return err
	}
	if err := f.format.WriteTrailer(); err != nil {
		return fmt.Errorf("end %s: %w", f.path, err)
	}
	err := f.pb.Close()
	f.pb = nil
	if err != nil {
		return fmt.Errorf("write %s: %w", f.path, err)
	}
	return syncFile(f.path)
}

func syncFile(path string) error {
	file, err := os.OpenFile(path, os.O_RDWR, 0) //nolint:gosec // the file that was just written
	if err != nil {
		return err
	}
	return errors.Join(file.Sync(), file.Close())
}

// Close frees everything; a second call does nothing. What was not finished
// stays where it is, for the caller to remove.
func (f *File) Close() {
	if f.pb != nil {
		_ = f.pb.Close()
		f.pb = nil
	}
	if f.format != nil {
		f.format.Free()
		f.format = nil
	}
	if f.x != nil {
		f.x.Close()
		f.x = nil
	}
	f.packet.Close()
	if f.copied != nil {
		f.copied.Free()
		f.copied = nil
	}
}
