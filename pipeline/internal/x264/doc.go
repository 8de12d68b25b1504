// Package x264 codes YUV pictures as H.264 with libx264: an Encoder for the least
// delay, one picture in, one access unit out, and a Stream (through libavcodec) for
// files. They take any picture, which is why it is internal: outside the simulated
// camera only package encode may use it, and that takes nothing but a redact.Frame.
package x264
