package av

import (
	"errors"
	"fmt"

	"github.com/asticode/go-astiav"
)

// InputOptions say how a file is opened.
type InputOptions struct {
	// Demuxer and Decoder are options of FFmpeg, as pairs of key and value.
	Demuxer, Decoder [][2]string
	// Choose returns the stream that is decoded, nil if none fits.
	Choose func([]*astiav.Stream) *astiav.Stream
	// SliceThreads decode one picture together; 0 means FFmpeg's default.
	SliceThreads int
}

// Input is an open video file: its container, one of its streams with a decoder,
// and a packet and a frame for them. It has one owner, who closes it.
type Input struct {
	Format  *astiav.FormatContext
	Stream  *astiav.Stream
	Decoder *astiav.CodecContext
	Packet  *astiav.Packet
	Frame   *astiav.Frame
}

// OpenInput opens a file.
func OpenInput(path string, o InputOptions) (*Input, error) {
	astiav.SetLogLevel(astiav.LogLevelQuiet)
	in := &Input{Packet: astiav.AllocPacket(), Frame: astiav.AllocFrame()}
	if err := in.open(path, o); err != nil {
		in.Close()
		return nil, err
	}
	return in, nil
}

func (in *Input) open(path string, o InputOptions) error {
	format := astiav.AllocFormatContext()
	if format == nil || in.Packet == nil || in.Frame == nil {
		return errors.New("out of memory")
	}
	dict, err := Dictionary(o.Demuxer)
	if err != nil {
		format.Free()
		return err
	}
	defer dict.Free()
	if err := format.OpenInput("file:"+path, nil, dict); err != nil { // frees format when it fails
		return fmt.Errorf("read video: %w", err)
	}
	in.Format = format
	if err := format.FindStreamInfo(nil); err != nil {
		return fmt.Errorf("read video: %w", err)
	}
	if in.Stream = o.Choose(format.Streams()); in.Stream == nil {
		return errors.New("it has no video track")
	}
	return in.openDecoder(o)
}

func (in *Input) openDecoder(o InputOptions) error {
	params := in.Stream.CodecParameters()
	id := params.CodecID()
	codec := astiav.FindDecoder(id)
	if codec == nil {
		return fmt.Errorf("FFmpeg has no decoder for %s", id)
	}
	if in.Decoder = astiav.AllocCodecContext(codec); in.Decoder == nil {
		return errors.New("out of memory for the decoder")
	}
	if err := params.ToCodecContext(in.Decoder); err != nil {
		return fmt.Errorf("decoder for %s: %w", id, err)
	}
	if o.SliceThreads > 0 {
		in.Decoder.SetThreadCount(o.SliceThreads)
		in.Decoder.SetThreadType(astiav.ThreadTypeSlice)
	}
	dict, err := Dictionary(o.Decoder)
	if err != nil {
		return err
	}
	defer dict.Free()
	if err := in.Decoder.Open(codec, dict); err != nil {
		return fmt.Errorf("open decoder for %s: %w", id, err)
	}
	return nil
}

// Dictionary returns options of FFmpeg. The caller frees it.
func Dictionary(options [][2]string) (*astiav.Dictionary, error) {
	dict := astiav.NewDictionary()
	for _, kv := range options {
		if err := dict.Set(kv[0], kv[1], 0); err != nil {
			dict.Free()
			return nil, fmt.Errorf("option %s: %w", kv[0], err)
		}
	}
	return dict, nil
}

// Close frees everything; a second call does nothing.
func (in *Input) Close() {
	if in.Decoder != nil {
		in.Decoder.Free()
		in.Decoder = nil
	}
	if in.Format != nil {
		in.Format.CloseInput()
		in.Format, in.Stream = nil, nil
	}
	if in.Frame != nil {
		in.Frame.Free()
		in.Frame = nil
	}
	if in.Packet != nil {
		in.Packet.Free()
		in.Packet = nil
	}
}
