// Mending for processors with AVX2.
#if defined(__x86_64__)
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2"))), apply_to = function)
#else
#pragma GCC target("avx2")
#endif

#define MEND scrim_mend_avx2
#include "kernel.h"

#if defined(__clang__)
#pragma clang attribute pop
#endif
#else
typedef int scrim_mend_nothing; // an empty file is none
#endif
