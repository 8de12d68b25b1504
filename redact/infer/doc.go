// Package infer runs YuNet (W. Wu, H. Peng and S. Yu, "YuNet: A Tiny
// Millisecond-level Face Detector", Machine Intelligence Research 20, 2023) with its
// own kernels, directly on planes of YUV 4:2:0. It takes about a quarter of the time
// of OpenCV's DNN module (5.6 ms instead of 21.2 ms for 640×384).
//
// # From the file to a plan
//
// The model is an ONNX file with float32 weights. It is outside data: everything in
// it is checked, and errors wrap ErrModel. Reading takes three steps:
//
//   - onnx.go parses the protobuf to a graph of nodes and constant tensors.
//   - graph.go walks the graph from its outputs cls_S, obj_S and bbox_S, for the
//     strides S of 8, 16 and 32, back to the input. It accepts only the patterns of
//     this family of networks and turns each into a step.
//   - pack.go writes the steps as a scrim_plan (net.h), with the weights in the order
//     in which the kernels read them.
//
// The kinds of steps are:
//
//	stem   3×3 convolution with stride 2 of the three colours, ReLU
//	unit   1×1 convolution, depthwise 3×3 convolution, ReLU
//	pool   maximum of 2×2
//	add    sum of a map and another one of half its size, scaled up
//	head   1×1 and depthwise 3×3 convolutions to the outputs of one stride
//
// # Layouts
//
// Maps are channels-last rows of float32: pixels from left to right, each with its
// channels, padded to a multiple of 16 (SCRIM_BLOCK, the longest vector). Pointwise
// weights are stored by input, with all outputs of an input next to each other. On
// the integer paths they are pairs of int16, for two inputs each, with one scale per
// output; pack.go bounds their sums so that no result exceeds 32 bits.
//
// Rows stream through the network (kernel_stream.h): each step processes a row as
// soon as it is complete and pushes its own rows to its consumers. A convolution
// therefore keeps a ring of three rows, and only the fine input of a sum is kept as a
// whole map. run.c computes where these lie in the working memory.
//
// The outputs are the class scores, objectness scores and boxes, each for the strides
// 8, 16 and 32, and within a stride row by row.
//
// # Engines
//
// kernel.h and the kernel_*.h files are one source, written with GCC's vector types.
// generic.c, avx2.c and avx512.c include it with their own vector length and
// instructions. The paths are, the fastest first:
//
//	avx512          AVX-512 with VNNI, 16-bit products
//	avx2            AVX2, 16-bit products
//	avx512 floats   AVX-512
//	avx2 floats     AVX2 and FMA
//	generic         vectors of four floats, for all other processors
//
// Read tries the model on a small picture and uses the first path whose scores are
// those of the generic one within 0.02.
//
// All memory is Go's. C gets it for the duration of a call and keeps nothing, so there
// is nothing to close.
//
// # Tests
//
// reference_test.go is a slow and plain implementation in Go with float64. Tests
// compare every path that the processor has with it, on networks with random weights
// and on inputs that reach outside the picture: within 1e-5 for floats, 1e-2 for 16-bit
// products. Package detect compares the faces found with those found by OpenCV, on
// drawn people and on photographs. FuzzRead feeds damaged files to Read.
//
// # Adding an operator
//
//   - Add a kind to graph.go and, at the same place, to enum scrim_kind in net.h.
//   - Recognise the ONNX nodes in graph.go. Check every dimension and attribute: the C
//     code checks nothing.
//   - Place its weights in pack.go, and its rows in scrim_lay_out (run.c).
//   - Write its kernel in a kernel_*.h file, and call it from push in kernel_stream.h.
//     Return the largest value of each row, which detects overflow and scales the
//     16-bit products of the next step.
//   - Implement it in compute of reference_test.go, and use it in the network that
//     build_test.go makes.
package infer
