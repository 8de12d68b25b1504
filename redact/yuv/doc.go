// Package yuv holds an uncompressed picture in planar YUV 4:2:0 with 8 bits a
// sample (ITU-T H.264, section 6.2), the only form in which Scrim handles
// pictures: decoder and encoder speak it natively, and redacting in it saves
// two colour conversions a frame. Memory is Go's, so a picture needs no Close.
package yuv
