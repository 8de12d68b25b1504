// Command scrim reads camera streams, lets redactor processes obscure every face in them,
// and serves only the redacted video.
//
// It is pure Go. It links neither OpenCV nor FFmpeg, so it cannot decode a picture. This
// package has flags, the mapping of the configuration to options of packages, and output.
package main
