"""The dense spline layer as an op: values and all gradients, float32 and float64, on a CPU.

    y_o = sum over i of  w_oi silu(u_i) + sum_k c_koi B((x_i - lo_i) / h_i - k + 1),     u_i = 2 (x_i - lo_i) / (hi_i - lo_i) - 1

the function of `bases.bspline`: B is the cardinal cubic B-spline, h = (hi - lo) / n_intervals. With the upstream gradient g_o = dL/dy_o

    dL/dc_koi = sum over rows of g_o B_ki        dL/dw_oi = sum over rows of g_o silu(u_i)
    dL/dx_i   = sum over o of g_o (w_oi silu'(u_i) 2 / (hi_i - lo_i) + sum_k c_koi B'_ki / h_i)

Two engines, chosen by size: a small layer runs as one fused kernel that keeps a tile of rows with all its bases in the first cache and
takes eight bases at a time; a large one fills the bases of a block of rows and leaves the sums to matrix products. Kernels are serial and
release the GIL, sums have a fixed order, NaN comes out as NaN: the same bits on every run with the same number of BLAS threads.

Shapes: x (n_in, n_rows), coefficients (n_bases, n_out, n_in), base (n_out, n_in), domain (n_in, 2), y and g (n_out, n_rows); rows are
contiguous. `domain` is not differentiated.
"""

from __future__ import annotations

import math

import numpy as np
from numba import types
from numba.extending import overload

from workbench.exceptions import NetworkError
from workbench.ops.compiler import FINITE_OR_NOT, kernel

_TILE = 256
_UNROLLED = 8
_FUSED_EDGES = 128  # up to so many edges the fused kernel is the faster engine
_BLOCK_NUMBERS = 1_000_000  # terms of one block of rows of the other: 4 or 8 MB

_JIT = {"fastmath": set(FINITE_OR_NOT), "error_model": "numpy"}
_LOG2E = 1.4426950408889634
_LN2_HIGH, _LN2_LOW = 0.6931471803691238, 1.9082149292705877e-10
# Taylor coefficients of exp on |r| <= ln(2) / 2, highest first: remainder below 2e-16 (degree 12) and 4e-9 (degree 7).
_E64 = tuple(1.0 / math.factorial(k) for k in range(12, -1, -1))
_E32 = tuple(np.float32(1.0 / math.factorial(k)) for k in range(7, -1, -1))
_Q0, _Q1, _Q2, _Q3, _Q4, _Q5, _Q6, _Q7 = _E32
_P0, _P1, _P2, _P3, _P4, _P5, _P6, _P7, _P8, _P9, _P10, _P11, _P12 = _E64
_HALF, _LOG2E_32, _LN2_32, _INF_32 = np.float32(0.5), np.float32(_LOG2E), np.float32(0.6931471805599453), np.float32(np.inf)
_LOW_32, _HIGH_32 = np.float32(-87.0), np.float32(88.0)


def forward(x: np.ndarray, coefficients: np.ndarray, base: np.ndarray, domain: np.ndarray) -> np.ndarray:
    """Evaluate the layer: y (n_out, n_rows), in the precision of x.

    >>> x = np.array([[-1.0, 0.0, 1.0]])
    >>> forward(x, np.ones((8, 1, 1)), np.zeros((1, 1)), np.array([[-1.0, 1.0]])).round(12)      # bases sum to one
    array([[1., 1., 1.]])
    """
    x, coefficients, base, domain = _checked(x, coefficients, base, domain)
    y = np.zeros((base.shape[0], x.shape[1]), dtype=x.dtype)
    if base.size <= _FUSED_EDGES:
        _fused_forward(x, coefficients, base, domain, y)
        return y
    weights = _as_matrix(coefficients, base)
    for start, stop in _row_blocks(x, len(coefficients) + 1):
        rows = np.ascontiguousarray(x[:, start:stop])
        y[:, start:stop] = weights @ _terms_of(rows, domain, len(coefficients))
    return y


def backward(
    x: np.ndarray, coefficients: np.ndarray, base: np.ndarray, domain: np.ndarray, upstream: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return dL/dx (n_in, n_rows), dL/dcoefficients (n_bases, n_out, n_in) and dL/dbase (n_out, n_in) from dL/dy (n_out, n_rows)."""
    x, coefficients, base, domain = _checked(x, coefficients, base, domain)
    upstream = np.ascontiguousarray(upstream, dtype=x.dtype)
    into_x = np.zeros_like(x)
    if base.size <= _FUSED_EDGES:
        into_coefficients, into_base = np.zeros_like(coefficients), np.zeros_like(base)
        _fused_backward(x, coefficients, base, domain, upstream, into_x, into_coefficients, into_base)
        return into_x, into_coefficients, into_base
    weights = _as_matrix(coefficients, base)
    into_weights = np.zeros_like(weights)
    for start, stop in _row_blocks(x, len(coefficients) + 1):
        rows, g = (np.ascontiguousarray(part[:, start:stop]) for part in (x, upstream))
        into_weights += g @ _terms_of(rows, domain, len(coefficients)).T
        into_terms = weights.T @ g  # (n_terms n_in, n_out) @ (n_out, n_rows)
        into_rows = np.zeros_like(rows)
        _pull_back(rows, domain, into_terms.reshape(-1, *rows.shape), into_rows)
        into_x[:, start:stop] = into_rows
    each = np.ascontiguousarray(into_weights.reshape(len(base), -1, len(x)).transpose(1, 0, 2))  # (n_terms, n_out, n_in)
    return into_x, each[:-1], each[-1]


def check_layer(x: tuple[int, ...], coefficients: tuple[int, ...], base: tuple[int, ...], domain: tuple[int, ...]) -> None:
    """Refuse shapes that are no spline layer."""
    fits = len(x) == len(base) == 2 and len(coefficients) == 3 and coefficients[0] >= 4
    if not fits or coefficients[1:] != base or base[1] != x[0] or tuple(domain) != (x[0], 2):
        raise NetworkError(
            f"A spline layer takes x (n_in, n_rows), coefficients (n_bases >= 4, n_out, n_in), base (n_out, n_in) and domain (n_in, 2); "
            f"got {tuple(x)}, {tuple(coefficients)}, {tuple(base)} and {tuple(domain)}."
        )


def _checked(x: np.ndarray, coefficients: np.ndarray, base: np.ndarray, domain: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return the arrays in one precision and contiguous; refuse what does not fit together."""
    check_layer(x.shape, coefficients.shape, base.shape, domain.shape)
    if x.dtype not in (np.float32, np.float64):
        raise NetworkError(f"A spline layer takes float32 or float64 numbers; got {x.dtype}. Convert x first, such as x.astype(float).")
    return tuple(np.ascontiguousarray(array, dtype=x.dtype) for array in (x, coefficients, base, domain))


def _as_matrix(coefficients: np.ndarray, base: np.ndarray) -> np.ndarray:
    """Return (n_out, n_terms n_in): the coefficients, then the base weights, of every output."""
    every = np.concatenate([coefficients, base[None]])  # (n_terms, n_out, n_in)
    return np.ascontiguousarray(every.transpose(1, 0, 2)).reshape(len(base), -1)


def _row_blocks(x: np.ndarray, n_terms: int) -> list[tuple[int, int]]:
    n_rows = x.shape[1]
    size = max(_TILE, _BLOCK_NUMBERS // (n_terms * len(x)))
    return [(start, min(start + size, n_rows)) for start in range(0, n_rows, size)]


def _terms_of(rows: np.ndarray, domain: np.ndarray, n_bases: int) -> np.ndarray:
    """Return (n_terms n_in, n_rows): every basis of every input, then the base terms."""
    terms = np.empty((n_bases + 1, *rows.shape), dtype=rows.dtype)
    _fill_terms(rows, domain, terms)
    return terms.reshape(-1, rows.shape[1])


# ------------------------------------------------------------------------------------------------------------- kernels


def _exp_32(v, out):
    for j in range(out.shape[0]):
        z = v[j]
        c = z if z > _LOW_32 else _LOW_32
        c = c if c < _HIGH_32 else _HIGH_32
        k = np.floor(c * _LOG2E_32 + _HALF)
        r = c - k * _LN2_32
        p = ((((((_Q0 * r + _Q1) * r + _Q2) * r + _Q3) * r + _Q4) * r + _Q5) * r + _Q6) * r + _Q7
        e = p * np.int32((np.int32(k) + np.int32(127)) << np.int32(23)).view(np.float32)
        e = _INF_32 if z > _HIGH_32 else e
        out[j] = e if z == z else z


def _exp_64(v, out):
    for j in range(out.shape[0]):
        z = v[j]
        c = z if z > -708.0 else -708.0
        c = c if c < 709.0 else 709.0
        k = np.floor(c * _LOG2E + 0.5)
        r = (c - k * _LN2_HIGH) - k * _LN2_LOW
        p = (((((_P0 * r + _P1) * r + _P2) * r + _P3) * r + _P4) * r + _P5) * r + _P6
        p = (((((p * r + _P7) * r + _P8) * r + _P9) * r + _P10) * r + _P11) * r + _P12
        e = p * np.int64((np.int64(k) + np.int64(1023)) << np.int64(52)).view(np.float64)
        e = np.inf if z > 709.0 else e
        out[j] = e if z == z else z


def _exp(v, out):
    """out = exp(v) for as many as out holds, as vector arithmetic; compiled for the precision of v."""
    raise NotImplementedError


@overload(_exp, jit_options=_JIT)
def _exp_of_precision(v, out):
    return _exp_32 if v.dtype == types.float32 else _exp_64


@kernel(FINITE_OR_NOT)
def _base_terms(x, low, high, value):
    """value = silu(u)."""
    one = x.dtype.type(1)
    stretch = (one + one) / (high - low)
    for j in range(x.shape[0]):
        value[j] = one - (x[j] - low) * stretch  # -u
    scratch = np.empty_like(x)
    _exp(value, scratch)
    for j in range(x.shape[0]):
        value[j] = -value[j] / (one + scratch[j])


@kernel(FINITE_OR_NOT)
def _base_slopes(x, low, high, value, slope):
    """value = silu(u) = u s and slope = s (1 + u (1 - s)) 2 / (hi - lo), s = 1 / (1 + exp(-u))."""
    one = x.dtype.type(1)
    stretch = (one + one) / (high - low)
    for j in range(x.shape[0]):
        value[j] = one - (x[j] - low) * stretch  # -u
    _exp(value, slope)
    for j in range(x.shape[0]):
        u, s = -value[j], one / (one + slope[j])
        value[j] = u * s
        slope[j] = s * (one + u * (one - s)) * stretch


@kernel(FINITE_OR_NOT)
def _basis(x, low, inverse, k, out):
    """out = B(t) = (max(2 - |t|, 0)^3 - 4 max(1 - |t|, 0)^3) / 6 of basis k, t = (x - lo) / h - k + 1, inverse = 1 / h."""
    zero, one, two = x.dtype.type(0), x.dtype.type(1), x.dtype.type(2)
    four, sixth, shift = x.dtype.type(4), x.dtype.type(1 / 6), x.dtype.type(1 - k)
    for j in range(x.shape[0]):
        s = abs((x[j] - low) * inverse + shift)
        wide = two - s if s < two else zero
        near = one - s if s < one else zero
        out[j] = (wide * wide * wide - four * (near * near * near)) * sixth


@kernel(FINITE_OR_NOT)
def _basis_slope(x, low, inverse, k, out, slope):
    """out as `_basis`, slope = dB/dx = sign(t) (2 max(1 - |t|, 0)^2 - max(2 - |t|, 0)^2 / 2) / h."""
    zero, one, two, half = x.dtype.type(0), x.dtype.type(1), x.dtype.type(2), x.dtype.type(0.5)
    four, sixth, shift = x.dtype.type(4), x.dtype.type(1 / 6), x.dtype.type(1 - k)
    for j in range(x.shape[0]):
        t = (x[j] - low) * inverse + shift
        s = abs(t)
        wide = two - s if s < two else zero
        near = one - s if s < one else zero
        wide2, near2 = wide * wide, near * near
        out[j] = (wide2 * wide - four * (near2 * near)) * sixth
        d = (two * near2 - half * wide2) * inverse
        slope[j] = d if t >= zero else -d


@kernel(FINITE_OR_NOT)
def _add_eight(out, b, s, c, w):
    """out += w s + c_0 b_0 + ... + c_7 b_7, one pass over the rows."""
    c0, c1, c2, c3, c4, c5, c6, c7 = c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7]
    b0, b1, b2, b3, b4, b5, b6, b7 = b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7]
    for j in range(out.shape[0]):
        first = w * s[j] + c0 * b0[j] + c1 * b1[j] + c2 * b2[j] + c3 * b3[j]
        out[j] += first + c4 * b4[j] + c5 * b5[j] + c6 * b6[j] + c7 * b7[j]


@kernel(FINITE_OR_NOT)
def _sum_eight(g, b, s, sums):
    """sums += sum over rows of g b_0, ..., g b_7 and g s (9 numbers)."""
    b0, b1, b2, b3, b4, b5, b6, b7 = b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7]
    s0 = s1 = s2 = s3 = s4 = s5 = s6 = s7 = s8 = g.dtype.type(0)
    for j in range(g.shape[0]):
        q = g[j]
        s0 += q * b0[j]
        s1 += q * b1[j]
        s2 += q * b2[j]
        s3 += q * b3[j]
        s4 += q * b4[j]
        s5 += q * b5[j]
        s6 += q * b6[j]
        s7 += q * b7[j]
        s8 += q * s[j]
    sums[0], sums[1], sums[2], sums[3], sums[4] = s0, s1, s2, s3, s4
    sums[5], sums[6], sums[7], sums[8] = s5, s6, s7, s8


@kernel(FINITE_OR_NOT)
def _add_slopes(out, g, d, ds, c, w):
    """out += g (w ds + c_0 d_0 + ... + c_7 d_7)."""
    c0, c1, c2, c3, c4, c5, c6, c7 = c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7]
    d0, d1, d2, d3, d4, d5, d6, d7 = d[0], d[1], d[2], d[3], d[4], d[5], d[6], d[7]
    for j in range(g.shape[0]):
        first = w * ds[j] + c0 * d0[j] + c1 * d1[j] + c2 * d2[j] + c3 * d3[j]
        out[j] += g[j] * (first + c4 * d4[j] + c5 * d5[j] + c6 * d6[j] + c7 * d7[j])


@kernel(FINITE_OR_NOT)
def _fused_forward(x, coefficients, base, domain, y):
    """Add the layer to y; bases are padded by rows of zeros to a multiple of eight."""
    n_bases, n_out, n_in = coefficients.shape
    n_padded = (n_bases + _UNROLLED - 1) // _UNROLLED * _UNROLLED
    value, silu = np.zeros((n_padded, _TILE), x.dtype), np.empty(_TILE, x.dtype)
    c, zero = np.zeros(n_padded, x.dtype), x.dtype.type(0)
    for start in range(0, x.shape[1], _TILE):
        stop = min(start + _TILE, x.shape[1])
        for i in range(n_in):
            rows = x[i, start:stop]
            inverse = x.dtype.type(n_bases - 3) / (domain[i, 1] - domain[i, 0])
            for k in range(n_bases):
                _basis(rows, domain[i, 0], inverse, k, value[k])
            _base_terms(rows, domain[i, 0], domain[i, 1], silu)
            for o in range(n_out):
                for k in range(n_bases):
                    c[k] = coefficients[k, o, i]
                for k in range(0, n_padded, _UNROLLED):
                    _add_eight(y[o, start:stop], value[k : k + _UNROLLED], silu, c[k:], base[o, i] if k == 0 else zero)


@kernel(FINITE_OR_NOT)
def _fused_backward(x, coefficients, base, domain, g, into_x, into_coefficients, into_base):
    """Add all gradients of the layer to the last three arrays."""
    n_bases, n_out, n_in = coefficients.shape
    n_padded = (n_bases + _UNROLLED - 1) // _UNROLLED * _UNROLLED
    value, slope = np.zeros((n_padded, _TILE), x.dtype), np.zeros((n_padded, _TILE), x.dtype)
    silu, silu_slope = np.empty(_TILE, x.dtype), np.empty(_TILE, x.dtype)
    c, sums, zero = np.zeros(n_padded, x.dtype), np.empty(_UNROLLED + 1, x.dtype), x.dtype.type(0)
    for start in range(0, x.shape[1], _TILE):
        stop = min(start + _TILE, x.shape[1])
        for i in range(n_in):
            rows, into_rows = x[i, start:stop], into_x[i, start:stop]
            inverse = x.dtype.type(n_bases - 3) / (domain[i, 1] - domain[i, 0])
            for k in range(n_bases):
                _basis_slope(rows, domain[i, 0], inverse, k, value[k], slope[k])
            _base_slopes(rows, domain[i, 0], domain[i, 1], silu, silu_slope)
            for o in range(n_out):
                from_above = g[o, start:stop]
                for k in range(n_bases):
                    c[k] = coefficients[k, o, i]
                for k in range(0, n_padded, _UNROLLED):
                    w = base[o, i] if k == 0 else zero
                    _sum_eight(from_above, value[k : k + _UNROLLED], silu, sums)
                    _add_slopes(into_rows, from_above, slope[k : k + _UNROLLED], silu_slope, c[k:], w)
                    for place in range(min(_UNROLLED, n_bases - k)):
                        into_coefficients[k + place, o, i] += sums[place]
                    if k == 0:
                        into_base[o, i] += sums[_UNROLLED]


@kernel(FINITE_OR_NOT)
def _fill_terms(x, domain, terms):
    """terms (n_terms, n_in, n_rows): every basis of every input, the base term last."""
    n_bases = terms.shape[0] - 1
    for i in range(x.shape[0]):
        inverse = x.dtype.type(n_bases - 3) / (domain[i, 1] - domain[i, 0])
        for k in range(n_bases):
            _basis(x[i], domain[i, 0], inverse, k, terms[k, i])
        _base_terms(x[i], domain[i, 0], domain[i, 1], terms[n_bases, i])


@kernel(FINITE_OR_NOT)
def _pull_back(x, domain, into_terms, into_x):
    """Add to into_x (n_in, n_rows) what arrives at the terms, into_terms (n_terms, n_in, n_rows), times their slopes."""
    n_bases = into_terms.shape[0] - 1
    value, slope = np.empty(_TILE, x.dtype), np.empty(_TILE, x.dtype)
    for i in range(x.shape[0]):
        inverse = x.dtype.type(n_bases - 3) / (domain[i, 1] - domain[i, 0])
        for start in range(0, x.shape[1], _TILE):
            stop = min(start + _TILE, x.shape[1])
            rows, out = x[i, start:stop], into_x[i, start:stop]
            for k in range(n_bases + 1):
                if k < n_bases:
                    _basis_slope(rows, domain[i, 0], inverse, k, value, slope)
                else:
                    _base_slopes(rows, domain[i, 0], domain[i, 1], value, slope)
                arriving = into_terms[k, i, start:stop]
                for j in range(stop - start):
                    out[j] += arriving[j] * slope[j]
