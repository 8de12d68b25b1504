// The whole network for one kind of processor. The including file says which:
// RUN is the name of the entry, VL how many floats a vector has, REGISTERS how
// many vectors the processor holds, QUANT whether there are 16-bit products.
//
// Maps lie channels last: a row is its pixels from left to right, and a pixel
// its channels, in multiples of 16.

#include <string.h>

#include "net.h"

typedef float vf __attribute__((vector_size(VL * 4), may_alias));
typedef int32_t vi __attribute__((vector_size(VL * 4), may_alias));
typedef int32_t pair __attribute__((aligned(2), may_alias)); // two 16-bit integers

#define INLINE static inline __attribute__((always_inline))

// KEEP makes the compiler keep a value in a register that it would rather load
// again for every use: there are fewer loads in a cycle than products.
#if defined(__x86_64__)
#define KEEP(v) __asm__("" : "+v"(v));
#elif defined(__aarch64__)
#define KEEP(v) __asm__("" : "+w"(v));
#else
#define KEEP(v)
#endif

INLINE vf load(const float *p) { return *(const vf *)p; }
INLINE void store(float *p, vf v) { *(vf *)p = v; }
INLINE vf splat(float f) { return (vf){0} + f; }
INLINE vi splati(int32_t i) { return (vi){0} + i; }

#if VL == 16
INLINE vf larger(vf a, vf b) { return (vf)_mm512_max_ps((__m512)a, (__m512)b); }
#elif VL == 8
INLINE vf larger(vf a, vf b) { return (vf)_mm256_max_ps((__m256)a, (__m256)b); }
#elif defined(__aarch64__)
#include <arm_neon.h>
INLINE vf larger(vf a, vf b) { return (vf)vmaxq_f32((float32x4_t)a, (float32x4_t)b); }
#elif defined(__SSE__)
#include <xmmintrin.h>
INLINE vf larger(vf a, vf b) { return (vf)_mm_max_ps((__m128)a, (__m128)b); }
#else
INLINE vf larger(vf a, vf b) {
    vi m = a > b;
    return (vf)(((vi)a & m) | ((vi)b & ~m));
}
#endif

INLINE float largest(vf v) {
    float m = v[0];
    for (int i = 1; i < VL; i++) m = v[i] > m ? v[i] : m;
    return m;
}

// A row on its way from one node to the next.
typedef struct {
    const float *p;
    float max; // the largest value in it; rows that others quantise have none below zero
} row;

#include "kernel_pointwise.h"

#include "kernel_depthwise.h"

#include "kernel_stem.h"

#include "kernel_stream.h"
