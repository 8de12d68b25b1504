#include "mend.h"

void scrim_mend(SCRIM_MEND_ARGUMENTS) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2")) {
        scrim_mend_avx2(m, table, src, line, dst);
        return;
    }
#endif
    scrim_mend_generic(m, table, src, line, dst);
}
