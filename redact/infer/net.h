#ifndef SCRIM_INFER_NET_H
#define SCRIM_INFER_NET_H

#include <stddef.h>
#include <stdint.h>

// What the Go side hands over. It has checked every size and offset in it.

enum {
    SCRIM_MAX_NODES = 40,
    SCRIM_MAX_NEXT = 3,
    SCRIM_MAX_CHANNELS = 64,
    SCRIM_BLOCK = 16, // channels come in multiples of this
    SCRIM_SCALES = 3,
    SCRIM_HEAD_VALUES = 6, // class, objectness, box
};

enum scrim_kind { SCRIM_STEM, SCRIM_UNIT, SCRIM_POOL, SCRIM_ADD, SCRIM_HEAD };

// scrim_node is one step of the network. Offsets are in bytes, into the weights.
typedef struct {
    int32_t kind;
    int32_t cin, cout;
    int32_t shift;  // its output has 1/2^shift of the input's sides
    int32_t scale;  // of a head: 0 to SCRIM_SCALES-1
    int32_t nnext;
    int32_t next[SCRIM_MAX_NEXT]; // consumers: 2·node + 1 where it is the coarse one of an addition
    int32_t quant;  // the pointwise weights, or the stem's, are 16-bit integers
    int64_t pw, pwscale, pwbias; // pointwise; the stem's own
    int64_t dw, dwbias;          // depthwise
} scrim_node;

typedef struct {
    int32_t nodes;
    scrim_node node[SCRIM_MAX_NODES];
} scrim_plan;

// scrim_input is a rectangle of a picture in YUV 4:2:0. It begins at even
// coordinates; where it reaches outside, the picture's border is repeated.
typedef struct {
    int32_t width, height;    // of the picture
    int32_t ystride, cstride; // bytes in a row
    int32_t full;             // samples go from 0 to 255
    int32_t left, top;        // of the rectangle, in the picture
    int32_t w, h;             // of the rectangle: multiples of 32
} scrim_input;

enum scrim_path { SCRIM_GENERIC, SCRIM_AVX2, SCRIM_AVX512, SCRIM_PATHS };

enum scrim_fault {
    SCRIM_RANGE = 1, // an activation is out of all bounds
    SCRIM_ORDER,     // the coarse row of a sum comes before the fine ones
};

// scrim_has reports whether this processor can run a path.
int scrim_has(int path);

// scrim_bytes returns how much working memory a run needs.
size_t scrim_bytes(const scrim_plan *plan, int w, int h);

// scrim_run runs the network. work has scrim_bytes bytes, aligned to 64, and
// weights is aligned likewise. out gets, for each scale, w·h/4^shift cells of
// class score and of objectness, then of boxes with four values each: all class
// scores first. It returns 0 or one of enum scrim_fault.
int scrim_run(int path, const scrim_plan *plan, const void *weights, void *work, const scrim_input *in,
              const uint8_t *y, const uint8_t *u, const uint8_t *v, float *out);

int scrim_run_generic(const scrim_plan *, const char *, char *, const scrim_input *, const uint8_t *, const uint8_t *,
                      const uint8_t *, float *);
int scrim_run_avx2(const scrim_plan *, const char *, char *, const scrim_input *, const uint8_t *, const uint8_t *,
                   const uint8_t *, float *);
int scrim_run_avx512(const scrim_plan *, const char *, char *, const scrim_input *, const uint8_t *, const uint8_t *,
                     const uint8_t *, float *);

// Where a node's rows lie in the working memory, in bytes.
typedef struct {
    int w, h;
    size_t ring;  // three rows with a pixel of border on both sides
    size_t store; // an addition's fine input, whole
    size_t out;   // one row; of a pool: and half a row
} scrim_place;

typedef struct {
    size_t zero; // a row of zeros
    size_t rows; // the stem's: three rows of the input
    scrim_place node[SCRIM_MAX_NODES];
    size_t bytes;
} scrim_layout;

void scrim_lay_out(const scrim_plan *plan, int w, int h, scrim_layout *l);

#endif
