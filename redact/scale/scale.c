#include "scale.h"

void scrim_scale(SCRIM_SCALE_ARGUMENTS) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
        scrim_scale_avx2(s, xfirst, xweight, yfirst, yweight, src, stride, line, dst);
        return;
    }
#endif
    scrim_scale_generic(s, xfirst, xweight, yfirst, yweight, src, stride, line, dst);
}
