#include "cells.h"

#if defined(__x86_64__)
#define DISPATCH(name, ...)                    \
    if (__builtin_cpu_supports("avx2")) {      \
        return scrim_cells_##name##_avx2(__VA_ARGS__); \
    }                                          \
    return scrim_cells_##name##_generic(__VA_ARGS__)
#else
#define DISPATCH(name, ...) return scrim_cells_##name##_generic(__VA_ARGS__)
#endif

void scrim_cells_mean(SCRIM_MEAN_ARGUMENTS) { DISPATCH(mean, pix, stride, cols, rows, side, step, out); }

int32_t scrim_cells_compare(SCRIM_COMPARE_ARGUMENTS) {
    DISPATCH(compare, c, n, y, u, v, my, mu, mv, luma, chroma, known, diff, left, weak);
}

void scrim_cells_wide(SCRIM_WIDE_ARGUMENTS) { DISPATCH(wide, cols, rows, diff, wide, known, hold, left, sum); }

void scrim_cells_adapt(SCRIM_ADAPT_ARGUMENTS) { DISPATCH(adapt, n, now, kept, gain, offset, weight, most, mean); }

void scrim_cells_noise(SCRIM_NOISE_ARGUMENTS) {
    DISPATCH(noise, n, y, u, v, by, bu, bv, kept, mostLuma, mostChroma, weight, luma, chroma);
}

void scrim_cells_limits(SCRIM_LIMITS_ARGUMENTS) { DISPATCH(limits, l, n, luma, chroma, limitLuma, limitChroma, wide); }
