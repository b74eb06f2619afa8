// Cubic B-splines on every edge of a layer, and all their gradients.
//
// One text for three compilers, as rational.cu. One compilation serves one storage type and every number of bases; README.md beside this file has
// the plan of the kernels.
//
//     y_o = sum over i of  w_oi silu(u_i) + sum_k c_koi B(t_ik)         t_ik = (x_i - lo_i) / h_i - k + 1      h = (hi - lo) / (bases - 3)
//     B(t) = (max(2 - |t|, 0)^3 - 4 max(1 - |t|, 0)^3) / 6              u_i = 2 (x_i - lo_i) / (hi_i - lo_i) - 1
//
// With the gradient g_o = dL/dy_o that arrives from above, the gradients are sums over rows, and for x over targets:
//
//     dL/dc_koi = sum of g_o B(t_ik)        dL/dw_oi = sum of g_o silu(u_i)
//     dL/dx_i   = sum over o of  g_o (w_oi silu'(u_i) 2 / (hi - lo) + sum_k c_koi B'(t_ik) / h)
//
// Bases are taken eight at a time without branches, and the base term with the first eight: such a stretch of nine terms of one x serves many
// targets from registers. Sums run in a fixed order without atomic operations: the same bits on every run on the same device.

#include "numbers.cuh"

const int BASES = 8, TERMS = BASES + 1;         // of a stretch; the last term is the base term, nought in all stretches but the first
const int THREADS = 128, BLOCKS = 4, LANES = 8;    // BLOCKS: that a multiprocessor must have registers for
const bool DOUBLE = sizeof(Real) == 8;
const int ROWS = DOUBLE ? 1 : 2;                // rows of a thread
const int TARGETS = DOUBLE ? 8 : 16;            // of a block, forward
const int SOURCES = DOUBLE ? 1 : 2;             // of a block, backward to x
const int SUMMED = DOUBLE ? 2 : 8;              // targets whose coefficient sums a thread holds
const int WAITING = 64;                         // edges whose coefficients wait in shared memory

struct Range {
    Real low, inverse, stretch;                 // lo, 1 / h = (bases - 3) / (hi - lo), 2 / (hi - lo)
};

struct __align__(16) Weights {
    Real v[12];                                 // TERMS of them, and a length that is read 16 bytes at a time
};

// ------------------------------------------------------------------------------------------------------- one number

__device__ __forceinline__ float  whole(float v)  { return floorf(v); }
__device__ __forceinline__ double whole(double v) { return floor(v); }
__device__ __forceinline__ float  power_of_two(float k)  { return __uint_as_float((uint32)((int)k + 127) << 23); }
__device__ __forceinline__ double power_of_two(double k) { return __longlong_as_double((int64)((int)k + 1023) << 52); }

// exp(v) = 2^k exp(r) with |r| <= ln(2) / 2, by Taylor's series: remainder 4e-9 of degree 7 in float, 2e-16 of degree 12 in double. A library's exp
// would be another one on every machine.
__device__ __forceinline__ Real exponential(Real v) {
    const Real least = DOUBLE ? Real(-708) : Real(-87), most = DOUBLE ? Real(709) : Real(88);
    const Real high = Real(0.693145751953125), low = Real(1.42860682030941723e-6);      // ln(2): the first part is short, k times it exact
    const int degree = DOUBLE ? 12 : 7;
    const Real series[13] = {Real(1), Real(1), Real(1. / 2), Real(1. / 6), Real(1. / 24), Real(1. / 120), Real(1. / 720), Real(1. / 5040), Real(1. / 40320),
                             Real(1. / 362880), Real(1. / 3628800), Real(1. / 39916800), Real(1. / 479001600)};
    const Real c = v > least ? (v < most ? v : most) : least;
    const Real k = whole(fused(c, Real(1.4426950408889634), Real(0.5)));
    const Real r = fused(-k, low, fused(-k, high, c));
    Real p = series[degree];
#pragma unroll
    for (int i = degree - 1; i >= 0; --i) p = fused(p, r, series[i]);
    p *= power_of_two(k);
    if (v > most) p = power_of_two(DOUBLE ? Real(1024) : Real(128));        // infinity
    return v == v ? p : v;
}

__device__ __forceinline__ float  at_least_nought(float v)  { return fmaxf(v, 0.0f); }       // NaN gives 0
__device__ __forceinline__ double at_least_nought(double v) { return fmax(v, 0.0); }

// The base term of an x, and the slope of it.
__device__ __forceinline__ Real base_at(Real x, const Range& range) {
    const Real u = fused(x - range.low, range.stretch, Real(-1));
    return u * inverse(Real(1) + exponential(-u));
}

__device__ __forceinline__ Real base_slope_at(Real x, const Range& range) {
    const Real u = fused(x - range.low, range.stretch, Real(-1)), s = inverse(Real(1) + exponential(-u));
    return s * fused(u, Real(1) - s, Real(1)) * range.stretch;             // silu'(u) = s (1 + u (1 - s))
}

// max(2 - |t|, 0) and max(1 - |t|, 0) of basis k
struct Flanks {
    Real t, wide, near;
};

__device__ __forceinline__ Flanks flanks_at(Real x, const Range& range, int k) {
    const Real t = fused(x - range.low, range.inverse, Real(1 - k)), s = magnitude(t);
    return {t, at_least_nought(Real(2) - s), at_least_nought(Real(1) - s)};
}

// Terms of the stretch that begins at basis `first`.
__device__ __forceinline__ void terms_at(Real x, const Range& range, int first, Real (&value)[TERMS]) {
#pragma unroll
    for (int k = 0; k < BASES; ++k) {
        const Flanks f = flanks_at(x, range, first + k);
        value[k] = fused(f.wide * f.wide, f.wide, Real(-4) * (f.near * f.near * f.near)) * Real(1. / 6);
    }
    value[BASES] = first == 0 ? base_at(x, range) : Real(0);
}

// dB/dx = sign(t) (2 near^2 - wide^2 / 2) / h of basis k
__device__ __forceinline__ Real slope_at(Real x, const Range& range, int k) {
    const Flanks f = flanks_at(x, range, k);
    return with_sign_of(fused(Real(2), f.near * f.near, Real(-0.5) * (f.wide * f.wide)) * range.inverse, f.t);
}

__device__ __forceinline__ Range range_of(const Real* domain, int64 source, int64 bases) {
    const Real low = domain[2 * source], width = domain[2 * source + 1] - low;
    return {low, Real(bases - 3) / width, Real(2) / width};
}

// ------------------------------------------------------------------------------------------------------ edge kernels
// x (n_in, rows), y (n_out, rows), coefficients (bases, n_out, n_in), base (n_out, n_in), domain (n_in, 2).

// Bring a stretch of terms of the edges target + o, source + i into shared memory: waiting[i n_targets + o] for i < n_sources, o < n_targets; zero
// where there is no such basis or target, so that nobody must ask.
__device__ __forceinline__ void wait_for(Weights* waiting, const Real* coefficients, const Real* base, int64 n_in, int64 n_out, int64 bases, int first,
                                         int64 target, int n_targets, int64 source, int n_sources) {
    __syncthreads();                    // nobody reads the last ones any more
    for (int item = (int)threadIdx.x; item < TERMS * n_targets * n_sources; item += (int)blockDim.x) {
        const int i = item % n_sources, o = item / n_sources % n_targets, k = item / n_sources / n_targets;
        const bool is_base = k == BASES, there = target + o < n_out && source + i < n_in && (is_base ? first == 0 : first + k < bases);
        const int64 edge = (target + o) * n_in + source + i;
        waiting[i * n_targets + o].v[k] = !there ? Real(0) : is_base ? base[edge] : coefficients[(first + k) * n_out * n_in + edge];
    }
    __syncthreads();
}

extern "C" __global__ void __launch_bounds__(THREADS, BLOCKS)
spline_forward(const Stored* x, const Real* coefficients, const Real* base, const Real* domain, Stored* y, int64 n_in, int64 n_out, int64 rows, int64 bases) {
    const int TOGETHER = WAITING / TARGETS;     // sources
    __shared__ Weights waiting[WAITING];
    __shared__ Range ranges[TOGETHER];
    const int64 target = (int64)blockIdx.y * TARGETS, row = (int64)blockIdx.x * blockDim.x * ROWS + threadIdx.x;
    Real sums[ROWS][TARGETS];
#pragma unroll
    for (int r = 0; r < ROWS; ++r)
#pragma unroll
        for (int o = 0; o < TARGETS; ++o) sums[r][o] = Real(0);
    for (int first = 0; first < (int)bases; first += BASES)
        for (int64 source = 0; source < n_in; source += TOGETHER) {
            wait_for(waiting, coefficients, base, n_in, n_out, bases, first, target, TARGETS, source, TOGETHER);
            const int count = n_in - source < TOGETHER ? (int)(n_in - source) : TOGETHER;
            if ((int)threadIdx.x < count) ranges[threadIdx.x] = range_of(domain, source + threadIdx.x, bases);
            __syncthreads();
            for (int i = 0; i < count; ++i) {
                Real value[ROWS][TERMS];
#pragma unroll
                for (int r = 0; r < ROWS; ++r) {
                    const int64 at = row + r * (int64)blockDim.x;
                    terms_at(at < rows ? load(x[(source + i) * rows + at]) : Real(0), ranges[i], first, value[r]);
                }
#pragma unroll
                for (int o = 0; o < TARGETS; ++o) {
                    const Weights w = waiting[i * TARGETS + o];
#pragma unroll
                    for (int r = 0; r < ROWS; ++r)
#pragma unroll
                        for (int k = 0; k < TERMS; ++k) sums[r][o] = fused(w.v[k], value[r][k], sums[r][o]);
                }
            }
        }
#pragma unroll
    for (int r = 0; r < ROWS; ++r) {
        const int64 at = row + r * (int64)blockDim.x;
#pragma unroll
        for (int o = 0; o < TARGETS; ++o)
            if (at < rows && target + o < n_out) store(sums[r][o], y[(target + o) * rows + at]);
    }
}

// What arrives at a term of an x is a sum over targets; only then does it meet the slope of the term.
extern "C" __global__ void __launch_bounds__(THREADS, BLOCKS)
spline_backward_x(const Stored* x, const Stored* above, const Real* coefficients, const Real* base, const Real* domain, Stored* into_x,
                  int64 n_in, int64 n_out, int64 rows, int64 bases) {
    const int TOGETHER = WAITING / SOURCES;     // targets
    __shared__ Weights waiting[WAITING];
    __shared__ Range ranges[SOURCES];
    const int64 source = (int64)blockIdx.y * SOURCES, row = (int64)blockIdx.x * blockDim.x * ROWS + threadIdx.x;
    if ((int)threadIdx.x < SOURCES && source + threadIdx.x < n_in) ranges[threadIdx.x] = range_of(domain, source + threadIdx.x, bases);
    __syncthreads();
    Real at_x[SOURCES][ROWS], of_base[SOURCES][ROWS], total[SOURCES][ROWS];        // the base slopes first, while there are registers for a division
#pragma unroll
    for (int i = 0; i < SOURCES; ++i)
#pragma unroll
        for (int r = 0; r < ROWS; ++r) {
            const int64 at = row + r * (int64)blockDim.x;
            const bool there = at < rows && source + i < n_in;
            at_x[i][r] = there ? load(x[(source + i) * rows + at]) : Real(0);
            of_base[i][r] = there ? base_slope_at(at_x[i][r], ranges[i]) : Real(0);
            total[i][r] = Real(0);
        }
    for (int first = 0; first < (int)bases; first += BASES) {
        Real sums[SOURCES][ROWS][TERMS];
#pragma unroll
        for (int i = 0; i < SOURCES; ++i)
#pragma unroll
            for (int r = 0; r < ROWS; ++r)
#pragma unroll
                for (int k = 0; k < TERMS; ++k) sums[i][r][k] = Real(0);
        for (int64 target = 0; target < n_out; target += TOGETHER) {
            wait_for(waiting, coefficients, base, n_in, n_out, bases, first, target, TOGETHER, source, SOURCES);
            const int count = n_out - target < TOGETHER ? (int)(n_out - target) : TOGETHER;
            for (int o = 0; o < count; ++o) {
                Real g[ROWS];
#pragma unroll
                for (int r = 0; r < ROWS; ++r) {
                    const int64 at = row + r * (int64)blockDim.x;
                    g[r] = at < rows ? load(above[(target + o) * rows + at]) : Real(0);
                }
#pragma unroll
                for (int i = 0; i < SOURCES; ++i) {
                    const Weights w = waiting[i * TOGETHER + o];
#pragma unroll
                    for (int r = 0; r < ROWS; ++r)
#pragma unroll
                        for (int k = 0; k < TERMS; ++k) sums[i][r][k] = fused(w.v[k], g[r], sums[i][r][k]);
                }
            }
        }
#pragma unroll
        for (int i = 0; i < SOURCES; ++i)
#pragma unroll
            for (int r = 0; r < ROWS; ++r) {
#pragma unroll
                for (int k = 0; k < BASES; ++k) total[i][r] = fused(sums[i][r][k], slope_at(at_x[i][r], ranges[i], first + k), total[i][r]);
                total[i][r] = fused(sums[i][r][BASES], of_base[i][r], total[i][r]);
            }
    }
#pragma unroll
    for (int i = 0; i < SOURCES; ++i)
#pragma unroll
        for (int r = 0; r < ROWS; ++r) {
            const int64 at = row + r * (int64)blockDim.x;
            if (at < rows && source + i < n_in) store(total[i][r], into_x[(source + i) * rows + at]);
        }
}

// partials (gridDim.x, bases + 1, n_out, n_in): what a share of `share` rows gives to each coefficient, and last to the base weights. blockIdx.y is the
// source, blockIdx.z one of `tiles` tiles of SUMMED targets in one of the stretches of bases.
extern "C" __global__ void __launch_bounds__(THREADS, BLOCKS)
spline_backward_coefficients(const Stored* x, const Stored* above, const Real* domain, Real* partials, int64 n_in, int64 n_out, int64 rows, int64 bases,
                             int64 share, int64 tiles) {
    __shared__ Real shared[TERMS * (THREADS + 1)];
    __shared__ Real few[TERMS * LANES];
    __shared__ Range range;
    const int n_threads = (int)blockDim.x, line = n_threads + 1;
    const int64 source = blockIdx.y, target = (int64)blockIdx.z % tiles * SUMMED;
    const int first = (int)((int64)blockIdx.z / tiles) * BASES;
    const int64 begin = (int64)blockIdx.x * share, end = begin + share < rows ? begin + share : rows;
    if (threadIdx.x == 0) range = range_of(domain, source, bases);
    __syncthreads();
    Real sums[SUMMED][TERMS];
#pragma unroll
    for (int o = 0; o < SUMMED; ++o)
#pragma unroll
        for (int k = 0; k < TERMS; ++k) sums[o][k] = Real(0);
    const int count = n_out - target < SUMMED ? (int)(n_out - target) : SUMMED;
    const Stored *from = x + source * rows, *arriving = above + target * rows;
    for (int64 r = begin + threadIdx.x; r < end; r += n_threads) {
        const Real here = load(from[r]);
        const Stored* at = arriving + r;
        Real g[SUMMED], value[TERMS];
#pragma unroll
        for (int o = 0; o < SUMMED; ++o) {
            g[o] = load(*at);
            if (o + 1 < count) at += rows;              // beyond the last target stands the last one again: nobody reads those sums
        }
        terms_at(here, range, first, value);            // while the others arrive
#pragma unroll
        for (int o = 0; o < SUMMED; ++o)
#pragma unroll
            for (int k = 0; k < TERMS; ++k) sums[o][k] = fused(g[o], value[k], sums[o][k]);
    }
#pragma unroll
    for (int o = 0; o < SUMMED; ++o) {
        if (target + o >= n_out) break;
#pragma unroll
        for (int k = 0; k < TERMS; ++k) shared[k * line + (int)threadIdx.x] = sums[o][k];
        __syncthreads();
        for (int item = (int)threadIdx.x; item < TERMS * LANES; item += n_threads) {
            const int k = item / LANES, lane = item - k * LANES;
            Real sum = Real(0);
            for (int t = lane; t < n_threads; t += LANES) sum += shared[k * line + t];
            few[item] = sum;
        }
        __syncthreads();
        for (int k = (int)threadIdx.x; k < TERMS; k += n_threads) {
            const int64 term = k < BASES ? first + k : bases;
            if (k < BASES ? term >= bases : first > 0) continue;
            Real sum = Real(0);
            for (int lane = 0; lane < LANES; ++lane) sum += few[k * LANES + lane];
            partials[(((int64)blockIdx.x * (bases + 1) + term) * n_out + target + o) * n_in + source] = sum;
        }
    }
}
