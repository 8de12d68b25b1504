#ifndef SCRIM_SURFACE_H
#define SCRIM_SURFACE_H

#include <stddef.h>
#include <stdint.h>

// scrim_surface paints w × h samples with rows of stride bytes. v is the ring
// around them, clockwise from the upper left corner: w + 2 samples above, h on the
// right, w + 2 below from right to left, h on the left upwards; with 16 fractional
// bits. scratch has room for 4 w floats. The Go side has checked every size.
#define SCRIM_SURFACE_ARGUMENTS uint8_t *dst, int64_t stride, int32_t w, int32_t h, const int32_t *v, float *scratch

void scrim_surface(SCRIM_SURFACE_ARGUMENTS);
void scrim_surface_avx2(SCRIM_SURFACE_ARGUMENTS);
void scrim_surface_generic(SCRIM_SURFACE_ARGUMENTS);

#endif
