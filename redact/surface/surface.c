#include "surface.h"

void scrim_surface(SCRIM_SURFACE_ARGUMENTS) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2")) {
        scrim_surface_avx2(dst, stride, w, h, v, scratch);
        return;
    }
#endif
    scrim_surface_generic(dst, stride, w, h, v, scratch);
}
