// The way of a row through the network: every node works on it as soon as it
// comes, and hands on what it can make of it. So a row is used while it is in a
// cache, and of most maps there are never more than three rows.

#define LIMIT 1e20f

typedef struct {
    const scrim_plan *plan;
    const char *weights;
    char *work;
    const scrim_layout *at;
    float *out;
    int32_t cells[SCRIM_SCALES + 1]; // where a scale begins
    int32_t seen[SCRIM_MAX_NODES];   // rows of an addition's fine input
    int bad;
} stream;

static void push(stream *s, int to, int y, row r);

static void hand(stream *s, const scrim_node *n, int y, row r) {
    // With weights of at most 2^15 nothing can overflow below this, so that no NaN
    // comes about that a comparison would swallow.
    if (!(r.max < LIMIT)) s->bad = SCRIM_RANGE;
    for (int i = 0; i < n->nnext; i++) push(s, n->next[i], y, r);
}

static void scatter(stream *s, const scrim_node *n, int y, int w, const float *p) {
    int total = s->cells[SCRIM_SCALES], first = s->cells[n->scale] + y * w;
    for (int x = 0; x < w; x++, p += n->cout) {
        s->out[first + x] = p[0];
        s->out[total + first + x] = p[1];
        memcpy(s->out + 2 * total + 4 * (first + x), p + 2, 4 * sizeof(float));
    }
}

// lines is what row y of a unit or a head is computed from.
static void lines(const stream *s, int i, int y, const float *rows[3]) {
    const scrim_node *n = &s->plan->node[i];
    const scrim_place *p = &s->at->node[i];
    for (int k = 0; k < 3; k++) {
        int from = y + k - 1;
        rows[k] = (const float *)(s->work + s->at->zero);
        if (from >= 0 && from < p->h) rows[k] = (const float *)(s->work + p->ring) + (size_t)(from % 3) * (p->w + 2) * n->cout;
    }
}

static vf convolve(const stream *s, const scrim_node *n, const float *const rows[3], int x0, int x1, vf most, float *out) {
    const float *dw = (const float *)(s->weights + n->dw), *bias = (const float *)(s->weights + n->dwbias);
    if (n->kind == SCRIM_HEAD) return depthwise(dw, bias, rows, x0, x1, n->cout, 0, most, out);
    return depthwise(dw, bias, rows, x0, x1, n->cout, 1, most, out);
}

static void emit(stream *s, const scrim_node *n, int y, int w, vf most, const float *out) {
    if (n->kind == SCRIM_HEAD) {
        scatter(s, n, y, w, out);
        return;
    }
    row r = {out, largest(most)};
    hand(s, n, y, r);
}

// work gives row y to a unit or a head. The depthwise convolution follows the
// pointwise one chunk by chunk, one row behind.
static void work(stream *s, int i, int y, row r) {
    const scrim_node *n = &s->plan->node[i];
    const scrim_place *p = &s->at->node[i];
    float *ring = (float *)(s->work + p->ring) + (size_t)(y % 3) * (p->w + 2) * n->cout + n->cout;
    float *out = (float *)(s->work + p->out);
    const float *rows[3];
    vf most = {0};
    lines(s, i, y - 1, rows);
    for (int x = 0, done = 0; x < p->w; x += CHUNK) {
        int here = p->w - x < CHUNK ? p->w - x : CHUNK;
        pointwise(n, s->weights, r.p + x * n->cin, r.max, here, ring + x * n->cout);
        // A pixel needs the next one, and four at once are faster.
        int end = x + here == p->w ? p->w : (x + here - 1) / 4 * 4;
        if (y > 0) most = convolve(s, n, rows, done, end, most, out);
        done = end;
    }
    if (y > 0) emit(s, n, y - 1, p->w, most, out);
    if (y < p->h - 1) return;
    lines(s, i, y, rows);
    most = convolve(s, n, rows, 0, p->w, (vf){0}, out);
    emit(s, n, y, p->w, most, out);
}

// push gives row y to a node.
static void push(stream *s, int to, int y, row r) {
    int i = to / 2;
    const scrim_node *n = &s->plan->node[i];
    const scrim_place *p = &s->at->node[i];
    float *out = (float *)(s->work + p->out);
    switch (n->kind) {
    case SCRIM_UNIT:
    case SCRIM_HEAD:
        work(s, i, y, r);
        break;
    case SCRIM_POOL: {
        float *half = out + (size_t)p->w * n->cout;
        if (y % 2 == 0) {
            pool(r.p, NULL, p->w, n->cout, half);
        } else {
            row half_size = {out, pool(r.p, half, p->w, n->cout, out)};
            hand(s, n, y / 2, half_size);
        }
        break;
    }
    case SCRIM_ADD: {
        float *store = (float *)(s->work + p->store);
        size_t length = (size_t)p->w * n->cout;
        if (to % 2 == 0) {
            memcpy(store + y * length, r.p, length * sizeof(float));
            s->seen[i] = y + 1;
            break;
        }
        for (int k = 2 * y; k < 2 * y + 2; k++) {
            if (k >= s->seen[i]) {
                s->bad = SCRIM_ORDER;
                return;
            }
            row sum = {out, add(store + k * length, r.p, p->w, n->cout, out)};
            hand(s, n, k, sum);
        }
        break;
    }
    }
}

// sigmoid replaces each x by 1/(1+e^-x). The exponential is 2^n·e^r with |r| at
// most ln(2)/2, and e^r its Taylor series.
static void sigmoid(float *x, int n) {
    for (int i = 0; i < n; i += VL) {
        vf v;
        int here = n - i < VL ? n - i : VL;
        float some[VL] __attribute__((aligned(64))) = {0};
        memcpy(some, x + i, here * sizeof(float));
        v = larger(splat(-87), -load(some));
        v = -larger(splat(-87), -v);
        vf turns = v * 1.44269504f, magic = splat(12582912.0f); // adding this rounds
        turns = turns + magic;
        turns = turns - magic;
        v = v - turns * 0.693359375f;
        v = v + turns * 2.12194440e-4f;
        vf e = splat(1.0f / 5040);
        e = e * v + 1.0f / 720;
        e = e * v + 1.0f / 120;
        e = e * v + 1.0f / 24;
        e = e * v + 1.0f / 6;
        e = e * v + 0.5f;
        e = e * v + 1.0f;
        e = e * v + 1.0f;
        vi bits = (__builtin_convertvector(turns, vi) + 127) << 23;
        e = e * (vf)bits;
        store(some, 1.0f / (1.0f + e));
        memcpy(x + i, some, here * sizeof(float));
    }
}

int RUN(const scrim_plan *plan, const char *weights, char *work, const scrim_input *in, const uint8_t *y, const uint8_t *u,
        const uint8_t *v, float *out) {
    scrim_layout at;
    scrim_lay_out(plan, in->w, in->h, &at);
    stream s = {.plan = plan, .weights = weights, .work = work, .at = &at, .out = out};
    for (int i = 0; i < SCRIM_SCALES; i++) s.cells[i + 1] = s.cells[i] + (in->w >> (i + 3)) * (in->h >> (i + 3));

    memset(work + at.zero, 0, at.rows - at.zero);
    for (int i = 0; i < plan->nodes; i++) {
        const scrim_node *n = &plan->node[i];
        const scrim_place *p = &at.node[i];
        if (n->kind != SCRIM_UNIT && n->kind != SCRIM_HEAD) continue;
        size_t pixel = n->cout * sizeof(float), whole = (p->w + 2) * pixel;
        for (int k = 0; k < 3; k++) {
            memset(work + p->ring + k * whole, 0, pixel);
            memset(work + p->ring + (k + 1) * whole - pixel, 0, pixel);
        }
    }

    const scrim_node *stem = &plan->node[0];
    float *made = (float *)(work + at.node[0].out);
    int span = SPAN(in->w), width = at.node[0].w;
    size_t bytes = 3 * span * sizeof(float);
    const float *bias = (const float *)(weights + stem->pwbias);
    for (int top = 0; top < in->h && !s.bad; top++) {
        input(in, stem->quant, top, y, u, v, work + at.rows + top % 3 * bytes);
        if (top % 2 == 0) continue;
        const char *rows[3];
        for (int k = 0; k < 3; k++) {
            rows[k] = top + k < 2 ? work + at.zero : work + at.rows + (top + k - 2) % 3 * bytes;
        }
        row r = {made, 0};
#if QUANT
        if (stem->quant) {
            r.max = stem_pairs(rows, span, (const pair *)(weights + stem->pw), (const float *)(weights + stem->pwscale), bias, width,
                               stem->cout, made);
        } else
#endif
            r.max = stem_floats(rows, span, (const float *)(weights + stem->pw), bias, width, stem->cout, made);
        hand(&s, stem, top / 2, r);
    }
    if (s.bad) return s.bad;
    sigmoid(out, 2 * s.cells[SCRIM_SCALES]);
    return 0;
}
