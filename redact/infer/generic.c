// The network for any processor: vectors of four floats, as SSE and NEON have.
#define RUN scrim_run_generic
#define VL 4
#if defined(__aarch64__)
#define REGISTERS 32
#else
#define REGISTERS 16
#endif
#define QUANT 0

#include "kernel.h"
