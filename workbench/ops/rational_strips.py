"""The inner loops of `ops.rational`: Numba kernels over strips of some hundred numbers with one function each.

The coefficients of a strip are tuples. Their length belongs to their type, so that the loops over them are unrolled and everything about one number
stays in registers: one text serves all degrees as fast as if they were written out. A kernel is compiled for one form, one pair of degrees
and one precision, when it is first asked for.

Channels of one group are gathered from several rows into a strip, in blocks of memory. Kernels are serial and release the GIL; NaN comes out as
NaN; sums over a strip are vectors in the precision of x, sums over strips are float64.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import numba
import numpy as np
from numba import carray
from numba.core import cgutils, types
from numba.cpython.unsafe.tuple import tuple_setitem
from numba.extending import intrinsic, overload
from numba.np.unsafe.ndarray import to_fixed_tuple

from workbench.ops.compiler import FINITE_OR_NOT, kernel

_SUM_ABS, _ABS_SUM, _SQUARE = 0, 1, 2
_STRIP = 1024

_JIT = {"fastmath": set(FINITE_OR_NOT), "error_model": "numpy", "boundscheck": False}
_inlined = numba.njit(inline="always", **_JIT)  # a form known to the caller is known in here


def _row(coefficients, like):
    """Return a row of coefficients as a tuple as long as `like`."""
    raise NotImplementedError


@overload(_row, jit_options=_JIT)
def _row_of_length(coefficients, like):
    length = like.count
    return lambda coefficients, like: to_fixed_tuple(coefficients, length)


@intrinsic
def _copy(typing, to, to_at, source, source_at, count):
    """Copy `count` numbers that lie side by side: a loop over a short run costs several times as much."""
    signature = types.void(to, types.intp, source, types.intp, types.intp)

    def code(context, builder, signature, arguments):
        into, at, from_, from_at, n = arguments
        size = context.get_abi_sizeof(context.get_data_type(signature.args[0].dtype))
        ends = [
            builder.gep(context.make_array(kind)(context, builder, array).data, [place])
            for kind, array, place in ((signature.args[0], into, at), (signature.args[2], from_, from_at))
        ]
        cgutils.raw_memcpy(builder, *ends, n, size)
        return context.get_dummy_value()

    return signature, code


@intrinsic
def _pointer(typing, address, like):
    """Return an address as a pointer to numbers of the type of `like`."""
    pointer = types.CPointer(like)

    def code(context, builder, signature, arguments):
        return builder.inttoptr(arguments[0], context.get_value_type(pointer))

    return pointer(types.intp, like), code


# ------------------------------------------------------------------------------------------------------------ a strip


@_inlined
def _values(x, n, a, b, form, y):
    """y = F(x) for the first n numbers."""
    one = x.dtype.type(1)
    for j in range(n):
        v = x[j]
        z = abs(v) if form == _SUM_ABS else v
        p = a[len(a) - 1]
        for i in range(len(a) - 2, -1, -1):
            p = p * v + a[i]
        q = b[len(b) - 1]
        for i in range(len(b) - 2, -1, -1):
            q = q * z + b[i]
        q = q * z
        d = q if form == _SUM_ABS else (abs(q) if form == _ABS_SUM else q * q)
        y[j] = p / (one + d)


@_inlined
def _gradients(x, g, n, a, b, form, sums_a, sums_b):
    """Put dL/dx in place of g = dL/dF, n numbers; return the sums for a and for b, which begin as the zeros that are given."""
    one, zero = x.dtype.type(1), x.dtype.type(0)
    for j in range(n):
        v = x[j]
        z = abs(v) if form == _SUM_ABS else v
        p, dp = a[len(a) - 1], zero
        for i in range(len(a) - 2, -1, -1):
            dp = dp * v + p
            p = p * v + a[i]
        q, dq = b[len(b) - 1], zero
        for i in range(len(b) - 2, -1, -1):
            dq = dq * z + q
            q = q * z + b[i]
        dq = dq * z + q  # d(q z)/dz
        q = q * z
        d = q if form == _SUM_ABS else (abs(q) if form == _ABS_SUM else q * q)
        r = one / (one + d)
        to_p = g[j] * r
        f = -(p * r)
        if form == _SUM_ABS:
            to_q = to_p * f
            dq = -dq if v < zero else dq
        elif form == _ABS_SUM:
            to_q = to_p * (-f if q < zero else f)
        else:
            to_q = to_p * (q + q) * f  # in this order: g F r^2 may be too small for a number where 2 q g F r^2 is none
        g[j] = to_p * dp + to_q * dq
        for i in range(len(a)):
            sums_a = tuple_setitem(sums_a, i, sums_a[i] + to_p)
            to_p = to_p * v
        for i in range(len(b)):
            to_q = to_q * z
            sums_b = tuple_setitem(sums_b, i, sums_b[i] + to_q)
    return sums_a, sums_b


@_inlined
def _add(total, sums):
    for k in range(len(sums)):
        total[k] += sums[k]


@_inlined
def _add_below(total, sums, b, form):
    """The same for b, of whose absolute values the sums are those where the form takes them."""
    for k in range(len(sums)):
        total[k] += -sums[k] if form == _SUM_ABS and b[k] < 0 else sums[k]


@_inlined
def _below(coefficients, zeros, form):
    """Return a row of b as a tuple, of absolute values where the form takes them."""
    b = _row(coefficients, zeros)
    if form == _SUM_ABS:
        for k in range(len(b)):
            b = tuple_setitem(b, k, abs(b[k]))
    return b


@_inlined
def _gather(strip, x, first, n_channels, n_rows, size):
    """Lay the channels of one group, `size` numbers of each row, end to end in a strip."""
    for r in range(n_rows):
        _copy(strip, r * size, x, first + r * n_channels, size)


@_inlined
def _scatter(x, first, n_channels, n_rows, size, strip):
    """Put a strip back where it was gathered."""
    for r in range(n_rows):
        _copy(x, first + r * n_channels, strip, r * size, size)


@kernel(FINITE_OR_NOT)
def _add_strip(total, at, strip, n):
    """A loop of its own: inside the kernels the compiler could not tell that the arrays lie apart, and would go number by number."""
    for j in range(n):
        total[at + j] += strip[j]


@_inlined
def _edge_values(x, a, b, zeros_a, zeros_b, form, y):
    strip, value = np.empty(_STRIP, x.dtype), np.empty(_STRIP, x.dtype)
    for start in range(0, x.shape[1], _STRIP):
        n = min(_STRIP, x.shape[1] - start)
        for i in range(x.shape[0]):
            _copy(strip, 0, x[i], start, n)
            for o in range(y.shape[0]):
                _values(strip, n, _row(a[:, o, i], zeros_a), _below(b[:, o, i], zeros_b, form), form, value)
                _add_strip(y[o], start, value, n)


@_inlined
def _edge_gradients(x, g, a, b, zeros_a, zeros_b, form, into_x, sums):
    strip, arriving = np.empty(_STRIP, x.dtype), np.empty(_STRIP, x.dtype)
    for start in range(0, x.shape[1], _STRIP):
        n = min(_STRIP, x.shape[1] - start)
        for i in range(x.shape[0]):
            _copy(strip, 0, x[i], start, n)
            for o in range(g.shape[0]):
                _copy(arriving, 0, g[o], start, n)
                above, below = _row(a[:, o, i], zeros_a), _below(b[:, o, i], zeros_b, form)
                sums_a, sums_b = _gradients(strip, arriving, n, above, below, form, zeros_a, zeros_b)
                _add_strip(into_x[i], start, arriving, n)
                _add(sums[: len(a), o, i], sums_a)
                _add_below(sums[len(a) :, o, i], sums_b, b[:, o, i], form)


# ---------------------------------------------------------------------------------------------------------- whole arrays
# `zeros_a` and `zeros_b` are tuples of zeros as long as a row of a and of b.


@functools.cache
def group_forward(form: int) -> Callable[..., None]:
    """Return the kernel y = F(x): x and y (n_rows, n_channels) as one line of numbers, a (n_groups, m + 1), b (n_groups, n)."""

    @kernel(FINITE_OR_NOT)
    def group_forward(x, a, b, n_channels, zeros_a, zeros_b, y):
        n_groups, n_rows = a.shape[0], x.shape[0] // n_channels
        size = n_channels // n_groups
        together = max(1, _STRIP // size)
        strip, value = np.empty(together * size, x.dtype), np.empty(together * size, x.dtype)
        for start in range(0, n_rows, together):
            rows = min(together, n_rows - start)
            for k in range(n_groups):
                first = start * n_channels + k * size
                _gather(strip, x, first, n_channels, rows, size)
                _values(strip, rows * size, _row(a[k], zeros_a), _below(b[k], zeros_b, form), form, value)
                _scatter(y, first, n_channels, rows, size, value)

    return group_forward


@functools.cache
def group_backward(form: int) -> Callable[..., None]:
    """Return the kernel that fills dL/dx and adds dL/da and dL/db to float64 arrays that are shaped as a and b."""

    @kernel(FINITE_OR_NOT)
    def group_backward(x, g, a, b, n_channels, zeros_a, zeros_b, into_x, into_a, into_b):
        n_groups, n_rows = a.shape[0], x.shape[0] // n_channels
        size = n_channels // n_groups
        together = max(1, _STRIP // size)
        strip, arriving = np.empty(together * size, x.dtype), np.empty(together * size, x.dtype)
        for start in range(0, n_rows, together):
            rows = min(together, n_rows - start)
            for k in range(n_groups):
                first = start * n_channels + k * size
                _gather(strip, x, first, n_channels, rows, size)
                _gather(arriving, g, first, n_channels, rows, size)
                above, below = _row(a[k], zeros_a), _below(b[k], zeros_b, form)
                sums_a, sums_b = _gradients(strip, arriving, rows * size, above, below, form, zeros_a, zeros_b)
                _add(into_a[k], sums_a)
                _add_below(into_b[k], sums_b, b[k], form)
                _scatter(into_x, first, n_channels, rows, size, arriving)

    return group_backward


@functools.cache
def edge_forward(form: int) -> Callable[..., None]:
    """Return the kernel that adds F_oi(x_i) of every edge to y_o: x (n_in, n_rows), a (m + 1, n_out, n_in), b (n, n_out, n_in)."""

    @kernel(FINITE_OR_NOT)
    def edge_forward(x, a, b, zeros_a, zeros_b, y):
        _edge_values(x, a, b, zeros_a, zeros_b, form, y)

    return edge_forward


@functools.cache
def edge_backward(form: int) -> Callable[..., None]:
    """Return the kernel that adds dL/dx, and to float64 `sums` (m + 1 + n, n_out, n_in) dL/da and behind it dL/db."""

    @kernel(FINITE_OR_NOT)
    def edge_backward(x, g, a, b, zeros_a, zeros_b, into_x, sums):
        _edge_gradients(x, g, a, b, zeros_a, zeros_b, form, into_x, sums)

    return edge_backward


@functools.cache
def edge_forward_at(form: int) -> Callable[..., None]:
    """Return the kernel that fills y, given addresses of contiguous memory and sizes."""

    @kernel(FINITE_OR_NOT)
    def edge_forward_at(x, a, b, y, n_in, n_out, n_rows, zeros_a, zeros_b):
        like = zeros_a[0]
        values = carray(_pointer(y, like), (n_out, n_rows))
        values[:] = like
        a_, b_ = carray(_pointer(a, like), (len(zeros_a), n_out, n_in)), carray(_pointer(b, like), (len(zeros_b), n_out, n_in))
        _edge_values(carray(_pointer(x, like), (n_in, n_rows)), a_, b_, zeros_a, zeros_b, form, values)

    return edge_forward_at


@functools.cache
def edge_backward_at(form: int) -> Callable[..., None]:
    """Return the kernel that fills dL/dx, dL/da and dL/db, given addresses of contiguous memory and sizes."""

    @kernel(FINITE_OR_NOT)
    def edge_backward_at(x, g, a, b, into_x, into_a, into_b, n_in, n_out, n_rows, zeros_a, zeros_b):
        like, n_edges = zeros_a[0], n_out * n_in
        slopes, sums = carray(_pointer(into_x, like), (n_in, n_rows)), np.zeros((len(zeros_a) + len(zeros_b), n_out, n_in))
        slopes[:] = like
        x_, g_ = carray(_pointer(x, like), (n_in, n_rows)), carray(_pointer(g, like), (n_out, n_rows))
        a_, b_ = carray(_pointer(a, like), (len(zeros_a), n_out, n_in)), carray(_pointer(b, like), (len(zeros_b), n_out, n_in))
        _edge_gradients(x_, g_, a_, b_, zeros_a, zeros_b, form, slopes, sums)
        line, first = sums.reshape(-1), len(zeros_a) * n_edges
        carray(_pointer(into_a, like), first)[:] = line[:first]
        carray(_pointer(into_b, like), len(zeros_b) * n_edges)[:] = line[first:]

    return edge_backward_at
