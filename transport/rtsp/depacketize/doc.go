// Package depacketize builds complete access units from the RTP packets of a camera:
// H.264 (RFC 6184), H.265 (RFC 7798) or MJPEG (RFC 2435).
//
// gortsplib's decoders are not used, because they lose data silently: a fragmented NAL
// unit without end that is followed by another packet, a picture whose last packet is
// lost, and the NAL units before an error all vanish without an error. Its decoder of
// MJPEG does not support restart intervals.
package depacketize
