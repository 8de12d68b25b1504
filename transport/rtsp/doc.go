// Package rtsp takes video from a camera over RTSP (RFC 2326) and hands over
// complete access units: H.264 (RFC 6184), H.265 (RFC 7798) or MJPEG (RFC 2435), the
// first of these that it offers. It exists to be exact about loss: a unit
// without a Gap follows the previous unit with nothing missing, because the privacy gate rests on that. What is cut short is
// never delivered; the next unit says why.
//
// The RTSP dialogue is gortsplib's. Around it this package keeps what a camera
// sends from ever reaching a parser that chokes on it (session description,
// status lines, challenges), and does the depacketising, the clock and the
// watchdog itself.
package rtsp
