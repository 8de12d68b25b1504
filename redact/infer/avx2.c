// The network for processors with AVX2 and FMA.
#if defined(__x86_64__)
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#else
#pragma GCC target("avx2,fma")
#endif
#include <immintrin.h>

#define RUN scrim_run_avx2
#define VL 8
#define REGISTERS 16
#define QUANT 1
#define DOT(acc, a, w) \
    (vi)_mm256_add_epi32((__m256i)(acc), _mm256_madd_epi16((__m256i)(a), (__m256i)(w)))
#define NARROW(to, from)                                                                         \
    _mm256_storeu_si256((__m256i_u *)(to),                                                       \
                        _mm256_permute4x64_epi64(_mm256_packs_epi32(_mm256_cvtps_epi32((__m256)(from)[0]),  \
                                                                    _mm256_cvtps_epi32((__m256)(from)[1])), \
                                                 0xd8))

#include "kernel.h"

#if defined(__clang__)
#pragma clang attribute pop
#endif
#else
typedef int scrim_nothing; // an empty file is none
#endif
