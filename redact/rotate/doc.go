// Package rotate turns pictures in planar YUV 4:2:0 by multiples of 90 degrees, and
// mirrors them. Planes are transposed in blocks that fit the registers of the
// processor. Written sample by sample, each sample of a row of the result would come
// from another cache line.
//
// A plane is only permuted, never resampled: turning back restores every sample. In a
// picture with an odd side, the chroma samples next to the odd edge are displaced by one
// luma sample at most.
package rotate
