package av

/*
#cgo pkg-config: libavcodec libavutil
#include <stdlib.h>
#include <string.h>
#include <libavcodec/avcodec.h>

// What is in a luma plane before anything is decoded into it: no picture has it.
static const uint8_t scrim_blank[8] = {0x00, 0xff, 0x5a, 0xa5, 0x00, 0xff, 0x5a, 0xa5};

// The plane of the picture that a packet holds, with a reference that keeps it. It is
// the first that the decoder asks memory for; others stand for references that it lacks.
struct scrim_picture {
	AVBufferRef *buf;
	const uint8_t *luma;
	int stride, width, height;
};

static int scrim_get_buffer(AVCodecContext *cc, AVFrame *f, int flags) {
	struct scrim_picture *p = cc->opaque;
	int err = avcodec_default_get_buffer2(cc, f, flags);
	if (err < 0) return err;
	if (!f->buf[0] || !f->data[0] || f->width < 8 || f->linesize[0] < f->width) return AVERROR(EINVAL);
	for (int x = 0; x + 8 <= f->width; x += 8) memcpy(f->data[0] + x, scrim_blank, 8);
	for (int y = 1; y < f->height; y++) memcpy(f->data[0] + (ptrdiff_t)y * f->linesize[0], f->data[0], f->width & ~7);
	if (p->buf) return 0;
	if (!(p->buf = av_buffer_ref(f->buf[0]))) return AVERROR(ENOMEM);
	p->luma = f->data[0];
	p->stride = f->linesize[0];
	p->width = f->width;
	p->height = f->height;
	return 0;
}

static struct scrim_picture *scrim_watch(void *context) {
	AVCodecContext *cc = context;
	struct scrim_picture *p = calloc(1, sizeof *p);
	if (p) {
		cc->opaque = p;
		cc->get_buffer2 = scrim_get_buffer;
	}
	return p;
}

static void scrim_begin(struct scrim_picture *p) { av_buffer_unref(&p->buf); }

// Every block of 16 by 16 samples is looked at in its midst, where nothing that
// smooths the edges of its neighbours reaches.
static int scrim_undecoded(const struct scrim_picture *p) {
	if (!p->buf) return 1; // it was skipped
	for (int y = 0; y + 8 <= p->height; y += 16) {
		const uint8_t *row = p->luma + (ptrdiff_t)(y + (y + 16 <= p->height ? 8 : 4)) * p->stride;
		for (int x = 0; x + 8 <= p->width; x += 16)
			if (!memcmp(row + x + (x + 16 <= p->width ? 4 : 0), scrim_blank, 8)) return 1;
	}
	return 0;
}

static void scrim_unwatch(struct scrim_picture *p) {
	scrim_begin(p);
	free(p);
}
*/
import "C"

import (
	"errors"
	"reflect"
	"unsafe"

	"github.com/asticode/go-astiav"
)

// Blocks tells whether a decoder has left blocks of a picture as they were. FFmpeg's
// H.265 decoder notices neither a slice that is missing nor one that ends early: what
// is not decoded stays what was in its memory. It is not safe for concurrent use.
type Blocks struct {
	picture *C.struct_scrim_picture
	context unsafe.Pointer
}

// WatchBlocks has a decoder that is not open yet fill each picture before decoding
// into it. The decoder must have one thread, and be freed before the Blocks.
func WatchBlocks(cc *astiav.CodecContext) (*Blocks, error) {
	// go-astiav v0.14 has no way to the context of FFmpeg that it keeps.
	field := reflect.ValueOf(cc).Elem().FieldByName("c")
	if field.Kind() != reflect.Pointer || field.IsNil() {
		return nil, errors.New("go-astiav keeps the decoder's context elsewhere; adapt WatchBlocks")
	}
	context := field.UnsafePointer()
	p := C.scrim_watch(context)
	if p == nil {
		return nil, errors.New("out of memory for the decoder")
	}
	return &Blocks{picture: p, context: context}, nil
}

// Reset has the decoder, which is open, forget all pictures and where it began.
func (b *Blocks) Reset() {
	C.scrim_begin(b.picture)
	C.avcodec_flush_buffers((*C.AVCodecContext)(b.context))
}

// Begin is called before a packet is sent to the decoder.
func (b *Blocks) Begin() { C.scrim_begin(b.picture) }

// Missing reports whether blocks of the picture in the packet are not decoded, or all
// of it was skipped, which FFmpeg does not report either. It is asked when the decoder
// is through with a packet that holds slices.
func (b *Blocks) Missing() bool { return C.scrim_undecoded(b.picture) != 0 }

// Free frees the Blocks; a second call does nothing.
func (b *Blocks) Free() {
	if b.picture != nil {
		C.scrim_unwatch(b.picture)
		b.picture = nil
	}
}
