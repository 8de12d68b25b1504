// Depthwise convolutions of 3×3, and pools of 2×2.

#define ROW_TAPS(i)                                             \
    {                                                           \
        const float *p = rows[i] + x * c + g;                   \
        vf v0 = load(p), v1 = load(p + c), v2 = load(p + 2 * c); \
        c0 += v0 * k##i##0;                                     \
        c0 += v1 * k##i##1;                                     \
        c0 += v2 * k##i##2;                                     \
    }

#define ROW_TAPS4(i)                                                                                 \
    {                                                                                                \
        const float *p = rows[i] + x * c + g;                                                        \
        vf v0 = load(p), v1 = load(p + c), v2 = load(p + 2 * c), v3 = load(p + 3 * c);               \
        vf v4 = load(p + 4 * c), v5 = load(p + 5 * c);                                               \
        KEEP(v0) KEEP(v1) KEEP(v2) KEEP(v3) KEEP(v4) KEEP(v5)                                        \
        c0 += v0 * k##i##0;                                                                          \
        c1 += v1 * k##i##0;                                                                          \
        c2 += v2 * k##i##0;                                                                          \
        c3 += v3 * k##i##0;                                                                          \
        c0 += v1 * k##i##1;                                                                          \
        c1 += v2 * k##i##1;                                                                          \
        c2 += v3 * k##i##1;                                                                          \
        c3 += v4 * k##i##1;                                                                          \
        c0 += v2 * k##i##2;                                                                          \
        c1 += v3 * k##i##2;                                                                          \
        c2 += v4 * k##i##2;                                                                          \
        c3 += v5 * k##i##2;                                                                          \
    }

#define TAP(i, j) vf k##i##j = load(weights + (3 * i + j) * c + g);

// depthwise computes the pixels x0 to x1-1 of a row of c channels from three
// rows, which begin with a pixel of border. It returns the larger of most and of
// all values if it rectifies them.
INLINE vf depthwise(const float *weights, const float *bias, const float *const rows[3], int x0, int x1, int c, int rectify, vf most,
                    float *out) {
    vf nought = {0};
    for (int g = 0; g < c; g += VL) {
        TAP(0, 0) TAP(0, 1) TAP(0, 2) TAP(1, 0) TAP(1, 1) TAP(1, 2) TAP(2, 0) TAP(2, 1) TAP(2, 2)
        vf b = load(bias + g);
        int x = x0;
#if REGISTERS == 32
        for (; x + 4 <= x1; x += 4) {
            vf c0 = b, c1 = b, c2 = b, c3 = b;
            ROW_TAPS4(0) ROW_TAPS4(1) ROW_TAPS4(2)
            if (rectify) {
                c0 = larger(c0, nought), c1 = larger(c1, nought), c2 = larger(c2, nought), c3 = larger(c3, nought);
                most = larger(most, larger(larger(c0, c1), larger(c2, c3)));
            }
            float *to = out + x * c + g;
            store(to, c0), store(to + c, c1), store(to + 2 * c, c2), store(to + 3 * c, c3);
        }
#endif
        for (; x < x1; x++) {
            vf c0 = b;
            ROW_TAPS(0) ROW_TAPS(1) ROW_TAPS(2)
            if (rectify) {
                c0 = larger(c0, nought);
                most = larger(most, c0);
            }
            store(out + x * c + g, c0);
        }
    }
    return most;
}

// pool writes the larger of each two pixels of a row; with above, the larger of
// these and of what is there. It returns the largest.
static float pool(const float *in, const float *above, int w, int c, float *out) {
    vf most = {0};
    for (int x = 0; x < w; x++, in += 2 * c) {
        for (int g = 0; g < c; g += VL) {
            vf v = larger(load(in + g), load(in + c + g));
            if (above) v = larger(v, load(above + x * c + g));
            most = larger(most, v);
            store(out + x * c + g, v);
        }
    }
    return largest(most);
}

// add writes the sum of a fine row and a coarse one, whose pixels count twice.
static float add(const float *fine, const float *coarse, int w, int c, float *out) {
    vf most = {0};
    for (int x = 0; x < w; x++) {
        for (int g = 0; g < c; g += VL) {
            vf v = load(fine + x * c + g) + load(coarse + x / 2 * c + g);
            most = larger(most, v);
            store(out + x * c + g, v);
        }
    }
    return largest(most);
}
