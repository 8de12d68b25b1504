package motion

/*
#cgo CFLAGS: -std=gnu11 -O3 -Wall
#include "cells.h"
*/
import "C"

import "unsafe"

func floats(s []float32) *C.float    { return (*C.float)(unsafe.Pointer(unsafe.SliceData(s))) }
func byteArray(s []uint8) *C.uint8_t { return (*C.uint8_t)(unsafe.SliceData(s)) }
func shorts(s []uint16) *C.uint16_t  { return (*C.uint16_t)(unsafe.SliceData(s)) }

// meanWhole sets out, in rows of step, to the means of cols × rows cells of side × side
// samples.
func meanWhole(out []float32, step int, pix []byte, stride, cols, rows, side int) {
	if cols < 1 || rows < 1 {
		return
	}
	_, _ = out[(rows-1)*step+cols-1], pix[(rows*side-1)*stride+cols*side-1]
	C.scrim_cells_mean(byteArray(pix), C.int64_t(stride), C.int32_t(cols), C.int32_t(rows), C.int32_t(side), //nolint:gosec // sides of pictures
		C.int32_t(step), floats(out)) //nolint:gosec // sides of pictures
}

// compareCells compares now with m. It sets diff and weak and updates m.left, and returns
// how many cells differ.
func compareCells(m *model, now *means, l *[planes]light, passed uint16, diff []float32, weak []uint8) int {
	n := len(m.known)
	if min(len(diff), len(weak), len(m.left)) < n || n == 0 {
		return 0
	}
	c := C.scrim_comparison{weak: weakShare, hold: C.uint16_t(holdMillis), passed: C.uint16_t(passed)}
	for k := range l {
		c.gain[k], c.offset[k] = C.float(l[k].gain), C.float(l[k].offset)
	}
	return int(C.scrim_cells_compare(&c, C.int32_t(n), floats(now[0]), floats(now[1]), floats(now[2]), //nolint:gosec // cells of a picture
		floats(m.mean[0]), floats(m.mean[1]), floats(m.mean[2]), floats(m.limitLuma), floats(m.limitChroma), byteArray(m.known),
		floats(diff), shorts(m.left), byteArray(weak)))
}

// compareWide updates m.left where the mean of 3×3 cells differs. sum has room for a row.
func compareWide(g grid, m *model, diff, sum []float32) {
	C.scrim_cells_wide(C.int32_t(g.cols), C.int32_t(g.rows), floats(diff[:g.cells()]), floats(m.wide), byteArray(m.known), //nolint:gosec // sides
		C.uint16_t(holdMillis), shorts(m.left), floats(sum[:g.cols]))
}

// adaptCells lets a plane of a background follow l, and where nothing is kept, now, by
// most at most.
func adaptCells(mean, now []float32, kept []uint8, l light, weight, most float32) {
	C.scrim_cells_adapt(C.int32_t(len(mean)), floats(now[:len(mean)]), byteArray(kept[:len(mean)]), //nolint:gosec // cells
		C.float(l.gain), C.float(l.offset), C.float(weight), C.float(most), floats(mean))
}

// measureCells measures the noise of the cells that are not kept.
func measureCells(m *model, now, before *means, kept []uint8) {
	C.scrim_cells_noise(C.int32_t(len(m.luma)), floats(now[0]), floats(now[1]), floats(now[2]), //nolint:gosec // cells
		floats(before[0]), floats(before[1]), floats(before[2]), byteArray(kept[:len(m.luma)]), floats(m.limitLuma), floats(m.limitChroma),
		C.float(noiseWeight), floats(m.luma), floats(m.chroma))
}

// limitCells sets the thresholds of m, from the noise of each cell and that of luma and
// chroma of the whole picture, with the least ones times scale.
func limitCells(m *model, scale, luma, chroma float32) {
	l := C.scrim_limits{
		factor: sigmas, wideFactor: sigmas / wideGain, perMean: perMean, luma: C.float(luma), chroma: C.float(chroma),
		leastLuma: C.float(leastLuma * scale), leastChroma: C.float(leastChroma * scale), leastWide: C.float(leastWide * scale), most: mostLimit,
	}
	C.scrim_cells_limits(&l, C.int32_t(len(m.luma)), floats(m.luma), floats(m.chroma), //nolint:gosec // cells
		floats(m.limitLuma), floats(m.limitChroma), floats(m.wide))
}
