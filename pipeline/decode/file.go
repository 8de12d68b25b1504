package decode

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/asticode/go-astiav"

	"scrim/pipeline/bitstream"
	"scrim/pipeline/internal/av"
	"scrim/redact/geom"
	"scrim/redact/rotate"
	"scrim/redact/yuv"
)

const (
	// demuxers are the containers that are opened. Playlists and other formats that
	// refer to other files or addresses are not among them.
	demuxers = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,flv,asf,mxf,ogg,h264,hevc,av1,obu,ivf,m4v,mjpeg,gif,dv,nut,yuv4mpegpipe,wtv,rm"
	// protocols are how FFmpeg may access its input.
	protocols = "file"
	// fallbackRate is used for files without a frame rate, in pictures per second.
	fallbackRate = 25
	// maxSkipped limits the packets without a picture at the start of a file.
	maxSkipped = 10_000
	// matrixRGB and matrixBT601 are matrices of ITU-T H.273.
	matrixRGB   = 0
	matrixBT601 = 6
	// sliceThreads decode one picture together; unlike frame threads they delay no error.
	sliceThreads = 4
)

// FilePicture is one picture of a file, in the order of display.
type FilePicture struct {
	// Image comes from the pool; the receiver puts it back.
	Image *yuv.Image
	// PTS and Duration are in ticks of the file's time base. PTS grows strictly;
	// a Duration of 0 is unknown.
	PTS, Duration int64
	// Key is set when decoding could have started here.
	Key bool
	// Damage is what is wrong with this picture, or with one that it may refer to.
	// It is set from the damaged picture on, in decoding order, until the next key
	// picture. Empty if no damage is known.
	Damage string
}

// FileInfo describes a file's video.
type FileInfo struct {
	// Width and Height of the pictures, upright and even. Pictures of odd size are
	// padded by repeating the last column or row.
	Width, Height int
	// Oriented is set if the file asks for a turn.
	Oriented bool
	TimeBase astiav.Rational
	// Rate is the approximate number of pictures per second.
	Rate astiav.Rational
	// Aspect is the shape of a sample; 0 is unknown.
	Aspect    astiav.Rational
	Colour    av.Colour
	FullRange bool
	// Frames is the approximate number of pictures; 0 is unknown.
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
	// Rotate is by how much pictures are turned after they were turned as the file says.
	Rotate geom.Rotation
	// Pool provides the Images; nil: a pool of the file's own.
	Pool *yuv.Pool
	// Audio is called with the packets of the audio tracks, which it must not keep.
	// If nil, they are dropped.
	Audio func(track int, p *astiav.Packet) error
}

// File decodes the video of a file of any codec. It is not safe for
// concurrent use.
type File struct {
	o       FileOptions
	info    FileInfo
	turned  rotate.Orientation
	in      *av.Input
	scaler  av.Scaler
	avc     *avcCheck // nil for other codecs than H.264, and H.264 that cannot be checked
	loss    losses
	held    []heldPicture // decoded, not returned yet
	ending  FileEnding
	read    int64 // packets of the video
	last    int64
	step    int64
	end     int64 // of the last picture
	started bool
	drained bool
	ended   bool
	cut     bool // the last packet was incomplete
	// width and height are the size of the first picture, as coded.
	width, height int
}

// heldPicture is a picture that waits until those sent before it are decoded:
// only then is their damage known.
type heldPicture struct {
	FilePicture
	span
}

// OpenFile opens a file and decodes its first picture. The caller closes it.
func OpenFile(path string, o FileOptions) (*File, error) {
	if o.Pool == nil {
		o.Pool = new(yuv.Pool)
	}
	f := &File{o: o}
	if err := f.open(path); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

func (f *File) open(path string) error {
	in, err := av.OpenInput(path, av.InputOptions{
		Demuxer: [][2]string{{"format_whitelist", demuxers}, {"protocol_whitelist", protocols}},
		Decoder: [][2]string{
			{"max_pixels", fmt.Sprint(yuv.MaxSide * yuv.MaxSide)},
			// Anything that libavcodec can check is checked, to know of damage.
			{"err_detect", "crccheck+bitstream+buffer"},
		},
		Choose: f.choose, SliceThreads: sliceThreads,
	})
	if err != nil {
		return err
	}
	f.in = in
	switch params := in.Stream.CodecParameters(); params.CodecID().Name() {
	case "h264":
		if f.avc, err = newAVCCheck(params.ExtraData()); err != nil {
			f.unchecked(err)
		}
	case "vp8", "vp9", "av1":
		f.loss.hidden = true
	}
	if f.turned, err = displayOrientation(in.Stream.SideData(astiav.PacketSideDataTypeDisplaymatrix)); err != nil {
		return err
	}
	f.info.Oriented = f.turned != rotate.Orientation{}
	f.turned = f.turned.Then(rotate.By(f.o.Rotate))
	return f.decodeFirst()
}

// choose returns the first video stream that is not a cover picture, else the
// cover picture. It notes the audio tracks.
func (f *File) choose(streams []*astiav.Stream) *astiav.Stream {
	var video, cover *astiav.Stream
	for _, s := range streams {
		switch s.CodecParameters().MediaType() {
		case astiav.MediaTypeVideo:
			switch s.CodecParameters().CodecID() {
			case astiav.CodecIDMjpeg, astiav.CodecIDPng, astiav.CodecIDBmp, astiav.CodecIDGif:
				cover = cmp.Or(cover, s)
			default:
				video = cmp.Or(video, s)
			}
		case astiav.MediaTypeAudio:
			f.info.Audio = append(f.info.Audio, FileAudio{Parameters: s.CodecParameters(), TimeBase: s.TimeBase(), stream: s.Index()})
		}
	}
	return cmp.Or(video, cover)
}

// decodeFirst decodes the first picture: its properties are more reliable than the
// container's.
func (f *File) decodeFirst() error {
	i := &f.info
	i.TimeBase, i.Rate = f.in.Stream.TimeBase(), f.in.Format.GuessFrameRate(f.in.Stream, nil)
	if i.Rate.Num() < 1 || i.Rate.Den() < 1 {
		i.Rate = astiav.NewRational(fallbackRate, 1)
	}
	if i.TimeBase.Num() < 1 || i.TimeBase.Den() < 1 {
		return fmt.Errorf("time base %d/%d is not usable", i.TimeBase.Num(), i.TimeBase.Den())
	}
	perPicture := float64(i.TimeBase.Den()) * float64(i.Rate.Den()) / (float64(i.TimeBase.Num()) * float64(i.Rate.Num()))
	f.step = max(1, int64(perPicture))
	if i.Frames = f.in.Stream.NbFrames(); i.Frames <= 0 {
		seconds := float64(f.in.Format.Duration()) / 1e6 // AV_TIME_BASE
		i.Frames = max(0, int64(seconds*float64(i.Rate.Num())/float64(i.Rate.Den())))
	}
	if err := f.receive(); err != nil {
		if errors.Is(err, io.EOF) {
			return errors.New("it has no picture that can be decoded")
		}
		return err
	}
	f.width, f.height = f.in.Frame.Width(), f.in.Frame.Height()
	if f.width < 2 || f.height < 2 {
		return fmt.Errorf("pictures of %d×%d pixels are too small for video", f.width, f.height)
	}
	w, h := f.turned.Size(f.width, f.height)
	if i.Width, i.Height = (w+1)&^1, (h+1)&^1; i.Width != w || i.Height != h {
		f.ending.warn("pictures of %d×%d are padded to %d×%d: the output must have an even size", w, h, i.Width, i.Height)
	}
	if err := yuv.CheckSize(i.Width, i.Height); err != nil {
		return err
	}
	i.Aspect = f.in.Format.GuessSampleAspectRatio(f.in.Stream, f.in.Frame)
	if f.turned.Transpose {
		i.Aspect = astiav.NewRational(i.Aspect.Den(), i.Aspect.Num())
	}
	if i.Colour = av.ColourOf(f.in.Frame); i.Colour.Matrix == matrixRGB {
		i.Colour.Matrix = matrixBT601 // swscale converts to it
	}
	defer f.in.Frame.Unref()
	if err := f.hold(); err != nil {
		return err
	}
	i.FullRange = f.held[0].Image.FullRange
	return nil
}

// Info describes the video.
func (f *File) Info() FileInfo { return f.info }

// Next returns the next picture. After the last it returns io.EOF, and Ending
// reports whether the file was complete.
func (f *File) Next() (FilePicture, error) {
	for !f.ended && (len(f.held) == 0 || !f.loss.settled(f.held[0].span, len(f.held))) {
		if err := f.decode(); err != nil {
			return FilePicture{}, err
		}
	}
	if len(f.held) == 0 {
		f.checkEnding()
		return FilePicture{}, io.EOF
	}
	p := f.held[0]
	f.held = f.held[1:]
	p.Damage = f.loss.shown(p.span, p.Key)
	return p.FilePicture, nil
}

// decode decodes one more picture, or notes that there is none.
func (f *File) decode() error {
	if err := f.receive(); errors.Is(err, io.EOF) {
		f.ended = true
		return nil
	} else if err != nil {
		return err
	}
	defer f.in.Frame.Unref()
	return f.hold()
}

// receive stores the next decoded picture in f.in.Frame.
func (f *File) receive() error {
	for range maxSkipped {
		err := f.in.Decoder.ReceiveFrame(f.in.Frame)
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
			f.noteDamage(err)
			return io.EOF // the pictures in the decoder are lost
		default:
			f.noteDamage(err)
		}
	}
	return fmt.Errorf("no picture can be decoded from %d packets", maxSkipped)
}

// feed sends the next video packet to the decoder. At the end of the file it
// starts draining the decoder.
func (f *File) feed() error {
	for {
		err := f.in.Format.ReadFrame(f.in.Packet)
		if err != nil {
			if !errors.Is(err, astiav.ErrEof) {
				f.ending.Err = fmt.Errorf("read video: %w", err)
			}
			f.drained = true
			if err := f.in.Decoder.SendPacket(nil); err != nil && !errors.Is(err, astiav.ErrEof) {
				return fmt.Errorf("decode: %w", err)
			}
			return nil
		}
		if f.in.Packet.StreamIndex() == f.in.Stream.Index() {
			break
		}
		err = f.copyAudio()
		f.in.Packet.Unref()
		if err != nil {
			return err
		}
	}
	defer f.in.Packet.Unref()
	return f.send()
}

// send sends a video packet to the decoder.
func (f *File) send() error {
	f.read++
	if f.in.Packet.Size() == 0 {
		return nil // it repeats the last picture; the decoder would take it for the end
	}
	flags := f.in.Packet.Flags()
	n, holds := f.loss.sent+1, !flags.Has(astiav.PacketFlagDiscard)
	f.loss.sent = n
	// The decoder returns the position with the picture. Unlike time stamps it is
	// always known and unique.
	f.in.Packet.SetPos(n)
	if f.cut = flags.Has(astiav.PacketFlagCorrupt); f.cut {
		f.noteDamage(errors.New("the container lost data"))
	}
	if f.avc != nil {
		picture, reason, err := f.avc.check(f.in.Packet)
		switch {
		case errors.Is(err, bitstream.ErrUnsupported) && !f.avc.begun:
			f.unchecked(err)
		case err != nil:
			f.noteDamage(err)
		case reason != "":
			f.noteDamage(errors.New(reason))
		default:
			holds = holds && picture
		}
	}
	if holds {
		f.loss.await(n)
	}
	if err := f.in.Decoder.SendPacket(f.in.Packet); err != nil {
		f.noteDamage(err)
		f.loss.arrived(span{n, n})
	}
	return nil
}

// unchecked disables the check for loss: it does not support this H.264.
func (f *File) unchecked(err error) {
	f.avc = nil
	f.ending.warn("lost pictures may go unnoticed: %v", err)
}

// noteDamage notes damage of the packet that was sent last.
func (f *File) noteDamage(err error) {
	f.loss.noteDamage(f.loss.sent, "input is damaged: "+strings.ToLower(err.Error()))
}

// copyAudio passes on a packet of an audio track.
func (f *File) copyAudio() error {
	if f.o.Audio == nil {
		return nil
	}
	for i, a := range f.info.Audio {
		if a.stream == f.in.Packet.StreamIndex() {
			return f.o.Audio(i, f.in.Packet)
		}
	}
	return nil
}

// hold copies the decoder's picture to the held ones.
func (f *File) hold() error {
	at := f.span()
	if av.Damaged(f.in.Frame) {
		f.loss.noteDamage(at.last, "input is damaged: a picture is incomplete")
	}
	f.loss.arrived(at)
	src, err := f.scaler.Planes(f.in.Frame, f.width, f.height)
	if err != nil {
		return err
	}
	p := FilePicture{Key: f.in.Frame.KeyFrame() && f.in.Frame.PictureType() != astiav.PictureTypeP}
	if p.Image, err = f.o.Pool.Get(f.info.Width, f.info.Height); err != nil {
		return err
	}
	if err := f.turned.Image(p.Image, &src); err != nil {
		f.o.Pool.Put(p.Image)
		return err
	}
	pts, duration, ok := av.Moment(f.in.Frame)
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
	f.end = pts + max(duration, f.step)
	f.held = append(f.held, heldPicture{p, at})
	return nil
}

// span returns the packets that the decoder's picture may have come in.
func (f *File) span() span {
	n := av.Position(f.in.Frame)
	if n < 1 || n > f.loss.sent {
		n = f.loss.sent
	}
	if f.in.Stream.CodecParameters().CodecID() == astiav.CodecIDH264 && av.Interlaced(f.in.Frame) {
		// The packet is that of either field.
		return span{max(1, n-1), n + 1}
	}
	return span{n, n}
}

// Close frees everything; a second call does nothing.
func (f *File) Close() {
	f.scaler.Close()
	for _, p := range f.held {
		f.o.Pool.Put(p.Image)
	}
	f.held = nil
	if f.in != nil {
		f.in.Close()
	}
}
