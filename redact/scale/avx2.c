// Scaling for processors with AVX2 and FMA.
#if defined(__x86_64__)
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#else
#pragma GCC target("avx2,fma")
#endif

#define SCALE scrim_scale_avx2
#include "kernel.h"

#if defined(__clang__)
#pragma clang attribute pop
#endif
#else
typedef int scrim_scale_nothing; // an empty file is none
#endif
