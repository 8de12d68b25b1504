#include "rotate.h"

#include <string.h>

#if defined(__SSE2__)
#include <emmintrin.h>

enum { BLOCK = 16 };

// One step exchanges neighbours at twice the distance of the step before.
#define STEP(to, from, low, high)                      \
    for (int i = 0; i < BLOCK / 2; i++) {              \
        to[2 * i] = low(from[i], from[i + BLOCK / 2]); \
        to[2 * i + 1] = high(from[i], from[i + BLOCK / 2]); \
    }

// block transposes 16 × 16 samples: four times, the two halves of the rows are shuffled
// like cards.
static inline void block(const uint8_t *src, int64_t stride, uint8_t *dst, int64_t dst_stride) {
    __m128i a[BLOCK], b[BLOCK];
#pragma GCC unroll 16
    for (int i = 0; i < BLOCK; i++) a[i] = _mm_loadu_si128((const __m128i *)(src + i * stride));
#pragma GCC unroll 16
    STEP(b, a, _mm_unpacklo_epi8, _mm_unpackhi_epi8)
#pragma GCC unroll 16
    STEP(a, b, _mm_unpacklo_epi8, _mm_unpackhi_epi8)
#pragma GCC unroll 16
    STEP(b, a, _mm_unpacklo_epi8, _mm_unpackhi_epi8)
#pragma GCC unroll 16
    STEP(a, b, _mm_unpacklo_epi8, _mm_unpackhi_epi8)
#pragma GCC unroll 16
    for (int i = 0; i < BLOCK; i++) _mm_storeu_si128((__m128i *)(dst + i * dst_stride), a[i]);
}

#else

enum { BLOCK = 8 };

// exchange exchanges the samples of two words that mask and its shift cover.
static inline void exchange(uint64_t *a, uint64_t *b, int shift, uint64_t mask) {
    uint64_t t = ((*a >> shift) ^ *b) & mask;
    *b ^= t;
    *a ^= t << shift;
}

// block transposes 8 × 8 samples, each row in one word: quarters, then quarters of those,
// then single samples.
static inline void block(const uint8_t *src, int64_t stride, uint8_t *dst, int64_t dst_stride) {
    uint64_t r[BLOCK];
    for (int i = 0; i < BLOCK; i++) memcpy(&r[i], src + i * stride, BLOCK);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    for (int i = 0; i < BLOCK; i++) r[i] = __builtin_bswap64(r[i]);
#endif
    for (int i = 0; i < 4; i++) exchange(&r[i], &r[i + 4], 32, 0x00000000ffffffffull);
    for (int i = 0; i < 8; i += i % 4 == 1 ? 3 : 1) exchange(&r[i], &r[i + 2], 16, 0x0000ffff0000ffffull);
    for (int i = 0; i < 8; i += 2) exchange(&r[i], &r[i + 1], 8, 0x00ff00ff00ff00ffull);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    for (int i = 0; i < BLOCK; i++) r[i] = __builtin_bswap64(r[i]);
#endif
    for (int i = 0; i < BLOCK; i++) memcpy(dst + i * dst_stride, &r[i], BLOCK);
}

#endif

// STRIP is how many rows of src are worked on together: a row of dst is then written in
// whole cache lines of 64 bytes, while these are in the cache.
enum { STRIP = 64 };

// transpose_slowly transposes the part of src from column x0 and row y0 to x1 and y1.
static void transpose_slowly(const uint8_t *src, int64_t stride, int x0, int y0, int x1, int y1, uint8_t *dst, int64_t dst_stride) {
    for (int x = x0; x < x1; x++)
        for (int y = y0; y < y1; y++) dst[x * dst_stride + y] = src[y * stride + x];
}

void scrim_transpose(const uint8_t *src, int64_t stride, int32_t w, int32_t h, uint8_t *dst, int64_t dst_stride) {
    int bw = w - w % BLOCK, bh = h - h % BLOCK;
    for (int y0 = 0; y0 < bh; y0 += STRIP) {
        int y1 = y0 + STRIP < bh ? y0 + STRIP : bh;
        for (int x = 0; x < bw; x += BLOCK)
            for (int y = y0; y < y1; y += BLOCK) block(src + y * stride + x, stride, dst + x * dst_stride + y, dst_stride);
    }
    transpose_slowly(src, stride, bw, 0, w, bh, dst, dst_stride);
    transpose_slowly(src, stride, 0, bh, w, h, dst, dst_stride);
}

void scrim_mirror(const uint8_t *src, int64_t stride, int32_t w, int32_t h, uint8_t *dst, int64_t dst_stride) {
    for (int y = 0; y < h; y++, src += stride, dst += dst_stride) {
        int x = 0;
        for (; x + 8 <= w; x += 8) {
            uint64_t v;
            memcpy(&v, src + w - 8 - x, 8);
            v = __builtin_bswap64(v);
            memcpy(dst + x, &v, 8);
        }
        for (; x < w; x++) dst[x] = src[w - 1 - x];
    }
}
