// Package bitstream looks at an access unit before any C code does, be it H.264 or
// H.265 in Annex B form or a JPEG image: an allow list of profiles, sizes and what
// may be in it, so that libavcodec meets little that a hostile camera could choose;
// and which pictures it refers to, so that none is missing which libavcodec would
// make up.
package bitstream
