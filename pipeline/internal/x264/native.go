package x264

// #cgo pkg-config: x264
// #include <stdint.h>
// #include <stdlib.h>
// #include <string.h>
// #include <x264.h>
//
// static x264_t *scrim_x264_open(const char *preset, int width, int height, int threads, int full,
//                                int rate, int predicted, float crf, int kbits, int buffer) {
//     x264_param_t p;
//     int i = 0;
//     while (x264_preset_names[i] && strcmp(x264_preset_names[i], preset))
//         i++;
//     if (!x264_preset_names[i]) // x264 would print that
//         return NULL;
//     if (x264_param_default_preset(&p, preset, "zerolatency") < 0)
//         return NULL;
//     p.i_log_level = X264_LOG_NONE;
//     p.i_csp = X264_CSP_I420;
//     p.i_bitdepth = 8;
//     p.i_width = width, p.i_height = height;
//     p.i_fps_num = rate, p.i_fps_den = 1;
//     p.i_threads = threads, p.b_sliced_threads = threads > 1;
//     // Key frames are forced by time, so x264 makes none of its own.
//     p.i_keyint_max = X264_KEYINT_MAX_INFINITE, p.i_scenecut_threshold = 0, p.i_bframe = 0;
//     p.b_repeat_headers = 1, p.b_annexb = 1, p.b_aud = 0;
//     p.vui.b_fullrange = full;
//     if (predicted) {
//         // Each picture says its quantiser, so that x264 needs no look at it beforehand.
//         // It bounds them by the constant ones of P and I pictures: 1 and 51.
//         p.rc.i_rc_method = X264_RC_CQP;
//         p.rc.i_qp_constant = 1;
//         p.rc.f_ip_factor = 0.0031f; // 2^(-50/6)
//         p.rc.f_pb_factor = 1;
//         p.analyse.i_weighted_pred = X264_WEIGHTP_NONE;
//         p.rc.b_mb_tree = 0;
//     } else {
//         p.rc.i_rc_method = X264_RC_CRF;
//         p.rc.f_rf_constant = crf;
//         p.rc.i_vbv_max_bitrate = kbits, p.rc.i_vbv_buffer_size = buffer;
//     }
//     if (x264_param_apply_profile(&p, "baseline") < 0)
//         return NULL;
//     return x264_encoder_open(&p);
// }
//
// static int scrim_x264_encode(x264_t *h, uint8_t *y, int ys, uint8_t *u, uint8_t *v, int cs, int64_t pts,
//                              int key, int qp, uint8_t **data, int *is_key) {
//     x264_picture_t in, out;
//     x264_nal_t *nals;
//     int n, size;
//     x264_picture_init(&in);
//     in.img.i_csp = X264_CSP_I420, in.img.i_plane = 3;
//     in.img.plane[0] = y, in.img.plane[1] = u, in.img.plane[2] = v;
//     in.img.i_stride[0] = ys, in.img.i_stride[1] = in.img.i_stride[2] = cs;
//     in.i_pts = pts;
//     in.i_type = key ? X264_TYPE_IDR : X264_TYPE_AUTO;
//     in.i_qpplus1 = qp < 0 ? X264_QP_AUTO : qp + 1;
//     size = x264_encoder_encode(h, &nals, &n, &in, &out);
//     if (size > 0)
//         *data = nals[0].p_payload, *is_key = out.b_keyframe;
//     return size;
// }
import "C"

import (
	"errors"
	"unsafe"

	"scrim/redact/yuv"
)

// native is an encoder of libx264. Its owner closes it.
type native struct {
	h   *C.x264_t
	pts int64 // of the next picture: they need only grow
}

func newNative(o Options, predicted bool) (*native, error) {
	preset := C.CString(o.Preset)
	defer C.free(unsafe.Pointer(preset))
	h := C.scrim_x264_open(preset, C.int(o.Width), C.int(o.Height), C.int(o.Threads), flag(o.FullRange),
		nominalRate, flag(predicted), C.float(o.Quality), C.int(o.Bitrate/1000), C.int(o.buffer()/1000))
	if h == nil {
		return nil, errors.New("libx264 refuses them")
	}
	return &native{h: h}, nil
}

// encode returns one coded picture, valid until the next call. qp is its quantiser;
// below 0 x264 chooses.
func (n *native) encode(im *yuv.Image, key bool, qp int) (data []byte, isKey bool, err error) {
	var p *C.uint8_t
	var k C.int
	//nolint:gocritic // of what cgo makes of it
	size := C.scrim_x264_encode(n.h, plane(im.Y), C.int(im.YStride), plane(im.U), plane(im.V), C.int(im.CStride),
		C.int64_t(n.pts), flag(key), C.int(qp), &p, &k)
	n.pts++
	switch {
	case size < 0:
		return nil, false, errors.New("libx264 failed on a picture")
	case size == 0:
		return nil, false, errors.New("libx264 gave nothing for its picture")
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(p)), int(size)), k != 0, nil
}

func (n *native) close() {
	if n.h != nil {
		C.x264_encoder_close(n.h)
		n.h = nil
	}
}

func plane(b []byte) *C.uint8_t { return (*C.uint8_t)(unsafe.Pointer(unsafe.SliceData(b))) }

func flag(b bool) C.int {
	if b {
		return 1
	}
	return 0
}
