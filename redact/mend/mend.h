#ifndef SCRIM_MEND_H
#define SCRIM_MEND_H

#include <stdint.h>

// SCRIM_MEND_REACH is the most samples on each side that are smoothed with one.
#define SCRIM_MEND_REACH 5

// What the Go side hands over. It has checked every size.
typedef struct {
    int32_t w, h;             // of the plane
    int32_t x0, y0, x1, y1;   // the part of it that is mended
    int64_t stride, dst_stride;
    int32_t reach;            // samples on each side of the middle one
    uint16_t weight[SCRIM_MEND_REACH + 1]; // from the middle one outwards; 256 in sum
} scrim_mending;

#define SCRIM_MEND_ARGUMENTS const scrim_mending *m, const uint8_t *table, const uint8_t *src, uint16_t *line, uint8_t *dst

// scrim_mend mends a part of a plane. table has 4096 results, for each sixteenth of a
// sample; line has room for 2 * (w + 2 * SCRIM_MEND_REACH) + 16 sums.
void scrim_mend(SCRIM_MEND_ARGUMENTS);
void scrim_mend_avx2(SCRIM_MEND_ARGUMENTS);
void scrim_mend_generic(SCRIM_MEND_ARGUMENTS);

#endif
