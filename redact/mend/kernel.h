// Mending, for the processor and under the name that the including file says.
// The loops are plain ones that compilers turn into vectors.

#include "mend.h"

// row clamps a row's number and returns the row.
static const uint8_t *row(const scrim_mending *m, const uint8_t *src, int y) {
    y = y < 0 ? 0 : y >= m->h ? m->h - 1 : y;
    return src + y * m->stride;
}

// smooth_rows writes for columns x0 to x1 the weighted sums of rows, with eight
// fractional bits.
static void smooth_rows(const scrim_mending *m, const uint8_t *src, int y, int x0, int x1, uint16_t *restrict sum) {
    const uint8_t *p = row(m, src, y) + x0;
    int n = x1 - x0;
    uint16_t w = m->weight[0];
    for (int x = 0; x < n; x++) sum[x] = (uint16_t)(w * p[x]);
    for (int k = 1; k <= m->reach; k++) {
        const uint8_t *a = row(m, src, y - k) + x0, *b = row(m, src, y + k) + x0;
        w = m->weight[k];
        for (int x = 0; x < n; x++) sum[x] = (uint16_t)(sum[x] + w * (uint16_t)(a[x] + b[x]));
    }
}

#define ALONG(k, SUM)                                                          \
    case k:                                                                    \
        for (int x = 0; x < n; x++) {                                          \
            const uint16_t *p = sum + x;                                       \
            at[x] = (uint16_t)((SUM) >> 12);                                   \
        }                                                                      \
        break;
#define PAIR(k) + (uint32_t)m->weight[k] * ((uint32_t)p[-(k)] + p[k])

// smooth_along writes the weighted sums along a row, with four fractional bits.
static void smooth_along(const scrim_mending *m, const uint16_t *restrict sum, int n, uint16_t *restrict at) {
    uint32_t w = m->weight[0];
    switch (m->reach) {
        ALONG(1, 2048 + w * p[0] PAIR(1))
        ALONG(2, 2048 + w * p[0] PAIR(1) PAIR(2))
        ALONG(3, 2048 + w * p[0] PAIR(1) PAIR(2) PAIR(3))
        ALONG(4, 2048 + w * p[0] PAIR(1) PAIR(2) PAIR(3) PAIR(4))
        ALONG(5, 2048 + w * p[0] PAIR(1) PAIR(2) PAIR(3) PAIR(4) PAIR(5))
    }
}

void MEND(SCRIM_MEND_ARGUMENTS) {
    int n = m->x1 - m->x0, reach = m->reach;
    if (reach == 0) {
        for (int y = m->y0; y < m->y1; y++) {
            const uint8_t *p = src + y * m->stride + m->x0;
            uint8_t *to = dst + y * m->dst_stride + m->x0;
            for (int x = 0; x < n; x++) to[x] = table[p[x] << 4];
        }
        return;
    }
    // The sums begin `reach` columns before x0 as far as there are such columns; the
    // border's are repeated.
    int from = m->x0 - reach < 0 ? 0 : m->x0 - reach, to = m->x1 + reach > m->w ? m->w : m->x1 + reach;
    uint16_t *sum = line + SCRIM_MEND_REACH, *at = line + m->w + 2 * SCRIM_MEND_REACH + 16;
    for (int y = m->y0; y < m->y1; y++) {
        smooth_rows(m, src, y, from, to, sum + (from - m->x0));
        for (int x = m->x0 - reach; x < from; x++) sum[x - m->x0] = sum[from - m->x0];
        for (int x = to; x < m->x1 + reach; x++) sum[x - m->x0] = sum[to - 1 - m->x0];
        smooth_along(m, sum, n, at);
        uint8_t *out = dst + y * m->dst_stride + m->x0;
        for (int x = 0; x < n; x++) out[x] = table[at[x]];
    }
}
