#include "net.h"

static size_t take(size_t *at, size_t floats) {
    size_t here = *at;
    *at += (floats * sizeof(float) + 63) / 64 * 64;
    return here;
}

void scrim_lay_out(const scrim_plan *plan, int w, int h, scrim_layout *l) {
    size_t at = 0;
    // No map is wider than half the input, and the stem's row has three values a pixel.
    l->zero = take(&at, (size_t)(w / 2 + 2) * SCRIM_MAX_CHANNELS);
    // Three rows of three planes, with 32 samples to spare on both sides.
    l->rows = take(&at, (size_t)9 * (w + 64));
    for (int i = 0; i < plan->nodes; i++) {
        const scrim_node *n = &plan->node[i];
        scrim_place *p = &l->node[i];
        p->w = w >> n->shift;
        p->h = h >> n->shift;
        size_t row = (size_t)p->w * n->cout;
        p->ring = p->store = p->out = 0;
        switch (n->kind) {
        case SCRIM_UNIT:
        case SCRIM_HEAD:
            p->ring = take(&at, 3 * (row + 2 * n->cout));
            p->out = take(&at, row);
            break;
        case SCRIM_ADD:
            p->store = take(&at, row * p->h);
            p->out = take(&at, row);
            break;
        case SCRIM_POOL:
            p->out = take(&at, 2 * row);
            break;
        default:
            p->out = take(&at, row);
        }
    }
    l->bytes = at;
}

size_t scrim_bytes(const scrim_plan *plan, int w, int h) {
    scrim_layout l;
    scrim_lay_out(plan, w, h, &l);
    return l.bytes;
}

int scrim_has(int path) {
#if defined(__x86_64__)
    switch (path) {
    case SCRIM_AVX512:
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
               __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
               __builtin_cpu_supports("avx512vnni");
    case SCRIM_AVX2:
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    }
#endif
    return path == SCRIM_GENERIC;
}

int scrim_run(int path, const scrim_plan *plan, const void *weights, void *work, const scrim_input *in,
              const uint8_t *y, const uint8_t *u, const uint8_t *v, float *out) {
    switch (path) {
#if defined(__x86_64__)
    case SCRIM_AVX512:
        return scrim_run_avx512(plan, weights, work, in, y, u, v, out);
    case SCRIM_AVX2:
        return scrim_run_avx2(plan, weights, work, in, y, u, v, out);
#endif
    default:
        return scrim_run_generic(plan, weights, work, in, y, u, v, out);
    }
}
