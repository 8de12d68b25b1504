#ifndef SCRIM_ROTATE_H
#define SCRIM_ROTATE_H

#include <stdint.h>

// The Go side has checked every size. A stride may be negative: then the pointer is to
// the last row, which is taken first. src and dst do not overlap.

// scrim_transpose writes w × h samples of src to h × w samples of dst: rows become columns.
void scrim_transpose(const uint8_t *src, int64_t stride, int32_t w, int32_t h, uint8_t *dst, int64_t dst_stride);

// scrim_mirror writes w × h samples of src to dst, each row from right to left.
void scrim_mirror(const uint8_t *src, int64_t stride, int32_t w, int32_t h, uint8_t *dst, int64_t dst_stride);

#endif
