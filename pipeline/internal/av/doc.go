// Package av is the FFmpeg code that decoders, encoders and the simulated camera share:
// opening video files, packets padded as libavcodec requires, frames whose planes are
// accessed without a copy, and conversion to 4:2:0.
package av
