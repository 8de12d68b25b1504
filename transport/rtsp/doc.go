// Package rtsp receives video from a camera over RTSP (RFC 2326) and delivers complete
// access units: H.264 (RFC 6184), H.265 (RFC 7798) or MJPEG (RFC 2435), the first of
// these that the camera offers. It is exact about loss, because the privacy gate rests
// on that: a unit without a Gap follows the previous unit with nothing missing.
// Incomplete units are never delivered; the next unit says why.
//
// gortsplib speaks RTSP. Around it, this package repairs what cameras send before a
// parser refuses it (session descriptions, status lines, challenges; see the quirks
// files), and has its own watchdog. Package depacketize turns packets into units.
//
// Promises: a Client keeps no state between calls, so its methods may be called from many
// goroutines; each call opens a connection of its own. A unit belongs to the receiver. An
// error is an *Error of one of this package's classes, or the context's, and shows no
// password. The API is not stable yet.
package rtsp
