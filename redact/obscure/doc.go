// Package obscure makes regions of a picture unrecognisable, in place and in
// all three planes. What it leaves of a region is bounded by construction, so
// that tests can prove it:
//
//   - Veil and Fill leave nothing. Two pictures that differ only inside the
//     regions come out byte for byte the same.
//   - Mosaic and Blur leave a few coarse cells of 5 bits. Two pictures that
//     share those cells come out the same; Blur interpolates between the cells
//     and never looks at the pixels.
//
// A region is a rectangle or, within one, a Shape. In the luma plane exactly the
// regions are painted; in the chroma planes, all samples that belong to any
// pixel of a region. Around a region there is a band in which its look fades
// into the picture as it is; it is mixed from what is outside all regions and
// from what was painted. Beyond the bands nothing changes.
//
// Whatever a style reads, it
// reads outside all regions (Veil) or before the first one is painted (Mosaic,
// Blur), so overlapping regions do not leak into each other, and their order
// makes no difference.
package obscure
