// Scaling, for the processor and under the name that the including file says.
// The loops are plain ones that compilers turn into vectors.

#include "scale.h"

// sum_rows adds up n rows.
static void sum_rows(const uint8_t *src, int64_t stride, int n, int w, uint16_t *restrict sum) {
    switch (n) {
    case 2:
        for (int x = 0; x < w; x++) sum[x] = (uint16_t)(src[x] + src[x + stride]);
        return;
    case 3:
        for (int x = 0; x < w; x++) sum[x] = (uint16_t)(src[x] + src[x + stride] + src[x + 2 * stride]);
        return;
    }
    for (int x = 0; x < w; x++) sum[x] = src[x];
    for (int k = 1; k < n; k++) {
        const uint8_t *row = src + k * stride;
        for (int x = 0; x < w; x++) sum[x] = (uint16_t)(sum[x] + row[x]);
    }
}

#define ADD_UP(k, SUM)                                                                                 \
    case k:                                                                                            \
        for (int x = 0; x < w; x++) {                                                                  \
            const uint16_t *p = sum + k * x;                                                           \
            dst[x] = (uint8_t)((uint32_t)(uint16_t)((SUM) + area / 2) * (uint32_t)share >> 16);        \
        }                                                                                              \
        return;

// add_up adds up each n sums of a row and divides them by their area, rounded.
static void add_up(const uint16_t *restrict sum, int n, int w, int area, uint8_t *restrict dst) {
    // Instead of a division: a product with the share in 1/65536, rounded up. It is
    // exact as long as the excess, for the largest sum, is less than a unit.
    int share = (65536 + area - 1) / area;
    if ((int64_t)(share * area - 65536) * (256 * area) < 65536 && area <= 128) {
        switch (n) {
            ADD_UP(2, p[0] + p[1])
            ADD_UP(3, p[0] + p[1] + p[2])
            ADD_UP(4, p[0] + p[1] + p[2] + p[3])
        }
    }
    for (int x = 0; x < w; x++, sum += n) {
        int32_t all = area / 2;
        for (int k = 0; k < n; k++) all += sum[k];
        dst[x] = (uint8_t)(all / area);
    }
}

// weigh_rows writes the weighted sum of n rows.
static void weigh_rows(const uint8_t *src, int64_t stride, const float *weight, int n, int w, float *restrict sum) {
    const uint8_t *a = src, *b = src + stride;
    if (n == 1) {
        for (int x = 0; x < w; x++) sum[x] = weight[0] * a[x];
        return;
    }
    for (int x = 0; x < w; x++) sum[x] = weight[0] * a[x] + weight[1] * b[x];
    int k = 2;
    for (; k + 2 <= n; k += 2) {
        a = src + k * stride, b = a + stride;
        float wa = weight[k], wb = weight[k + 1];
        for (int x = 0; x < w; x++) sum[x] += wa * a[x] + wb * b[x];
    }
    if (k < n) {
        a = src + k * stride;
        for (int x = 0; x < w; x++) sum[x] += weight[k] * a[x];
    }
}

// The taps of a column of the result are added up in registers for few of them.
#define WEIGH(n, SUM)                                                        \
    case n:                                                                  \
        for (int x = 0; x < w; x++) {                                        \
            const float *p = sum + first[x], *q = weight + x;                \
            dst[x] = (uint8_t)(int32_t)((SUM) + 0.5f);                       \
        }                                                                    \
        return;

static void weigh(const float *restrict sum, const int32_t *restrict first, const float *restrict weight, int n, int w,
                  uint8_t *restrict dst) {
    switch (n) {
        WEIGH(2, p[0] * q[0] + p[1] * q[w])
        WEIGH(3, p[0] * q[0] + p[1] * q[w] + p[2] * q[2 * w])
        WEIGH(4, p[0] * q[0] + p[1] * q[w] + p[2] * q[2 * w] + p[3] * q[3 * w])
        WEIGH(5, p[0] * q[0] + p[1] * q[w] + p[2] * q[2 * w] + p[3] * q[3 * w] + p[4] * q[4 * w])
    }
    for (int x = 0; x < w; x++) {
        float all = 0.5f;
        for (int k = 0; k < n; k++) all += sum[first[x] + k] * weight[k * w + x];
        dst[x] = (uint8_t)(int32_t)all;
    }
}

void SCALE(SCRIM_SCALE_ARGUMENTS) {
    if (s->kx) {
        uint16_t *sum = (uint16_t *)line;
        for (int y = 0; y < s->dh; y++) {
            sum_rows(src + y * s->ky * stride, stride, s->ky, s->sw, sum);
            add_up(sum, s->kx, s->dw, s->kx * s->ky, dst + (size_t)y * s->dw);
        }
        return;
    }
    for (int i = 0; i < s->nx; i++) line[s->sw + i] = 0;
    for (int y = 0; y < s->dh; y++) {
        // The last rows have fewer taps.
        int n = s->sh - yfirst[y] < s->ny ? s->sh - yfirst[y] : s->ny;
        weigh_rows(src + yfirst[y] * stride, stride, yweight + y * s->ny, n, s->sw, line);
        weigh(line, xfirst, xweight, s->nx, s->dw, dst + (size_t)y * s->dw);
    }
}
