// Package streaminfo measures a camera's video by its RTP packets: codec profile, size,
// actual rate, distance of key frames, bit rate, slices, order, loss and clock. It does
// not decode pictures and keeps none; it reads the first bytes of each NAL unit (ITU-T
// H.264, H.265; RFC 6184, 7798, 2435).
package streaminfo
