package decode

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/asticode/go-astiav"

	"scrim/pipeline/internal/av"
	"scrim/redact/yuv"
)

const (
	// demuxers are the containers that are opened. Playlists, and what refers to
	// other files or addresses in other ways, are not among them.
	demuxers = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,flv,asf,mxf,ogg,h264,hevc,av1,obu,ivf,m4v,mjpeg,gif,dv,nut,yuv4mpegpipe,wtv,rm"
	// protocols are how FFmpeg may reach what it reads.
	protocols = "file"
	// fallbackRate is used for files that do not say their rate, in pictures a second.
	fallbackRate = 25
	// maxSkipped bounds the packets without a picture at the start of a file.
	maxSkipped = 10_000
	// matrixRGB and matrixBT601 are matrices of ITU-T H.273.
	matrixRGB   = 0
	matrixBT601 = 6
	// sliceThreads decode one picture together; unlike frame threads they delay no error.
	sliceThreads = 4
)

// FilePicture is one picture of a file, in the order of display.
type FilePicture struct {
	// Image comes from the pool and is the receiver's to put back.
	Image *yuv.Image
	// PTS and Duration are in ticks of the file's time base. PTS grows strictly;
	// a Duration of 0 is unknown.
	PTS, Duration int64
	// Key is set when decoding could have started here.
	Key bool
	// Damage says what was wrong with this picture, or with the input since the
	// picture before; empty when nothing is known of it.
	Damage string
}

// FileInfo describes a file's video.
type FileInfo struct {
	// Width and Height of the pictures, turned the way they are looked at, even.
	Width, Height int
	TimeBase      astiav.Rational
	// Rate is about how many pictures come a second.
	Rate astiav.Rational
	// Aspect is the shape of a sample; 0 is unknown.
	Aspect    astiav.Rational
	Colour    av.Colour
	FullRange bool
	// Frames is how many pictures to expect, about; 0 is unknown.
	Frames int64
	// Audio are the audio tracks.
	Audio []FileAudio
}

// FileAudio is an audio track.
type FileAudio struct {
	Parameters *astiav.CodecParameters
	TimeBase   astiav.Rational
	stream     int
}

// FileOptions are a File's settings.
type FileOptions struct {
	// Pool gives the Images; nil: a pool of the file's own.
	Pool *yuv.Pool
	// Audio gets the packets of the audio tracks, which it must not keep; nil:
	// they are dropped.
	Audio func(track int, p *astiav.Packet) error
}

// File decodes the video of a file, whatever its codec. It is not safe for
// concurrent use.
type File struct {
	o       FileOptions
	info    FileInfo
	turned  orientation
	format  *astiav.FormatContext
	stream  *astiav.Stream
	cc      *astiav.CodecContext
	packet  *astiav.Packet
	frame   *astiav.Frame
	scaler  scaler
	first   *FilePicture
	damage  string
	last    int64
	step    int64
	started bool
	drained bool
}

// OpenFile opens a file and decodes its first picture. The caller closes it.
func OpenFile(path string, o FileOptions) (*File, error) {
	astiav.SetLogLevel(astiav.LogLevelQuiet)
	if o.Pool == nil {
		o.Pool = new(yuv.Pool)
	}
	f := &File{o: o, packet: astiav.AllocPacket(), frame: astiav.AllocFrame()}
	if err := f.open(path); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

func (f *File) open(path string) error {
	in := astiav.AllocFormatContext()
	if in == nil || f.packet == nil || f.frame == nil {
		return errors.New("out of memory")
	}
	dict := astiav.NewDictionary()
	defer dict.Free()
	for _, kv := range [][2]string{{"format_whitelist", demuxers}, {"protocol_whitelist", protocols}} {
		if err := dict.Set(kv[0], kv[1], 0); err != nil {
			in.Free()
			return fmt.Errorf("demuxer option %s: %w", kv[0], err)
		}
	}
	if err := in.OpenInput("file:"+path, nil, dict); err != nil { // frees in when it fails
		return fmt.Errorf("read video: %w", err)
	}
	f.format = in
	if err := in.FindStreamInfo(nil); err != nil {
		return fmt.Errorf("read video: %w", err)
	}
	if f.choose(); f.stream == nil {
		return errors.New("it has no video track")
	}
	if err := f.openDecoder(); err != nil {
		return err
	}
	var err error
	if f.turned, err = displayOrientation(f.stream.SideData(astiav.PacketSideDataTypeDisplaymatrix)); err != nil {
		return err
	}
	return f.begin()
}

// choose picks the video track: the first, but a cover picture only when there
// is nothing else.
func (f *File) choose() {
	var cover *astiav.Stream
	for _, s := range f.format.Streams() {
		switch s.CodecParameters().MediaType() {
		case astiav.MediaTypeVideo:
			switch id := s.CodecParameters().CodecID(); {
			case f.stream != nil:
			case id == astiav.CodecIDMjpeg || id == astiav.CodecIDPng || id == astiav.CodecIDBmp || id == astiav.CodecIDGif:
				if cover == nil {
					cover = s
				}
			default:
				f.stream = s
			}
		case astiav.MediaTypeAudio:
			f.info.Audio = append(f.info.Audio, FileAudio{Parameters: s.CodecParameters(), TimeBase: s.TimeBase(), stream: s.Index()})
		}
	}
	if f.stream == nil {
		f.stream = cover
	}
}

func (f *File) openDecoder() error {
	params := f.stream.CodecParameters()
	codec := astiav.FindDecoder(params.CodecID())
	if codec == nil {
		return fmt.Errorf("FFmpeg has no decoder for %s", params.CodecID())
	}
	if f.cc = astiav.AllocCodecContext(codec); f.cc == nil {
		return errors.New("out of memory for the decoder")
	}
	if err := params.ToCodecContext(f.cc); err != nil {
		return fmt.Errorf("decoder for %s: %w", params.CodecID(), err)
	}
	f.cc.SetThreadCount(sliceThreads)
	f.cc.SetThreadType(astiav.ThreadTypeSlice)
	dict := astiav.NewDictionary()
	defer dict.Free()
	if err := dict.Set("max_pixels", fmt.Sprint(yuv.MaxSide*yuv.MaxSide), 0); err != nil {
		return fmt.Errorf("decoder option max_pixels: %w", err)
	}
	// Anything that libavcodec can check is checked, to know of damage.
	if err := dict.Set("err_detect", "crccheck+bitstream+buffer", 0); err != nil {
		return fmt.Errorf("decoder option err_detect: %w", err)
	}
	if err := f.cc.Open(codec, dict); err != nil {
		return fmt.Errorf("open decoder for %s: %w", params.CodecID(), err)
	}
	return nil
}

// begin decodes the first picture, which says more than the container does.
func (f *File) begin() error {
	i := &f.info
	i.TimeBase, i.Rate = f.stream.TimeBase(), f.format.GuessFrameRate(f.stream, nil)
	if i.Rate.Num() < 1 || i.Rate.Den() < 1 {
		i.Rate = astiav.NewRational(fallbackRate, 1)
	}
	if i.TimeBase.Num() < 1 || i.TimeBase.Den() < 1 {
		return fmt.Errorf("time base %d/%d is not usable", i.TimeBase.Num(), i.TimeBase.Den())
	}
	perPicture := float64(i.TimeBase.Den()) * float64(i.Rate.Den()) / (float64(i.TimeBase.Num()) * float64(i.Rate.Num()))
	f.step = max(1, int64(perPicture))
	if i.Frames = f.stream.NbFrames(); i.Frames <= 0 {
		seconds := float64(f.format.Duration()) / 1e6 // AV_TIME_BASE
		i.Frames = max(0, int64(seconds*float64(i.Rate.Num())/float64(i.Rate.Den())))
	}
	if err := f.receive(); err != nil {
		if errors.Is(err, io.EOF) {
			return errors.New("it holds no picture that can be decoded")
		}
		return err
	}
	i.Width, i.Height = f.turned.size(f.frame.Width()&^1, f.frame.Height()&^1)
	if i.Width < 2 || i.Height < 2 {
		return fmt.Errorf("pictures of %d×%d pixels are too small for video", f.frame.Width(), f.frame.Height())
	}
	if err := yuv.CheckSize(i.Width, i.Height); err != nil {
		return err
	}
	i.Aspect = f.format.GuessSampleAspectRatio(f.stream, f.frame)
	if f.turned.transpose {
		i.Aspect = astiav.NewRational(i.Aspect.Den(), i.Aspect.Num())
	}
	if i.Colour = av.ColourOf(f.frame); i.Colour.Matrix == matrixRGB {
		i.Colour.Matrix = matrixBT601 // what swscale makes of it
	}
	p, err := f.take()
	f.frame.Unref()
	if err != nil {
		return err
	}
	i.FullRange, f.first = p.Image.FullRange, &p
	return nil
}

// Info describes the video.
func (f *File) Info() FileInfo { return f.info }

// Next returns the next picture; io.EOF after the last.
func (f *File) Next() (FilePicture, error) {
	if p := f.first; p != nil {
		f.first = nil
		return *p, nil
	}
	if err := f.receive(); err != nil {
		return FilePicture{}, err
	}
	defer f.frame.Unref()
	return f.take()
}

// receive leaves the next decoded picture in f.frame.
func (f *File) receive() error {
	for range maxSkipped {
		err := f.cc.ReceiveFrame(f.frame)
		switch {
		case err == nil:
			return nil
		case errors.Is(err, astiav.ErrEof):
			return io.EOF
		case errors.Is(err, astiav.ErrEagain):
			if f.drained {
				return io.EOF
			}
			if err := f.feed(); err != nil {
				return err
			}
		case f.drained:
			return io.EOF // what was held back is lost
		default:
			f.hurt(err)
		}
	}
	return fmt.Errorf("no picture can be decoded from %d packets", maxSkipped)
}

// feed hands the next packet of the video to the decoder; at the end of the
// file it asks for the pictures that are left.
func (f *File) feed() error {
	for {
		err := f.format.ReadFrame(f.packet)
		if err != nil {
			if !errors.Is(err, astiav.ErrEof) {
				f.hurt(err) // the rest of the file is lost
			}
			f.drained = true
			if err := f.cc.SendPacket(nil); err != nil && !errors.Is(err, astiav.ErrEof) {
				return fmt.Errorf("decode: %w", err)
			}
			return nil
		}
		if f.packet.StreamIndex() == f.stream.Index() {
			break
		}
		err = f.sound()
		f.packet.Unref()
		if err != nil {
			return err
		}
	}
	defer f.packet.Unref()
	if f.packet.Flags().Has(astiav.PacketFlagCorrupt) {
		f.hurt(errors.New("the container lost data"))
	}
	if err := f.cc.SendPacket(f.packet); err != nil {
		f.hurt(err)
	}
	return nil
}

// hurt notes damage for the next picture.
func (f *File) hurt(err error) {
	if f.damage == "" {
		f.damage = "input is damaged: " + strings.ToLower(err.Error())
	}
}

// sound passes on a packet of an audio track.
func (f *File) sound() error {
	if f.o.Audio == nil {
		return nil
	}
	for i, a := range f.info.Audio {
		if a.stream == f.packet.StreamIndex() {
			return f.o.Audio(i, f.packet)
		}
	}
	return nil
}

// take copies the decoder's picture.
func (f *File) take() (FilePicture, error) {
	if av.Damaged(f.frame) {
		f.hurt(errors.New("a picture is incomplete"))
	}
	w, h := f.turned.size(f.info.Width, f.info.Height)
	src, err := f.scaler.planes(f.frame, w, h)
	if err != nil {
		return FilePicture{}, err
	}
	p := FilePicture{Damage: f.damage, Key: f.frame.KeyFrame() && f.frame.PictureType() != astiav.PictureTypeP}
	f.damage = ""
	if p.Image, err = f.o.Pool.Get(f.info.Width, f.info.Height); err != nil {
		return FilePicture{}, err
	}
	f.turned.turn(p.Image, &src)
	pts, duration, ok := av.Moment(f.frame)
	if !ok || f.started && pts <= f.last {
		pts = f.last + 1
		if !ok {
			pts = f.last + f.step
		}
		if !f.started {
			pts = 0
		}
	}
	p.PTS, p.Duration = pts, duration
	f.last, f.started = pts, true
	return p, nil
}

// Close frees everything; a second call does nothing.
func (f *File) Close() {
	f.scaler.close()
	if f.first != nil {
		f.o.Pool.Put(f.first.Image)
		f.first = nil
	}
	if f.cc != nil {
		f.cc.Free()
		f.cc = nil
	}
	if f.format != nil {
		f.format.CloseInput()
		f.format, f.stream = nil, nil
	}
	if f.frame != nil {
		f.frame.Free()
		f.frame = nil
	}
	if f.packet != nil {
		f.packet.Free()
		f.packet = nil
	}
}
