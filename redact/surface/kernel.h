#include "surface.h"

// No product is fused with a sum, which GCC leaves alone in ISO C (-std=c11), so
// that every processor and obscure's Go code give the same samples.
#if defined(__clang__)
#pragma STDC FP_CONTRACT OFF
#endif

void SURFACE(SCRIM_SURFACE_ARGUMENTS) {
    const int32_t *above = v + 1, *right = v + w + 2, *below = right + h + 1, *left = below + w + 1;
    float *restrict top = scratch, *restrict down = top + w, *restrict across = down + w, *restrict near = across + w;
    for (int32_t x = 0; x < w; x++) {
        top[x] = (float)above[x];
        down[x] = (float)below[w - 1 - x] - top[x];
        across[x] = (float)(x + 1) / (float)(w + 1);
        near[x] = (float)(x + 1) * (float)(w - x) / (float)(w + 1);
    }
    for (int32_t y = 0; y < h; y++) {
        const float from = (float)left[h - 1 - y], to = (float)right[y] - from;
        const float at = (float)(y + 1) / (float)(h + 1), far = (float)(y + 1) * (float)(h - y) / (float)(h + 1);
        uint8_t *restrict row = dst + y * stride;
        for (int32_t x = 0; x < w; x++) {
            const float vertical = top[x] + down[x] * at, horizontal = from + to * across[x];
            const float share = near[x] / (near[x] + far);
            const float mixed = horizontal + (vertical - horizontal) * share;
            row[x] = (uint8_t)(int32_t)((mixed + 32768.0f) * (1.0f / 65536.0f));
        }
    }
}
