// Pointwise convolutions, as products of small tiles: P pixels by NV vectors of
// outputs, whose sums stay in registers. The macros write out every sum by
// name, since compilers keep arrays of them in memory.

#define PIXELS1(M) M(0)
#define PIXELS2(M) PIXELS1(M) M(1)
#define PIXELS3(M) PIXELS2(M) M(2)
#define PIXELS4(M) PIXELS3(M) M(3)
#define PIXELS6(M) PIXELS4(M) M(4) M(5)
#define PIXELS8(M) PIXELS6(M) M(6) M(7)
#define PIXELS12(M) PIXELS8(M) M(8) M(9) M(10) M(11)

#define CHANNELS1(N) N(0)
#define CHANNELS2(N) CHANNELS1(N) N(1)
#define CHANNELS4(N) CHANNELS2(N) N(2) N(3)

#define SUMS1(p) acc c##p##_0 = {0};
#define SUMS2(p) SUMS1(p) acc c##p##_1 = {0};
#define SUMS4(p) SUMS2(p) acc c##p##_2 = {0}, c##p##_3 = {0};

#define STEP1(p) acc b##p = broadcast(a[p * stride + i]); c##p##_0 = mac(c##p##_0, b##p, w_0);
#define STEP2(p) STEP1(p) c##p##_1 = mac(c##p##_1, b##p, w_1);
#define STEP4(p) STEP2(p) c##p##_2 = mac(c##p##_2, b##p, w_2); c##p##_3 = mac(c##p##_3, b##p, w_3);

#define WEIGHT(n) acc w_##n = *(const acc *)(w + n * VL);

#define END1(p) finish(out, p, 0, c##p##_0)
#define END2(p) END1(p) finish(out, p, 1, c##p##_1)
#define END4(p) END2(p) finish(out, p, 2, c##p##_2) finish(out, p, 3, c##p##_3)

// a has the inputs of P pixels, each stride after the one before; w has for each
// of k inputs the weights of o outputs.
#define TILE_OF_FLOATS(P, NV)                                                                              \
    static __attribute__((noinline)) void floats_##P##_##NV(const float *a, int stride, const float *w, int o, int k, const float *bias, \
                                  float *out, int cout) {                                                  \
        typedef vf acc;                                                                                    \
        PIXELS##P(SUMS##NV) for (int i = 0; i < k; i++, w += o) {                                               \
            CHANNELS##NV(WEIGHT) PIXELS##P(STEP##NV)                                                            \
        }                                                                                                  \
        CHANNELS##NV(BIAS) PIXELS##P(END##NV)                                                                   \
    }

// The same of pairs of 16-bit integers.
#define TILE_OF_PAIRS(P, NV)                                                                               \
    static __attribute__((noinline)) void pairs_##P##_##NV(const pair *a, int stride, const pair *w, int o, int k, const float *bias, \
                                 const float *scale, float unit, float *out, int cout) {                   \
        typedef vi acc;                                                                                    \
        PIXELS##P(SUMS##NV) for (int i = 0; i < k; i++, w += o) {                                               \
            CHANNELS##NV(WEIGHT) PIXELS##P(STEP##NV)                                                            \
        }                                                                                                  \
        CHANNELS##NV(BIAS) CHANNELS##NV(SCALE) PIXELS##P(END##NV)                                               \
    }

#define BIAS(n) vf b_##n = load(bias + n * VL);
#define SCALE(n) vf s_##n = load(scale + n * VL) * unit;

#define broadcast(x) splat(x)
#define mac(c, b, w) ((c) + (b) * (w))
#define finish(out, p, n, c) store(out + p * cout + n * VL, c + b_##n);

#if REGISTERS == 32
#define WIDE 6
TILE_OF_FLOATS(6, 4)
TILE_OF_FLOATS(4, 4)
#else
#define WIDE 3
TILE_OF_FLOATS(3, 4)
#endif
TILE_OF_FLOATS(2, 4)
TILE_OF_FLOATS(1, 4)
#if VL >= 8
TILE_OF_FLOATS(6, 2)
TILE_OF_FLOATS(2, 2)
TILE_OF_FLOATS(1, 2)
#endif
#if VL == 16
TILE_OF_FLOATS(12, 1)
TILE_OF_FLOATS(4, 1)
TILE_OF_FLOATS(1, 1)
#endif

#undef broadcast
#undef mac
#undef finish

#if QUANT
#define broadcast(x) splati(x)
#define mac(c, b, w) DOT(c, b, w)
#define finish(out, p, n, c) store(out + p * cout + n * VL, __builtin_convertvector(c, vf) * s_##n + b_##n);

#if REGISTERS == 32
TILE_OF_PAIRS(6, 4)
TILE_OF_PAIRS(4, 4)
#else
TILE_OF_PAIRS(3, 4)
#endif
TILE_OF_PAIRS(2, 4)
TILE_OF_PAIRS(1, 4)
TILE_OF_PAIRS(6, 2)
TILE_OF_PAIRS(2, 2)
TILE_OF_PAIRS(1, 2)
#if VL == 16
TILE_OF_PAIRS(12, 1)
TILE_OF_PAIRS(4, 1)
TILE_OF_PAIRS(1, 1)
#endif

#undef broadcast
#undef mac
#undef finish

// The largest activation of a row becomes so much, and none is below zero. The
// weights are scaled so that no result overflows: see pack.go.
#define LARGEST 16383.0f
#endif

// So many pixels are converted to integers at once: what comes of it stays in
// the nearest cache. A multiple of all widths of tiles.
#define CHUNK 24

#define TILES(kind, P, NV, ...) \
    for (; x + P <= n; x += P) kind##_##P##_##NV(a + x * stride, stride, __VA_ARGS__, out + x * cout, cout);

#if REGISTERS == 32
#define TILES4(kind, ...) TILES(kind, 6, 4, __VA_ARGS__) TILES(kind, 4, 4, __VA_ARGS__) TILES(kind, 2, 4, __VA_ARGS__) TILES(kind, 1, 4, __VA_ARGS__)
#else
#define TILES4(kind, ...) TILES(kind, 3, 4, __VA_ARGS__) TILES(kind, 2, 4, __VA_ARGS__) TILES(kind, 1, 4, __VA_ARGS__)
#endif
#define TILES2(kind, ...) TILES(kind, 6, 2, __VA_ARGS__) TILES(kind, 2, 2, __VA_ARGS__) TILES(kind, 1, 2, __VA_ARGS__)
#define TILES1(kind, ...) TILES(kind, 12, 1, __VA_ARGS__) TILES(kind, 4, 1, __VA_ARGS__) TILES(kind, 1, 1, __VA_ARGS__)

static void multiply_floats(const float *a, int n, int stride, const float *w, int k, int cout, const float *bias, float *dst) {
    for (int o = 0; o < cout;) {
        int x = 0, left = (cout - o) / VL;
        float *out = dst + o;
        const float *b = bias + o, *v = w + o;
        if (left >= 4) {
            TILES4(floats, v, cout, k, b)
            o += 4 * VL;
            continue;
        }
#if VL >= 8
        if (left >= 2) {
            TILES2(floats, v, cout, k, b)
            o += 2 * VL;
            continue;
        }
#endif
#if VL == 16
        TILES1(floats, v, cout, k, b)
        o += VL;
#endif
    }
}

#if QUANT
static void multiply_pairs(const pair *a, int n, int stride, const pair *w, int k, int cout, const float *bias,
                           const float *scale, float unit, float *dst) {
    for (int o = 0; o < cout;) {
        int x = 0, left = (cout - o) / VL;
        float *out = dst + o;
        const float *b = bias + o, *s = scale + o;
        const pair *v = w + o;
        if (left >= 4) {
            TILES4(pairs, v, cout, k, b, s, unit)
            o += 4 * VL;
            continue;
        }
        if (left >= 2) {
            TILES2(pairs, v, cout, k, b, s, unit)
            o += 2 * VL;
            continue;
        }
#if VL == 16
        TILES1(pairs, v, cout, k, b, s, unit)
        o += VL;
#endif
    }
}
#endif

// pointwise computes n pixels of a row, at most CHUNK.
static void pointwise(const scrim_node *node, const char *weights, const float *in, float max, int n, float *out) {
    const float *bias = (const float *)(weights + node->pwbias);
#if QUANT
    if (node->quant) {
        int16_t some[CHUNK * SCRIM_MAX_CHANNELS] __attribute__((aligned(64)));
        float scale = max > 0 ? LARGEST / max : 0;
        for (int i = 0; i < n * node->cin; i += 16) {
            vf part[16 / VL];
            for (int k = 0; k < 16 / VL; k++) part[k] = load(in + i + k * VL) * scale;
            NARROW(some + i, part);
        }
        multiply_pairs((const pair *)some, n, node->cin / 2, (const pair *)(weights + node->pw), node->cin / 2, node->cout, bias,
                       (const float *)(weights + node->pwscale), max / LARGEST, out);
        return;
    }
#endif
    (void)max;
    multiply_floats(in, n, node->cin, (const float *)(weights + node->pw), node->cin, node->cout, bias, out);
}
