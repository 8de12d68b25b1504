package av

/*
#cgo pkg-config: libavutil
#include <libavutil/frame.h>
#include <libavutil/buffer.h>

// Go owns the planes.
static void scrim_keep(void *opaque, uint8_t *data) {}

static int scrim_point(AVFrame *f, uint8_t *y, uint8_t *u, uint8_t *v, size_t ysize, size_t csize, int ystride, int cstride) {
	f->buf[0] = av_buffer_create(y, ysize, scrim_keep, NULL, AV_BUFFER_FLAG_READONLY);
	f->buf[1] = av_buffer_create(u, csize, scrim_keep, NULL, AV_BUFFER_FLAG_READONLY);
	f->buf[2] = av_buffer_create(v, csize, scrim_keep, NULL, AV_BUFFER_FLAG_READONLY);
	f->data[0] = y; f->data[1] = u; f->data[2] = v;
	f->linesize[0] = ystride; f->linesize[1] = cstride; f->linesize[2] = cstride;
	return f->buf[0] && f->buf[1] && f->buf[2] ? 0 : -1;
}

static int scrim_shared(AVFrame *f) {
	for (int i = 0; i < 3; i++)
		if (f->buf[i] && av_buffer_get_ref_count(f->buf[i]) > 1) return 1;
	return 0;
}

static int scrim_damaged(AVFrame *f) {
	return f->decode_error_flags != 0 || (f->flags & AV_FRAME_FLAG_CORRUPT) != 0;
}
*/
import "C"

import (
	"errors"
	"fmt"
	"runtime"
	"unsafe"

	"github.com/asticode/go-astiav"

	"scrim/redact/yuv"
)

// Planes returns the planes of a decoded 4:2:0 frame as an Image that shares
// the frame's memory: read only, and valid until the frame is unreferenced.
func Planes(f *astiav.Frame) (yuv.Image, error) {
	switch pf := f.PixelFormat(); pf {
	case astiav.PixelFormatYuv420P, astiav.PixelFormatYuvj420P:
	default:
		return yuv.Image{}, fmt.Errorf("pixel format %s is not 4:2:0 with 8 bits", pf)
	}
	return planes(f, (f.Height()+1)/2)
}

// Planes422 is Planes for a frame of 4:2:2 with full range: its chroma planes are as
// high as that of luma, and so twice as high as those of an Image otherwise are.
func Planes422(f *astiav.Frame) (yuv.Image, error) {
	if pf := f.PixelFormat(); pf != astiav.PixelFormatYuvj422P {
		return yuv.Image{}, fmt.Errorf("pixel format %s is not 4:2:2 with 8 bits and full range", pf)
	}
	return planes(f, f.Height())
}

func planes(f *astiav.Frame, chromaHeight int) (yuv.Image, error) {
	c := (*C.AVFrame)(f.UnsafePointer())
	im := yuv.Image{
		Width: int(c.width), Height: int(c.height), YStride: int(c.linesize[0]), CStride: int(c.linesize[1]),
		FullRange: f.PixelFormat() != astiav.PixelFormatYuv420P || c.color_range == C.AVCOL_RANGE_JPEG,
	}
	if yuv.CheckSize(im.Width, im.Height) != nil ||
		c.data[0] == nil || c.data[1] == nil || c.data[2] == nil ||
		im.YStride < im.Width || im.CStride < im.ChromaWidth() || c.linesize[2] != c.linesize[1] {
		return yuv.Image{}, fmt.Errorf("frame of %d×%d with strides %d, %d is not usable", im.Width, im.Height, im.YStride, im.CStride)
	}
	rows := func(p *C.uint8_t, stride, width, height int) []byte {
		return unsafe.Slice((*byte)(unsafe.Pointer(p)), stride*(height-1)+width)
	}
	im.Y = rows(c.data[0], im.YStride, im.Width, im.Height)
	im.U = rows(c.data[1], im.CStride, im.ChromaWidth(), chromaHeight)
	im.V = rows(c.data[2], im.CStride, im.ChromaWidth(), chromaHeight)
	return im, nil
}

// Damaged reports whether the decoder marked the frame as wrong. That it did
// not says little.
func Damaged(f *astiav.Frame) bool { return C.scrim_damaged((*C.AVFrame)(f.UnsafePointer())) != 0 }

// Moment returns when a decoded frame is shown and for how long, in ticks of its
// stream. ok is false when not even a guess is known; an unknown duration is 0.
func Moment(f *astiav.Frame) (pts, duration int64, ok bool) {
	c := (*C.AVFrame)(f.UnsafePointer())
	return int64(c.best_effort_timestamp), max(0, int64(c.pkt_duration)), c.best_effort_timestamp != C.AV_NOPTS_VALUE
}

// Position returns the position of the packet that a decoded frame was coded
// in: what the packet was given by SetPos. Negative: unknown.
func Position(f *astiav.Frame) int64 { return int64((*C.AVFrame)(f.UnsafePointer()).pkt_pos) }

// Interlaced reports whether a decoded frame holds two fields, which may have
// come in two packets.
func Interlaced(f *astiav.Frame) bool {
	return (*C.AVFrame)(f.UnsafePointer()).interlaced_frame != 0
}

// Colour is how samples become colours: the numbers of ITU-T H.273.
type Colour struct{ Primaries, Transfer, Matrix int }

// ColourOf returns what a decoded frame says of its colours.
func ColourOf(f *astiav.Frame) Colour {
	c := (*C.AVFrame)(f.UnsafePointer())
	return Colour{Primaries: int(c.color_primaries), Transfer: int(c.color_trc), Matrix: int(c.colorspace)}
}

// Lend lets f point to the planes of im for the duration of use, without a
// copy. The picture is pinned meanwhile. When use has kept a reference to the
// planes, Lend fails: their memory must not be written any more by the caller.
func Lend(f *astiav.Frame, im *yuv.Image, use func() error) error {
	if len(im.Y) == 0 || len(im.U) == 0 || len(im.V) == 0 {
		return errors.New("picture has no planes")
	}
	var pin runtime.Pinner
	pin.Pin(&im.Y[0])
	pin.Pin(&im.U[0])
	pin.Pin(&im.V[0])
	defer pin.Unpin()
	f.Unref()
	c := (*C.AVFrame)(f.UnsafePointer())
	f.SetWidth(im.Width)
	f.SetHeight(im.Height)
	f.SetPixelFormat(astiav.PixelFormatYuv420P)
	defer f.Unref()
	if C.scrim_point(c, (*C.uint8_t)(&im.Y[0]), (*C.uint8_t)(&im.U[0]), (*C.uint8_t)(&im.V[0]),
		C.size_t(len(im.Y)), C.size_t(len(im.U)), C.int(im.YStride), C.int(im.CStride)) != 0 {
		return errors.New("out of memory for the frame's buffers")
	}
	if err := use(); err != nil {
		return err
	}
	if C.scrim_shared(c) != 0 {
		return errors.New("encoder keeps a reference to the picture")
	}
	return nil
}
