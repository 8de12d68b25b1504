// Command scrim takes camera streams in, has every face in them obscured by
// redactor processes, and shows only the redacted video.
//
// It is pure Go: it links neither OpenCV nor FFmpeg, so it could not decode a
// picture if it wanted to. Each command is a file of this package.
package main
