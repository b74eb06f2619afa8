// Runs a CUDA text on a CPU, for tests. Every thread of a block is a fiber (ucontext), so __syncthreads means what it means on a device.
//
// Blocks run one after another; between two barriers the threads of a block run in an order that the test sets (0 ascending, 1 descending, from 2 on
// a shuffle with that seed), as do the blocks. A missing barrier or a result that depends on the order shows as a difference. Shared memory is
// filled with NaN patterns before each block. A barrier that some threads of a block never reach is an error, as is a wrong number of arguments;
// accesses out of bounds are for the address sanitizer.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <tuple>
#include <type_traits>
#include <utility>

struct shim_dim3 { unsigned x = 1, y = 1, z = 1; };
extern shim_dim3 threadIdx, blockIdx, blockDim, gridDim;

#define __global__
#define __device__ static
#define __forceinline__ inline
#define __launch_bounds__(...)
#define __align__(n) alignas(n)
#ifdef SHIM_SANITIZED       // the sanitizer watches no array in a section of its own
#define __shared__ static
#else
#define __shared__ __attribute__((section("shim_shared"))) static
#endif

void shim_barrier();
int shim_run(shim_dim3 grid, shim_dim3 block, void (*body)(void*), void* context);

inline void __syncthreads() { shim_barrier(); }
inline float __uint_as_float(unsigned u) { float f; std::memcpy(&f, &u, 4); return f; }
inline double __longlong_as_double(long long i) { double d; std::memcpy(&d, &i, 8); return d; }
inline unsigned __float_as_uint(float f) { unsigned u; std::memcpy(&u, &f, 4); return u; }
inline float shim_float_of_half(uint16_t h) { _Float16 v; std::memcpy(&v, &h, 2); return (float)v; }
inline uint16_t shim_half_of_float(float f) { const _Float16 v = (_Float16)f; uint16_t h; std::memcpy(&h, &v, 2); return h; }
using std::fma; using std::fabs; using std::fmax;        // fmaf, fabsf and fmaxf are global

template <typename... A> struct shim_call {
    void (*kernel)(A...);
    const int64_t* arguments;
    // Every argument arrives as 8 bytes, as CuPy passes a Python integer.
    template <typename T> static T as(int64_t v) { static_assert(sizeof(T) == 8, "pass pointers and 64-bit integers only"); T t; std::memcpy(&t, &v, 8); return t; }
    template <size_t... I> void run(std::index_sequence<I...>) const { kernel(as<std::decay_t<A>>(arguments[I])...); }
    static void body(void* self) { static_cast<shim_call*>(self)->run(std::index_sequence_for<A...>{}); }
};

// 0: done; 1: wrong number of arguments; 2: a barrier that not every thread reached.
template <typename... A> int shim_launch(void (*kernel)(A...), const unsigned* g, const unsigned* b, const int64_t* arguments, int n) {
    if (n != (int)sizeof...(A)) return 1;
    shim_call<A...> call{kernel, arguments};
    return shim_run({g[0], g[1], g[2]}, {b[0], b[1], b[2]}, &shim_call<A...>::body, &call);
}
#define SHIM_EXPORT(K) \
    extern "C" int shim_##K(const unsigned* g, const unsigned* b, const int64_t* a, int n) { return shim_launch(K, g, b, a, n); }
