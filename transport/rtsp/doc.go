// Package rtsp takes H.264 from a camera over RTSP (RFC 2326, RTP payload of
// RFC 6184) and hands over complete access units. It exists to be exact about
// loss: a unit whose Discontinuity is empty follows the unit before it with
// nothing missing, because the privacy gate rests on that. What is cut short is
// never delivered; the next unit says why.
//
// The RTSP dialogue is gortsplib's. Around it this package keeps what a camera
// sends from ever reaching a parser that chokes on it (session description,
// status lines, challenges), and does the depacketising, the clock and the
// watchdog itself.
package rtsp
