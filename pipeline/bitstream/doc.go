// Package bitstream looks at an H.264 access unit (ITU-T H.264, Annex B) before
// any C code does: an allow list of profiles, sizes and NAL unit types, so that
// libavcodec meets little that a hostile camera could choose; and the numbers of
// the pictures, so that none is missing which libavcodec would make up.
package bitstream
