// Package condition measures what makes a picture hard for a detector: how dark or
// bright it is, how little contrast it has, how noisy and how blurred it is, and how
// much of it is clipped. It looks at a grid of samples, so it takes a fraction of a
// millisecond for a picture of any size.
//
// The noise is what a Laplacian that ignores edges leaves in small blocks (J. Immerkær,
// "Fast Noise Variance Estimation", Computer Vision and Image Understanding 64, 1996);
// the blocks with the least of it count, because the others have texture.
package condition
