// The work on cells, for the processor that the including file says; CELLS(name) is the
// name of a function. The loops are plain ones that compilers turn into vectors.

#include "cells.h"

static inline float larger(float a, float b) { return a > b ? a : b; }
static inline float smaller(float a, float b) { return a < b ? a : b; }
static inline float size_of(float a) { return a < 0 ? -a : a; }

// mean_row adds up the rows of a row of cells, then the columns of each.
static inline void mean_row(const uint8_t *pix, int64_t stride, int cols, int side, float *restrict out) {
    enum { part = 512 }; // samples at a time
    uint16_t sum[part];
    const float share = 1.0f / (float)(side * side);
    for (int from = 0; from < cols * side; from += part) {
        int n = cols * side - from < part ? cols * side - from : part;
        const uint8_t *p = pix + from;
        for (int x = 0; x < n; x++) sum[x] = (uint16_t)(p[x] + p[x + stride]);
        for (int k = 2; k < side; k += 2) {
            const uint8_t *q = p + k * stride;
            for (int x = 0; x < n; x++) sum[x] = (uint16_t)(sum[x] + q[x] + q[x + stride]);
        }
        // Sides are powers of two: 2, 4 or 8.
        for (int w = side; w > 1; w /= 2) {
            n /= 2;
            for (int x = 0; x < n; x++) sum[x] = (uint16_t)(sum[2 * x] + sum[2 * x + 1]);
        }
        float *o = out + from / side;
        for (int x = 0; x < n; x++) o[x] = (float)sum[x] * share;
    }
}

void CELLS(mean)(SCRIM_MEAN_ARGUMENTS) {
    for (int y = 0; y < rows; y++) mean_row(pix + (int64_t)y * side * stride, stride, cols, side, out + (size_t)y * step);
}

int32_t CELLS(compare)(SCRIM_COMPARE_ARGUMENTS) {
    const float gy = c->gain[0], gu = c->gain[1], gv = c->gain[2], oy = c->offset[0], ou = c->offset[1], ov = c->offset[2];
    const float share = c->weak;
    const uint16_t hold = c->hold, passed = c->passed;
    int32_t differ = 0;
    enum { part = 256 };
    uint8_t strong[part];
    for (int32_t from = 0; from < n; from += part) {
        int m = n - from < part ? n - from : part;
        for (int k = 0; k < m; k++) {
            int i = from + k;
            float dl = y[i] - (gy * my[i] + oy);
            float du = size_of(u[i] - (gu * mu[i] + ou)), dv = size_of(v[i] - (gv * mv[i] + ov));
            float dc = larger(du, dv), l = size_of(dl);
            int32_t a = (l > luma[i]) | (dc > chroma[i]);
            int32_t b = (l > share * luma[i]) | (dc > share * chroma[i]);
            strong[k] = (uint8_t)a & known[i];
            weak[i] = (uint8_t)b & known[i];
            diff[i] = known[i] ? dl : 0;
        }
        for (int k = 0; k < m; k++) {
            int i = from + k;
            uint16_t was = left[i];
            uint16_t less = (uint16_t)(was > passed ? was - passed : 0);
            left[i] = strong[k] | (weak[i] & (was > 0)) ? hold : less;
            differ += strong[k];
        }
    }
    return differ;
}

void CELLS(wide)(SCRIM_WIDE_ARGUMENTS) {
    for (int r = 1; r < rows - 1; r++) {
        const float *a = diff + (size_t)(r - 1) * cols, *b = a + cols, *d = b + cols;
        for (int x = 0; x < cols; x++) sum[x] = a[x] + b[x] + d[x];
        const float *w = wide + (size_t)r * cols;
        const uint8_t *k = known + (size_t)r * cols;
        uint16_t *l = left + (size_t)r * cols;
        for (int x = 1; x < cols - 1; x++) {
            float s = size_of(sum[x - 1] + sum[x] + sum[x + 1]);
            l[x] = (s > 9 * w[x]) & k[x] ? hold : l[x];
        }
    }
}

void CELLS(adapt)(SCRIM_ADAPT_ARGUMENTS) {
    for (int32_t i = 0; i < n; i++) {
        float expected = gain * mean[i] + offset;
        float step = smaller(larger((now[i] - expected) * weight, -most), most);
        mean[i] += (expected - mean[i]) * weight + (kept[i] ? 0 : step);
    }
}

void CELLS(noise)(SCRIM_NOISE_ARGUMENTS) {
    for (int32_t i = 0; i < n; i++) {
        float d = size_of(y[i] - by[i]);
        float e = larger(size_of(u[i] - bu[i]), size_of(v[i] - bv[i]));
        float wd = kept[i] | (d >= mostLuma[i]) ? 0 : weight;
        float we = kept[i] | (e >= mostChroma[i]) ? 0 : weight;
        luma[i] += (d - luma[i]) * wd;
        chroma[i] += (e - chroma[i]) * we;
    }
}

void CELLS(limits)(SCRIM_LIMITS_ARGUMENTS) {
    const scrim_limits t = *l;
    for (int32_t i = 0; i < n; i++) {
        float own = larger(luma[i] * t.perMean, t.luma), tint = larger(chroma[i] * t.perMean, t.chroma);
        limitLuma[i] = smaller(larger(t.leastLuma, t.factor * own), t.most);
        limitChroma[i] = smaller(larger(t.leastChroma, t.factor * tint), t.most);
        wide[i] = smaller(larger(t.leastWide, t.wideFactor * own), t.most);
    }
}
