// Package av is what decoder and encoder share of FFmpeg: packets padded as
// libavcodec demands it, and frames whose planes are reached without a copy.
package av
