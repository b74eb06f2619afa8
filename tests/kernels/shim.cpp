// The scheduler of cuda_shim.h, and the kernels of a text as functions that ctypes can call.
#include "cuda_shim.h"
#include <ucontext.h>
#include <random>
#include <vector>

shim_dim3 threadIdx, blockIdx, blockDim, gridDim;

namespace {
enum State { READY, AT_BARRIER, DONE };
struct Fiber { ucontext_t context; std::vector<char> stack; State state; };
std::vector<Fiber> fibers;
ucontext_t scheduler;
unsigned current = 0;
int order_seed = 0;
void (*run_body)(void*);
void* run_context;

void trampoline() {
    run_body(run_context);
    fibers[current].state = DONE;
    swapcontext(&fibers[current].context, &scheduler);
}

void put_in_order(std::vector<unsigned>& order, std::mt19937& generator) {
    if (order_seed == 1) std::reverse(order.begin(), order.end());
    if (order_seed >= 2) std::shuffle(order.begin(), order.end(), generator);
}

std::vector<unsigned> counted(unsigned n) {
    std::vector<unsigned> order(n);
    for (unsigned i = 0; i < n; ++i) order[i] = i;
    return order;
}

void start_threads(unsigned n) {
    for (unsigned t = 0; t < n; ++t) {
        Fiber& fiber = fibers[t];
        fiber.state = READY;
        getcontext(&fiber.context);
        fiber.context.uc_stack.ss_sp = fiber.stack.data();
        fiber.context.uc_stack.ss_size = fiber.stack.size();
        fiber.context.uc_link = nullptr;
        makecontext(&fiber.context, trampoline, 0);
    }
}

bool run_block(shim_dim3 block, std::mt19937& generator) {
    const unsigned n = block.x * block.y * block.z;
    std::vector<unsigned> order = counted(n);
    put_in_order(order, generator);
    start_threads(n);
    for (;;) {
        unsigned waiting = 0, done = 0;
        for (unsigned t : order) {
            if (fibers[t].state != DONE) {
                current = t;
                threadIdx = {t % block.x, t / block.x % block.y, t / block.x / block.y};
                swapcontext(&scheduler, &fibers[t].context);
            }
            (fibers[t].state == DONE ? done : waiting) += 1;
        }
        if (waiting == 0) return true;
        if (done != 0) return false;
        if (order_seed >= 2) put_in_order(order, generator);
    }
}
}  // namespace

#ifndef SHIM_SANITIZED
extern "C" char __start_shim_shared[], __stop_shim_shared[];
#endif

void shim_barrier() {
    fibers[current].state = AT_BARRIER;
    swapcontext(&fibers[current].context, &scheduler);
}

int shim_run(shim_dim3 grid, shim_dim3 block, void (*body)(void*), void* context) {
    gridDim = grid; blockDim = block; run_body = body; run_context = context;
    const unsigned n = block.x * block.y * block.z;
    while (fibers.size() < n) { fibers.emplace_back(); fibers.back().stack.resize(1 << 16); }
    std::mt19937 generator((unsigned)order_seed);
    std::vector<unsigned> blocks = counted(grid.x * grid.y * grid.z);
    put_in_order(blocks, generator);
    for (unsigned b : blocks) {
        blockIdx = {b % grid.x, b / grid.x % grid.y, b / grid.x / grid.y};
#ifndef SHIM_SANITIZED
        std::memset(__start_shim_shared, 0xff, (size_t)(__stop_shim_shared - __start_shim_shared));
#endif
        if (!run_block(block, generator)) return 2;
    }
    return 0;
}

extern "C" void shim_set_order(int seed) { order_seed = seed; }

#include SHIM_SOURCE

SHIM_EXPORTS        // SHIM_EXPORT(name) of every kernel
