// Package infer runs YuNet (W. Wu, H. Peng and S. Yu, "YuNet: A Tiny
// Millisecond-level Face Detector", Machine Intelligence Research 20, 2023) by
// kernels of its own, straight from planes of YUV.
//
// It reads the ONNX file, which is outside data and checked to the last
// dimension, and takes it apart into the few steps that this family of networks
// is made of. A row of the picture goes through all of them while it is in the
// processor's caches: see kernel_stream.h. The kernels are one source, compiled for
// AVX-512 with VNNI, for AVX2, and with vectors of four floats for everything
// else; which one runs is decided when the model is read.
//
// All memory is Go's. C gets it for the length of a call and keeps nothing, so
// there is nothing to close.
package infer
