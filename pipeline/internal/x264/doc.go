// Package x264 codes YUV pictures as H.264 with libx264 through libavcodec, for
// the least delay: one picture in, one access unit out. It takes any picture,
// which is why it is internal: outside the simulated camera only package encode
// may use it, and that takes nothing but a redact.Frame.
package x264
