// The first layer: 3×3, every second pixel, from three colours; and the colours
// from YUV.

// In a row of the input the first pixel has this index; those before it are the
// border.
#define FIRST 32

// A row of the input. As floats it is three planes: blue, green, red; as
// integers a plane of blue and green in pairs and one of red.
#define SPAN(w) ((w) + 64)

// colours converts n samples by ITU-T BT.601 as the tables of redact/detect do,
// to pixel `at` of a row. The chroma has half as many.
static __attribute__((noinline)) void colours(const uint8_t *y, const uint8_t *u, const uint8_t *v, int n, int full, int quant, int span, int at, char *to) {
    const float luma = full ? 1.0f : 255.0f / 219, chroma = full ? 1.0f : 255.0f / 224;
    const float bu = 1.772f * chroma, gu = -0.344f * chroma, gv = -0.714f * chroma, rv = 1.402f * chroma;
    const int black = full ? 0 : 16;
    enum { PART = 64 };
    int16_t cb[PART], cg[PART], cr[PART], blue[PART], green[PART], red[PART];
    for (int x = 0; x < n; x += PART) {
        int here = n - x < PART ? n - x : PART;
        for (int i = 0; i < (here + 1) / 2; i++) {
            float du = (float)(u[x / 2 + i] - 128), dv = (float)(v[x / 2 + i] - 128);
            cb[2 * i] = cb[2 * i + 1] = (int16_t)(int32_t)(bu * du);
            cg[2 * i] = cg[2 * i + 1] = (int16_t)((int32_t)(gu * du) + (int32_t)(gv * dv));
            cr[2 * i] = cr[2 * i + 1] = (int16_t)(int32_t)(rv * dv);
        }
        for (int i = 0; i < here; i++) {
            int16_t l = (int16_t)(int32_t)((float)(y[x + i] - black) * luma + 0.5f);
            int16_t b = (int16_t)(l + cb[i]), g = (int16_t)(l + cg[i]), r = (int16_t)(l + cr[i]);
            b = b < 0 ? 0 : b, g = g < 0 ? 0 : g, r = r < 0 ? 0 : r;
            blue[i] = b > 255 ? 255 : b, green[i] = g > 255 ? 255 : g, red[i] = r > 255 ? 255 : r;
        }
        if (quant) {
            pair *bg = (pair *)to + at + x;
            int16_t *r = (int16_t *)((pair *)to + span) + at + x;
            for (int i = 0; i < here; i++) {
                bg[i] = blue[i] | green[i] << 16;
                r[i] = red[i];
            }
        } else {
            float *f = (float *)to + at + x;
            for (int i = 0; i < here; i++) {
                f[i] = blue[i];
                f[span + i] = green[i];
                f[2 * span + i] = red[i];
            }
        }
    }
}

#define SPREAD(type, plane)                                        \
    {                                                              \
        type *p = (type *)(plane);                                 \
        for (int x = FIRST; x < from; x++) p[x] = p[from];         \
        for (int x = end; x < FIRST + in->w; x++) p[x] = p[end - 1]; \
        p[FIRST - 1] = 0;                                          \
    }

// input writes one row of the rectangle. Left of it is the convolution's zero.
static void input(const scrim_input *in, int quant, int top, const uint8_t *y, const uint8_t *u, const uint8_t *v, char *to) {
    int span = SPAN(in->w), sy = in->top + top;
    sy = sy < 0 ? 0 : sy >= in->height ? in->height - 1 : sy;
    int x0 = in->left < 0 ? 0 : in->left;
    int x1 = in->left + in->w > in->width ? in->width : in->left + in->w;
    int from = FIRST + x0 - in->left, end = from + x1 - x0;
    size_t c = (size_t)(sy / 2) * in->cstride + x0 / 2;
    colours(y + (size_t)sy * in->ystride + x0, u + c, v + c, x1 - x0, in->full, quant, span, from, to);
    if (quant) {
        SPREAD(pair, to)
        SPREAD(int16_t, (pair *)to + span)
    } else {
        SPREAD(float, to)
        SPREAD(float, (float *)to + span)
        SPREAD(float, (float *)to + 2 * span)
    }
}

// Eight pixels of the output at once.
#define STEM_SUM(p) acc c##p = {0};
#define STEM_STEP(p) c##p = mac(c##p, broadcast(a[2 * p]), k);
#define STEM_TAP(from, n)                         \
    {                                             \
        acc k = *(const acc *)(kernel + (n) * cout); \
        a = from;                                 \
        PIXELS8(STEM_STEP)                             \
    }
#define STEM_END(p)                                  \
    {                                                \
        vf r = larger(finish(c##p), nought);         \
        most = larger(most, r);                      \
        store(out + (x + p) * cout + g, r);          \
    }

#define broadcast(x) splat(x)
#define mac(c, b, w) ((c) + (b) * (w))
#define finish(c) (c + b)

#define STEM_COLOURS(i, j)                                              \
    STEM_TAP(in[i] + 2 * x + (j), 9 * i + 3 * j)                        \
    STEM_TAP(in[i] + span + 2 * x + (j), 9 * i + 3 * j + 1)             \
    STEM_TAP(in[i] + 2 * span + 2 * x + (j), 9 * i + 3 * j + 2)

// stem_floats computes one row of w pixels from three of the input.
static float stem_floats(const char *const rows[3], int span, const float *weights, const float *bias, int w, int cout, float *out) {
    typedef vf acc;
    const float *in[3], *a;
    for (int i = 0; i < 3; i++) in[i] = (const float *)rows[i] + FIRST - 1;
    vf most = {0}, nought = {0};
    for (int g = 0; g < cout; g += VL) {
        const float *kernel = weights + g;
        vf b = load(bias + g);
        for (int x = 0; x < w; x += 8) {
            PIXELS8(STEM_SUM)
            STEM_COLOURS(0, 0) STEM_COLOURS(0, 1) STEM_COLOURS(0, 2)
            STEM_COLOURS(1, 0) STEM_COLOURS(1, 1) STEM_COLOURS(1, 2)
            STEM_COLOURS(2, 0) STEM_COLOURS(2, 1) STEM_COLOURS(2, 2)
            PIXELS8(STEM_END)
        }
    }
    return largest(most);
}

#undef broadcast
#undef mac
#undef finish

#if QUANT
#define broadcast(x) splati(x)
#define mac(c, b, w) DOT(c, b, w)
#define finish(c) (__builtin_convertvector(c, vf) * s + b)

// Blue and green of three pixels, then red of two, and of the third.
#define STEM_PAIRS(i)                                                              \
    STEM_TAP(bg[i] + 2 * x, 3 * i) STEM_TAP(bg[i] + 2 * x + 1, 3 * i + 1)          \
    STEM_TAP(bg[i] + 2 * x + 2, 3 * i + 2)                                         \
    {                                                                              \
        const int16_t *half = red[i] + 2 * x;                                      \
        STEM_RED(half, 9 + 2 * i) STEM_RED(half + 2, 10 + 2 * i)                   \
    }
#define STEM_RED_STEP(p) c##p = mac(c##p, broadcast(*(const pair *)(r + 2 * p)), k);
#define STEM_RED(from, n)                            \
    {                                                \
        acc k = *(const acc *)(kernel + (n) * cout); \
        const int16_t *r = from;                     \
        PIXELS8(STEM_RED_STEP)                            \
    }

static __attribute__((noinline)) float stem_pairs(const char *const rows[3], int span, const pair *weights, const float *scale, const float *bias, int w,
                        int cout, float *out) {
    typedef vi acc;
    const pair *bg[3], *a;
    const int16_t *red[3];
    for (int i = 0; i < 3; i++) {
        bg[i] = (const pair *)rows[i] + FIRST - 1;
        red[i] = (const int16_t *)((const pair *)rows[i] + span) + FIRST - 1;
    }
    vf most = {0}, nought = {0};
    for (int g = 0; g < cout; g += VL) {
        const pair *kernel = weights + g;
        vf b = load(bias + g), s = load(scale + g);
        for (int x = 0; x < w; x += 8) {
            PIXELS8(STEM_SUM)
            STEM_PAIRS(0) STEM_PAIRS(1) STEM_PAIRS(2)
            PIXELS8(STEM_END)
        }
    }
    return largest(most);
}

#undef broadcast
#undef mac
#undef finish
#endif
