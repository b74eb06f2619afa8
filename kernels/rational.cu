// Rational functions F(x) = P(x) / D(x) and all their gradients: shared by groups of channels, or one on every edge of a layer.
//
// One text for three compilers: NVRTC (through CuPy, with numbers.cuh put in its place), nvcc, and g++ with a shim that runs it on a CPU
// (tests/kernels). One compilation serves one storage type, one form and one pair of degrees; README.md beside this file has the plan of the
// kernels and their roofline.
//
//     P(x) = a_0 + a_1 x + ... + a_M x^M        q = b_1 z + ... + b_N z^N
//
//     FORM 0, sum_abs   z = |x|, |b_j| for b_j    D = 1 + q           (the published GPU kernels)
//     FORM 1, abs_sum   z = x                     D = 1 + |q|         (the KAT paper)
//     FORM 2, square    z = x                     D = 1 + q^2         (smooth)
//
// With r = 1 / D, F = P r, s = dD/dq and the gradient g = dL/dF that arrives from above, the gradients are
//
//     dL/da_i = g r x^i        dL/db_j = -g F r s z^j        dL/dx = g r P'(x) - g F r s dq/dx
//
// |v| has the slope +1 at v = 0, so that an identity start (all b_j = 0) can learn its denominator. P / D is never formed from D^2.
// Sums run in a fixed order without atomic operations: the same bits on every run on the same device.

#ifndef RATIONAL_FORM
#define RATIONAL_FORM 0
#endif
#ifndef RATIONAL_M
#define RATIONAL_M 5            // degree of the numerator, 0 to 8
#endif
#ifndef RATIONAL_N
#define RATIONAL_N 4            // degree of the denominator, 1 to 8
#endif
#ifndef RATIONAL_WIDE
#define RATIONAL_WIDE 4         // neighbouring channels a thread reads at once: 16 bytes
#endif
#ifndef RATIONAL_THREADS
#define RATIONAL_THREADS 384    // most threads of a block of the group kernels
#endif
#ifndef RATIONAL_BLOCKS
#define RATIONAL_BLOCKS 2       // blocks of them that a multiprocessor must have registers for
#endif

#include "numbers.cuh"

template <int WIDE> struct __align__(sizeof(Stored) * WIDE) Channels { Stored v[WIDE]; };

// The same, while nobody computes with them: words of 32 bits where there are any, else a compiler takes pairs of 16 bits apart and puts them together again.
template <int BYTES> struct __align__(BYTES) Raw { uint32 words[BYTES / 4]; };
template <> struct __align__(2) Raw<2> { uint16 words[1]; };

template <int WIDE> __device__ __forceinline__ Channels<WIDE> taken_from(const Raw<sizeof(Stored) * WIDE>& raw) {
    Channels<WIDE> channels;
    memcpy(&channels, &raw, sizeof(channels));
    return channels;
}

// ------------------------------------------------------------------------------------------------------- one function

const int M = RATIONAL_M, N = RATIONAL_N, FORM = RATIONAL_FORM;
const int TERMS = M + 1 + N;
const int POWERS = M > N ? M : N;

struct Coefficients {
    Real a[M + 1], b[N];
};

// Coefficient i of the numerator is numerator[first_a + i stride], likewise below; FORM 0 takes absolute values once, here.
__device__ __forceinline__ void read(Coefficients& c, const Real* numerator, const Real* denominator, int64 first_a, int64 first_b, int64 stride) {
#pragma unroll
    for (int i = 0; i <= M; ++i) c.a[i] = numerator[first_a + i * stride];
#pragma unroll
    for (int j = 0; j < N; ++j) {
        const Real b = denominator[first_b + j * stride];
        c.b[j] = FORM == 0 ? magnitude(b) : b;
    }
}

__device__ __forceinline__ Real value_at(Real x, const Coefficients& c) {
    const Real z = FORM == 0 ? magnitude(x) : x;
    Real p = c.a[M], q = c.b[N - 1];
#pragma unroll
    for (int i = M - 1; i >= 0; --i) p = fused(p, x, c.a[i]);
#pragma unroll
    for (int j = N - 2; j >= 0; --j) q = fused(q, z, c.b[j]);
    if (FORM == 0) return p * inverse(fused(q, z, Real(1)));
    q = q * z;
    return p * inverse(FORM == 1 ? Real(1) + magnitude(q) : fused(q, q, Real(1)));
}

// What a gradient from above becomes at one x: for the numerator, for q, and for x itself.
struct Gradient {
    Real p, q, x;
};

__device__ __forceinline__ Gradient gradient_at(Real x, Real above, const Coefficients& c) {
    const Real z = FORM == 0 ? magnitude(x) : x;
    Real p = c.a[M], dp = Real(0), q = c.b[N - 1], dq = Real(0);        // value and derivative of both in one Horner pass
#pragma unroll
    for (int i = M - 1; i >= 0; --i) { dp = i == M - 1 ? p : fused(dp, x, p); p = fused(p, x, c.a[i]); }
#pragma unroll
    for (int j = N - 2; j >= 0; --j) { dq = j == N - 2 ? q : fused(dq, z, q); q = fused(q, z, c.b[j]); }
    dq = N == 1 ? q : fused(dq, z, q);  // d(q z)/dz
    if (FORM == 0) dq = with_sign_of(dq, x);
    Real d;
    if (FORM == 0) d = fused(q, z, Real(1));
    else { q = q * z; d = FORM == 1 ? Real(1) + magnitude(q) : fused(q, q, Real(1)); }
    const Real r = inverse(d);
    Gradient to;
    to.p = above * r;                   // dL/dP
    const Real f = -(p * r);
    if (FORM == 0) to.q = to.p * f;     // dL/dD
    if (FORM == 1) to.q = with_sign_of(to.p * f, q);
    if (FORM == 2) to.q = to.p * (q + q) * f;       // in this order: g F r^2 may be too small for a number where 2 q g F r^2 is none
    to.x = fused(to.q, dq, to.p * dp);
    return to;
}

// sums[k] += dL/da_k for k <= M, and dL/db_(k-M) behind them; for FORM 0 still without the sign of b.
__device__ __forceinline__ void add(Real (&sums)[TERMS], Real x, const Gradient& to) {
    Real power[POWERS > 0 ? POWERS : 1];
    power[0] = x;
#pragma unroll
    for (int i = 1; i < POWERS; ++i) power[i] = power[i - 1] * x;
    sums[0] += to.p;
#pragma unroll
    for (int i = 1; i <= M; ++i) sums[i] = fused(to.p, power[i - 1], sums[i]);
#pragma unroll
    for (int j = 0; j < N; ++j) {       // even powers of |x| are those of x
        const Real z = FORM == 0 && j % 2 == 0 ? magnitude(power[j]) : power[j];
        sums[M + 1 + j] = fused(to.q, z, sums[M + 1 + j]);
    }
}

__device__ __forceinline__ void clear(Real (&sums)[TERMS]) {
#pragma unroll
    for (int k = 0; k < TERMS; ++k) sums[k] = Real(0);
}

// ----------------------------------------------------------------------------------------------------- group kernels
// x (rows, channels), contiguous; numerator (groups, M + 1), denominator (groups, N). A thread keeps WIDE neighbouring channels of one group
// for its whole life, so its coefficients and sums stay in registers; a block takes whole stretches of rows. blockIdx.x is a share of the rows,
// `depth` of which are taken at once, blockIdx.y a tile of `span` columns, which is whole groups, or one large group; gridDim.z blocks share a tile, with
// at most `columns` threads' channels each; columns * depth <= blockDim.x.

struct Tiling {
    int64 rows;
    int channels, group_size, columns, depth, span;
};

template <int WIDE> struct Place {
    int column, row_length;             // in units of WIDE channels
    int group;
    int64 row, step;
    bool inside;
};

template <int WIDE> __device__ __forceinline__ Place<WIDE> place_in(const Tiling& t) {
    const int down = (int)threadIdx.x / t.columns, across = (int)threadIdx.x - down * t.columns;
    const int begin = (int)blockIdx.y * t.span, within = (int)blockIdx.z * t.columns + across;
    Place<WIDE> at;
    at.row_length = t.channels / WIDE;
    at.column = begin + within;
    at.row = (int64)blockIdx.x * t.depth + down;
    at.step = (int64)gridDim.x * t.depth;
    at.inside = down < t.depth && within < t.span && at.column < at.row_length;
    at.group = at.inside ? at.column * WIDE / t.group_size : 0;
    return at;
}

template <int WIDE>
__device__ __forceinline__ void group_forward(const Stored* x, const Real* numerator, const Real* denominator, Stored* y, const Tiling& t) {
    const int AHEAD = 4;                // rows in flight
    typedef Channels<WIDE> Vector;
    const Place<WIDE> at = place_in<WIDE>(t);
    const int64 rows = t.rows;
    if (!at.inside) return;
    Coefficients c;
    read(c, numerator, denominator, (int64)at.group * (M + 1), (int64)at.group * N, 1);
    const Vector* from = reinterpret_cast<const Vector*>(x) + at.column;
    Vector* to = reinterpret_cast<Vector*>(y) + at.column;
    int64 row = at.row;
    for (; row + (AHEAD - 1) * at.step < rows; row += AHEAD * at.step) {
        Vector in[AHEAD];
#pragma unroll
        for (int k = 0; k < AHEAD; ++k) in[k] = from[(row + k * at.step) * at.row_length];
#pragma unroll
        for (int k = 0; k < AHEAD; ++k) {
            Vector out;
#pragma unroll
            for (int e = 0; e < WIDE; ++e) store(value_at(load(in[k].v[e]), c), out.v[e]);
            to[(row + k * at.step) * at.row_length] = out;
        }
    }
    for (; row < rows; row += at.step) {
        const Vector in = from[row * at.row_length];
        Vector out;
#pragma unroll
        for (int e = 0; e < WIDE; ++e) store(value_at(load(in.v[e]), c), out.v[e]);
        to[row * at.row_length] = out;
    }
}

template <int WIDE>
__device__ __forceinline__ Channels<WIDE> pull_back(const Channels<WIDE>& x, const Channels<WIDE>& above, const Coefficients& c, Real (&sums)[TERMS]) {
    Channels<WIDE> out;
#pragma unroll
    for (int e = 0; e < WIDE; ++e) {
        const Real v = load(x.v[e]);
        const Gradient to = gradient_at(v, load(above.v[e]), c);
        add(sums, v, to);
        store(to.x, out.v[e]);
    }
    return out;
}

// All rows of this thread: dL/dx is written, and total[k LINE] += the sum for coefficient k. Sums are kept on two levels: a short one of a few rows in
// registers, so that a small term meets a sum of its own size, is emptied into a long one of double, which waits in shared memory.
const int LINE = RATIONAL_THREADS + 1;

template <int WIDE>
__device__ __forceinline__ void pull_back_rows(const Stored* x, const Stored* above, const Coefficients& c, Stored* into_x, int64 rows,
                                               const Place<WIDE>& at, double* total) {
    const int TOGETHER = sizeof(Stored) == 2 ? 8 : 4;
    typedef Raw<sizeof(Stored) * WIDE> Vector;
    const Vector *from = reinterpret_cast<const Vector*>(x), *arriving = reinterpret_cast<const Vector*>(above);
    Channels<WIDE>* to = reinterpret_cast<Channels<WIDE>*>(into_x);
    if (at.row >= rows) return;
    int64 here = at.row * at.row_length + at.column;
    const int step = (int)(at.step * at.row_length);     // every thread of the device once: it is no large number
    Vector next_x = from[here], next_g = arriving[here];
    for (int left = (int)((rows - at.row + at.step - 1) / at.step); left > 0;) {        // rows of this thread
        Real sums[TERMS];
        clear(sums);
        const int then = left > TOGETHER ? left - TOGETHER : 0;
#pragma unroll 1
        for (; left > then; --left, here += step) {
            const Channels<WIDE> xs = taken_from<WIDE>(next_x), gs = taken_from<WIDE>(next_g);
            if (left > 1) {             // the next row comes while this one is computed
                next_x = from[here + step];
                next_g = arriving[here + step];
            }
            to[here] = pull_back<WIDE>(xs, gs, c, sums);
        }
#pragma unroll
        for (int k = 0; k < TERMS; ++k) total[k * LINE] += (double)sums[k];
    }
}

// partials (gridDim.x * gridDim.z, TERMS, groups): what each share of the rows gives to each coefficient. A tile is whole groups, or
// one group that is cut into gridDim.z pieces, each with a row of partials of its own.
template <int WIDE>
__device__ __forceinline__ void group_backward(const Stored* x, const Stored* above, const Real* numerator, const Real* denominator,
                                               Stored* into_x, Real* partials, const Tiling& t) {
    __shared__ double shared[TERMS * LINE];
    const Place<WIDE> at = place_in<WIDE>(t);
#pragma unroll
    for (int k = 0; k < TERMS; ++k) shared[k * LINE + (int)threadIdx.x] = 0.0;
    if (at.inside) {
        Coefficients c;
        read(c, numerator, denominator, (int64)at.group * (M + 1), (int64)at.group * N, 1);
        pull_back_rows<WIDE>(x, above, c, into_x, t.rows, at, shared + threadIdx.x);
    }
    __syncthreads();

    // Everybody is here, those without a channel too. One thread now adds the threads of one group for one coefficient, in order.
    const int groups = t.channels / t.group_size, group_columns = t.group_size / WIDE;
    const int width = gridDim.z == 1 ? group_columns : t.columns, tile_groups = t.span / group_columns;
    const int first_group = (int)blockIdx.y * tile_groups;
    const int64 slot = (int64)blockIdx.x * gridDim.z + blockIdx.z;
    for (int item = (int)threadIdx.x; item < tile_groups * TERMS; item += (int)blockDim.x) {
        const int k = item / tile_groups, g = item - k * tile_groups;
        const int group = first_group + g;
        if (group >= groups) continue;
        double sum = 0.0;
        for (int down = 0; down < t.depth; ++down)
            for (int w = 0; w < width; ++w) sum += shared[k * LINE + down * t.columns + g * width + w];
        if (FORM == 0 && k > M && denominator[(int64)group * N + (k - M - 1)] < Real(0)) sum = -sum;
        partials[(slot * TERMS + k) * groups + group] = (Real)sum;
    }
}

// ------------------------------------------------------------------------------------------------------ edge kernels
// y_o = sum over i of F_oi(x_i): x (n_in, rows), y (n_out, rows), numerator (M + 1, n_out, n_in), denominator (N, n_out, n_in). Each thread
// takes ROWS rows at a distance of blockDim.x; the coefficients of a stretch of edges wait in shared memory for the whole block.

const int ROWS = sizeof(Real) == 8 ? 1 : 4, EDGE_THREADS = 128, STRETCH = 32;

__device__ __forceinline__ Coefficients from_shared(const Real* waiting) {
    Coefficients c;
#pragma unroll
    for (int i = 0; i <= M; ++i) c.a[i] = waiting[i];
#pragma unroll
    for (int j = 0; j < N; ++j) c.b[j] = waiting[M + 1 + j];
    return c;
}

// Bring the coefficients of the edges first + e step, e < count, into shared memory.
__device__ __forceinline__ void wait_for(Real* waiting, const Real* numerator, const Real* denominator, int64 edges, int64 first, int64 step, int count) {
    __syncthreads();                    // nobody reads the last stretch any more
    for (int item = (int)threadIdx.x; item < count * TERMS; item += (int)blockDim.x) {
        const int e = item / TERMS, k = item - e * TERMS;
        const int64 edge = first + e * step;
        Real c = k <= M ? numerator[k * edges + edge] : denominator[(k - M - 1) * edges + edge];
        if (FORM == 0 && k > M) c = magnitude(c);
        waiting[item] = c;
    }
    __syncthreads();
}

__device__ __forceinline__ int smaller(int a, int64 b) { return b < a ? (int)b : a; }

extern "C" __global__ void __launch_bounds__(EDGE_THREADS)
edge_forward(const Stored* x, const Real* numerator, const Real* denominator, Stored* y, int64 n_in, int64 n_out, int64 rows) {
    __shared__ Real waiting[STRETCH * TERMS];
    const int64 target = blockIdx.y;
    const int64 row = (int64)blockIdx.x * blockDim.x * ROWS + threadIdx.x;
    Real sums[ROWS];
#pragma unroll
    for (int k = 0; k < ROWS; ++k) sums[k] = Real(0);
    for (int64 start = 0; start < n_in; start += STRETCH) {
        const int count = smaller(STRETCH, n_in - start);
        wait_for(waiting, numerator, denominator, n_out * n_in, target * n_in + start, 1, count);
        for (int e = 0; e < count; ++e) {
            const Coefficients c = from_shared(waiting + e * TERMS);
            const Stored* from = x + (start + e) * rows;
#pragma unroll
            for (int k = 0; k < ROWS; ++k) {
                const int64 r = row + k * (int64)blockDim.x;
                if (r < rows) sums[k] += value_at(load(from[r]), c);
            }
        }
    }
#pragma unroll
    for (int k = 0; k < ROWS; ++k) {
        const int64 r = row + k * (int64)blockDim.x;
        if (r < rows) store(sums[k], y[target * rows + r]);
    }
}

extern "C" __global__ void __launch_bounds__(EDGE_THREADS)
edge_backward_x(const Stored* x, const Stored* above, const Real* numerator, const Real* denominator, Stored* into_x,
                int64 n_in, int64 n_out, int64 rows) {
    __shared__ Real waiting[STRETCH * TERMS];
    const int64 source = blockIdx.y;
    const int64 row = (int64)blockIdx.x * blockDim.x * ROWS + threadIdx.x;
    Real at[ROWS], sums[ROWS];
#pragma unroll
    for (int k = 0; k < ROWS; ++k) {
        const int64 r = row + k * (int64)blockDim.x;
        at[k] = r < rows ? load(x[source * rows + r]) : Real(0);
        sums[k] = Real(0);
    }
    for (int64 start = 0; start < n_out; start += STRETCH) {
        const int count = smaller(STRETCH, n_out - start);
        wait_for(waiting, numerator, denominator, n_out * n_in, start * n_in + source, n_in, count);
        for (int e = 0; e < count; ++e) {
            const Coefficients c = from_shared(waiting + e * TERMS);
            const Stored* arriving = above + (start + e) * rows;
#pragma unroll
            for (int k = 0; k < ROWS; ++k) {
                const int64 r = row + k * (int64)blockDim.x;
                if (r < rows) sums[k] += gradient_at(at[k], load(arriving[r]), c).x;
            }
        }
    }
#pragma unroll
    for (int k = 0; k < ROWS; ++k) {
        const int64 r = row + k * (int64)blockDim.x;
        if (r < rows) store(sums[k], into_x[source * rows + r]);
    }
}

// partials (gridDim.x, TERMS, n_out, n_in): what a share of `share` rows gives to each coefficient. blockIdx.y is the source, blockIdx.z every
// gridDim.z-th target: x stays in the first cache while the block goes from target to target.
extern "C" __global__ void __launch_bounds__(EDGE_THREADS)
edge_backward_coefficients(const Stored* x, const Stored* above, const Real* numerator, const Real* denominator, Real* partials,
                           int64 n_in, int64 n_out, int64 rows, int64 share) {
    const int LANES = 8;
    __shared__ Real shared[TERMS * (EDGE_THREADS + 1)];
    __shared__ Real few[TERMS * LANES];
    const int n_threads = (int)blockDim.x, line = n_threads + 1;
    const int64 source = blockIdx.y, edges = n_out * n_in;
    const int64 first = (int64)blockIdx.x * share, end = first + share < rows ? first + share : rows;
    const Stored* from = x + source * rows;
    for (int64 target = blockIdx.z; target < n_out; target += gridDim.z) {
        const int64 edge = target * n_in + source;
        const Stored* arriving = above + target * rows;
        Coefficients c;
        read(c, numerator, denominator, edge, edge, edges);
        Real sums[TERMS];
        clear(sums);
        for (int64 r = first + threadIdx.x; r < end; r += n_threads) {
            const Real v = load(from[r]);
            add(sums, v, gradient_at(v, load(arriving[r]), c));
        }
#pragma unroll
        for (int k = 0; k < TERMS; ++k) shared[k * line + (int)threadIdx.x] = sums[k];
        __syncthreads();
        for (int item = (int)threadIdx.x; item < TERMS * LANES; item += n_threads) {
            const int k = item / LANES, lane = item - k * LANES;
            Real sum = Real(0);
            for (int t = lane; t < n_threads; t += LANES) sum += shared[k * line + t];
            few[item] = sum;
        }
        __syncthreads();
        for (int k = (int)threadIdx.x; k < TERMS; k += n_threads) {
            Real sum = Real(0);
            for (int lane = 0; lane < LANES; ++lane) sum += few[k * LANES + lane];
            if (FORM == 0 && k > M && denominator[(k - M - 1) * edges + edge] < Real(0)) sum = -sum;
            partials[((int64)blockIdx.x * TERMS + k) * edges + edge] = sum;
        }
    }
}

// ------------------------------------------------------------------------------------------------------ entry points
// extern "C": CuPy finds them in its cache by name. `wide` wants groups of a multiple of RATIONAL_WIDE channels and addresses of 16 bytes.

#define RATIONAL_GROUP_ENTRIES(NAME, WIDE)                                                                                       \
    extern "C" __global__ void __launch_bounds__(RATIONAL_THREADS, RATIONAL_BLOCKS)                                              \
    group_forward_##NAME(const Stored* x, const Real* numerator, const Real* denominator, Stored* y, int64 rows, int64 channels, \
                         int64 group_size, int64 columns, int64 depth, int64 span) {                                             \
        const Tiling t = {rows, (int)channels, (int)group_size, (int)columns, (int)depth, (int)span};                            \
        group_forward<WIDE>(x, numerator, denominator, y, t);                                                                    \
    }                                                                                                                            \
    extern "C" __global__ void __launch_bounds__(RATIONAL_THREADS, RATIONAL_BLOCKS)                                              \
    group_backward_##NAME(const Stored* x, const Stored* above, const Real* numerator, const Real* denominator, Stored* into_x,  \
                          Real* partials, int64 rows, int64 channels, int64 group_size, int64 columns, int64 depth, int64 span) {\
        const Tiling t = {rows, (int)channels, (int)group_size, (int)columns, (int)depth, (int)span};                            \
        group_backward<WIDE>(x, above, numerator, denominator, into_x, partials, t);                                             \
    }
RATIONAL_GROUP_ENTRIES(wide, RATIONAL_WIDE)
RATIONAL_GROUP_ENTRIES(narrow, 1)
