#ifndef SCRIM_SCALE_H
#define SCRIM_SCALE_H

#include <stddef.h>
#include <stdint.h>

// What the Go side hands over. It has checked every size.
typedef struct {
    int32_t sw, sh, dw, dh; // from, to
    int32_t kx, ky;         // whole factors, or 0
    int32_t nx, ny;         // taps: columns, rows
} scrim_scaling;

// scrim_scale scales one plane. For each column of the result xfirst has the first
// one that it covers and xweight, nx times dw, the weights; yfirst has the first
// row, and yweight ny weights for each. line has room for sw + nx floats.
void scrim_scale(const scrim_scaling *s, const int32_t *xfirst, const float *xweight, const int32_t *yfirst, const float *yweight,
                 const uint8_t *src, int64_t stride, float *line, uint8_t *dst);

#define SCRIM_SCALE_ARGUMENTS                                                                                                   \
    const scrim_scaling *s, const int32_t *xfirst, const float *xweight, const int32_t *yfirst, const float *yweight,           \
        const uint8_t *src, int64_t stride, float *line, uint8_t *dst

void scrim_scale_avx2(SCRIM_SCALE_ARGUMENTS);
void scrim_scale_generic(SCRIM_SCALE_ARGUMENTS);

#endif
