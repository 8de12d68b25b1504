// The network for processors with AVX-512 and VNNI.
#if defined(__x86_64__)
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,avx2,fma"))), apply_to = function)
#else
#pragma GCC target("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,avx2,fma,prefer-vector-width=512")
#endif
#include <immintrin.h>

#define RUN scrim_run_avx512
#define VL 16
#define REGISTERS 32
#define QUANT 1
#define DOT(acc, a, w) (vi)_mm512_dpwssd_epi32((__m512i)(acc), (__m512i)(a), (__m512i)(w))
// Sixteen floats, rounded, as 16-bit integers.
#define NARROW(to, from) \
    _mm256_storeu_si256((__m256i_u *)(to), _mm512_cvtepi32_epi16(_mm512_cvtps_epi32((__m512)(from)[0])))

#include "kernel.h"

#if defined(__clang__)
#pragma clang attribute pop
#endif
#else
typedef int scrim_nothing; // an empty file is none
#endif
