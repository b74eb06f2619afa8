// Numbers as the kernels store them, compute with them, and add them up at the end. rational.cu and spline.cu include this text, which includes
// nothing itself: NVRTC needs no header, and the half-precision ones have changed from one toolkit to the next.

#ifndef NUMBER_TYPE
#define NUMBER_TYPE float       // double, float, bf16, fp16: how numbers are stored
#endif

typedef long long int64;
typedef unsigned int uint32;
typedef unsigned short uint16;

struct bf16 { uint16 bits; };
struct fp16 { uint16 bits; };

// ------------------------------------------------------------------------------------------------------------ numbers
// 16-bit numbers are stored as such and computed with as float.

template <typename T> struct ComputeType { typedef float type; };
template <> struct ComputeType<double> { typedef double type; };

typedef NUMBER_TYPE Stored;
typedef ComputeType<Stored>::type Real;

__device__ __forceinline__ float  load(float v)  { return v; }
__device__ __forceinline__ double load(double v) { return v; }
__device__ __forceinline__ float  load(bf16 v)   { return __uint_as_float((uint32)v.bits << 16); }
__device__ __forceinline__ float  load(fp16 v) {
#if defined(__CUDA_ARCH__)
    float f;
    asm("cvt.f32.f16 %0, %1;" : "=f"(f) : "h"(v.bits));
    return f;
#else
    return shim_float_of_half(v.bits);
#endif
}

__device__ __forceinline__ void store(float v, float& to)   { to = v; }
__device__ __forceinline__ void store(double v, double& to) { to = v; }
__device__ __forceinline__ void store(float v, bf16& to) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
    asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(to.bits) : "f"(v));
#else
    const uint32 w = __float_as_uint(v);
    const bool nan = (w & 0x7fffffffu) > 0x7f800000u;
    to.bits = nan ? (uint16)0x7fff : (uint16)((w + 0x7fffu + ((w >> 16) & 1u)) >> 16);      // to the nearest, ties to even
#endif
}
__device__ __forceinline__ void store(float v, fp16& to) {
#if defined(__CUDA_ARCH__)
    asm("cvt.rn.f16.f32 %0, %1;" : "=h"(to.bits) : "f"(v));
#else
    to.bits = shim_half_of_float(v);
#endif
}

__device__ __forceinline__ float  fused(float a, float b, float c)    { return fmaf(a, b, c); }      // a b + c, rounded once on every machine
__device__ __forceinline__ double fused(double a, double b, double c) { return fma(a, b, c); }

__device__ __forceinline__ float  magnitude(float v)  { return fabsf(v); }
__device__ __forceinline__ double magnitude(double v) { return fabs(v); }

// The slope of |v| times something. A comparison, and not the sign bit: -0 is 0.
template <typename C> __device__ __forceinline__ C with_sign_of(C something, C v) { return v < C(0) ? -something : something; }

// 1 / d for d >= 1: the hardware's approximation, which is off by a unit in the last place, and for numbers that are stored in 32 bits one Newton
// step, without the slow path of a division. An infinite d gives 0; from 2^126 on the approximation is 0 already.
__device__ __forceinline__ float inverse(float d) {
#if defined(__CUDA_ARCH__)
    float r;
    asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(r) : "f"(d));
    if (sizeof(Stored) == 2) return r;
    const float error = fmaf(-d, r, 1.0f);
    return r > 0.0f ? fmaf(r, error, r) : r;        // infinity * 0 must not become NaN; NaN is not > 0 and stays
#else
    return 1.0f / d;
#endif
}
__device__ __forceinline__ double inverse(double d) { return 1.0 / d; }

// ----------------------------------------------------------------------------------------------------- the last sum
// total[i] = sum over slots of partials[slot, i], in float64 and in one order: thread (i, lane) takes every blockDim.y-th slot, then lane 0 adds the
// lanes. Its own launch: the end of a kernel is the one point where all blocks have written, without a counter that anybody must reset.

const int SUM_ITEMS = 32, SUM_LANES = 16;

extern "C" __global__ void __launch_bounds__(SUM_ITEMS * SUM_LANES)
sum_partials(const Real* partials, Real* total, int64 slots, int64 items) {
    __shared__ double shared[SUM_LANES * SUM_ITEMS];
    const int64 item = (int64)blockIdx.x * SUM_ITEMS + threadIdx.x;
    double sum = 0.0;
    if (item < items)
        for (int64 slot = threadIdx.y; slot < slots; slot += blockDim.y) sum += (double)partials[slot * items + item];
    shared[threadIdx.y * SUM_ITEMS + threadIdx.x] = sum;
    __syncthreads();
    if (threadIdx.y != 0 || item >= items) return;
    for (int lane = 1; lane < (int)blockDim.y; ++lane) sum += shared[lane * SUM_ITEMS + threadIdx.x];
    total[item] = (Real)sum;
}
