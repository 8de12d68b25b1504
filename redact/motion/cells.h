#ifndef SCRIM_CELLS_H
#define SCRIM_CELLS_H

#include <stddef.h>
#include <stdint.h>

// What the Go side hands over. It has checked every size.

// scrim_cells_mean writes the means of rows × cols whole cells of side × side samples of
// a plane, with rows of step means.
#define SCRIM_MEAN_ARGUMENTS const uint8_t *pix, int64_t stride, int32_t cols, int32_t rows, int32_t side, int32_t step, float *restrict out

// Light of each plane, the share of a threshold that is weak, and times in milliseconds.
typedef struct {
    float gain[3], offset[3], weak;
    uint16_t hold, passed;
} scrim_comparison;

// scrim_cells_compare compares n cells with the background. It writes the differences of
// luma, updates how long cells stay covered, marks those that differ weakly, and returns
// how many differ.
#define SCRIM_COMPARE_ARGUMENTS                                                                                                  \
    const scrim_comparison *c, int32_t n, const float *y, const float *u, const float *v, const float *my, const float *mu,      \
        const float *mv, const float *luma, const float *chroma, const uint8_t *known, float *restrict diff, uint16_t *restrict left, uint8_t *restrict weak

// scrim_cells_wide covers the cells where the mean difference of 3×3 cells exceeds wide.
// sum has room for a row.
#define SCRIM_WIDE_ARGUMENTS                                                                                                   \
    int32_t cols, int32_t rows, const float *diff, const float *wide, const uint8_t *known, uint16_t hold, uint16_t *restrict left, float *restrict sum

// scrim_cells_adapt lets a plane of the background follow the picture: all cells the
// light, and those that are free the picture.
#define SCRIM_ADAPT_ARGUMENTS                                                                                  \
    int32_t n, const float *now, const uint8_t *kept, float gain, float offset, float weight, float most, float *restrict mean

// scrim_cells_noise measures the noise of cells that are free and known, from two
// pictures.
#define SCRIM_NOISE_ARGUMENTS                                                                                                   \
    int32_t n, const float *y, const float *u, const float *v, const float *by, const float *bu, const float *bv,               \
        const uint8_t *kept, const float *mostLuma, const float *mostChroma, float weight, float *restrict luma, float *restrict chroma

// scrim_cells_limits sets the thresholds: factor times the noise of a cell or of the whole
// picture, from least to most.
typedef struct {
    float factor, wideFactor, perMean, luma, chroma; // noise of the whole picture
    float leastLuma, leastChroma, leastWide, most;
} scrim_limits;
#define SCRIM_LIMITS_ARGUMENTS                                                                                       \
    const scrim_limits *l, int32_t n, const float *luma, const float *chroma, float *restrict limitLuma,             \
        float *restrict limitChroma, float *restrict wide

void scrim_cells_mean(SCRIM_MEAN_ARGUMENTS);
int32_t scrim_cells_compare(SCRIM_COMPARE_ARGUMENTS);
void scrim_cells_wide(SCRIM_WIDE_ARGUMENTS);
void scrim_cells_adapt(SCRIM_ADAPT_ARGUMENTS);
void scrim_cells_noise(SCRIM_NOISE_ARGUMENTS);
void scrim_cells_limits(SCRIM_LIMITS_ARGUMENTS);

#define SCRIM_CELLS(kind)                                            \
    void scrim_cells_mean_##kind(SCRIM_MEAN_ARGUMENTS);              \
    int32_t scrim_cells_compare_##kind(SCRIM_COMPARE_ARGUMENTS);     \
    void scrim_cells_wide_##kind(SCRIM_WIDE_ARGUMENTS);              \
    void scrim_cells_adapt_##kind(SCRIM_ADAPT_ARGUMENTS);            \
    void scrim_cells_noise_##kind(SCRIM_NOISE_ARGUMENTS);            \
    void scrim_cells_limits_##kind(SCRIM_LIMITS_ARGUMENTS);
SCRIM_CELLS(generic)
SCRIM_CELLS(avx2)

#endif
