"""Spline edges on a CPU: fused Numba kernels, samples contiguous.

An edge of a layer is

    phi(x) = w silu(u) + sum_k c_k B((x - lo) / h - k + 1),        u = 2 (x - lo) / (hi - lo) - 1,   h = (hi - lo) / n_intervals

with B the cardinal cubic B-spline, supported on [-2, 2]:

    B(s) = (max(2 - |s|, 0)^3 - 4 max(1 - |s|, 0)^3) / 6.

`silu` acts on u, the input mapped to [-1, 1] by the edge's own range, so that no unit of measurement changes the model (on the range [-1, 1]
it is the SiLU(x) of Liu et al., 2024). All `n_intervals + 3` bases are evaluated without branches over contiguous samples: on a CPU that is
faster than finding the four that are not zero.

Shapes: `x` (n_in, n_rows), `features` (n_in, n_terms, n_rows) with n_terms = n_intervals + 4 (the bases, then the base term), coefficients
`theta` (n_edges, n_terms) for the edge list `edge_source`, `edge_target`. Every kernel is serial and releases the GIL; results are the same
bits on every run.
"""

from __future__ import annotations

import math

import numba
import numpy as np

_JIT = {"fastmath": True, "error_model": "numpy", "nogil": True, "boundscheck": False, "cache": True}
_TILE = 256

# Taylor coefficients of exp on |r| <= ln(2) / 2: the remainder after degree 12 is below 2e-16.
_E = tuple(1.0 / math.factorial(k) for k in range(13))
_E12, _E11, _E10, _E9, _E8, _E7, _E6, _E5, _E4, _E3 = _E[12], _E[11], _E[10], _E[9], _E[8], _E[7], _E[6], _E[5], _E[4], _E[3]
_LOG2E = 1.4426950408889634
_LN2_HIGH, _LN2_LOW = 0.6931471803691238, 1.9082149292705877e-10


@numba.njit(**_JIT)
def _silu_tile(u, value, slope):
    """silu(u) = u s and its derivative s (1 + u (1 - s)), s = 1 / (1 + exp(-u)), as vector arithmetic without a library call."""
    for j in range(u.shape[0]):
        v = min(max(-u[j], -700.0), 700.0)
        k = np.floor(v * _LOG2E + 0.5)
        r = (v - k * _LN2_HIGH) - k * _LN2_LOW
        p = _E12 * r + _E11
        p = p * r + _E10
        p = p * r + _E9
        p = p * r + _E8
        p = p * r + _E7
        p = p * r + _E6
        p = p * r + _E5
        p = p * r + _E4
        p = p * r + _E3
        p = p * r + 0.5
        p = p * r + 1.0
        p = p * r + 1.0
        value[j] = p * np.int64((np.int64(k) + np.int64(1023)) << np.int64(52)).view(np.float64)
    for j in range(u.shape[0]):
        s = 1.0 / (1.0 + value[j])
        value[j] = u[j] * s
        slope[j] = s * (1.0 + u[j] * (1.0 - s))


@numba.njit(**_JIT)
def _terms_tile(x, low, high, value, slope):
    """All terms of one input and their derivatives over one tile: value, slope (n_terms, n_rows)."""
    n_bases = value.shape[0] - 1
    inverse = (n_bases - 3) / (high - low)
    for k in range(n_bases):
        value_k, slope_k = value[k], slope[k]
        shift = 1.0 - k - low * inverse
        for j in range(x.shape[0]):
            t = x[j] * inverse + shift
            s = abs(t)
            wide = max(2.0 - s, 0.0)
            near = max(1.0 - s, 0.0)
            wide2, near2 = wide * wide, near * near
            value_k[j] = (wide2 * wide - 4.0 * (near2 * near)) * (1.0 / 6.0)
            d = (2.0 * near2 - 0.5 * wide2) * inverse  # dB/dx for t >= 0; B is even
            slope_k[j] = d if t >= 0.0 else -d
    stretch = 2.0 / (high - low)
    u = np.empty(x.shape[0])
    for j in range(x.shape[0]):
        u[j] = (x[j] - low) * stretch - 1.0
    _silu_tile(u, value[n_bases], slope[n_bases])
    for j in range(x.shape[0]):
        slope[n_bases, j] *= stretch


@numba.njit(**_JIT)
def spline_terms(x, domain, features, slopes):
    """Fill features and slopes (n_in, n_terms, n_rows) for x (n_in, n_rows), domain (n_in, 2)."""
    for i in range(x.shape[0]):
        _terms_tile(x[i], domain[i, 0], domain[i, 1], features[i], slopes[i])


@numba.njit(**_JIT)
def spline_layer(x, domain, edge_source, edge_target, theta, output, features, edge_slope):
    """Add every spline edge to `output` (n_out, n_rows); keep `features` and d phi/dx of each edge, `edge_slope` (n_edges, n_rows).

    Edges must be sorted by source: the terms of an input are made once and used by all its edges.
    """
    n_rows, n_terms = x.shape[1], theta.shape[1]
    slope = np.empty((n_terms, _TILE))
    for start in range(0, n_rows, _TILE):
        stop = min(start + _TILE, n_rows)
        m = stop - start
        current = -1
        for e in range(theta.shape[0]):
            i = edge_source[e]
            if i != current:
                current = i
                _terms_tile(x[i, start:stop], domain[i, 0], domain[i, 1], features[i, :, start:stop], slope[:, :m])
            out = output[edge_target[e], start:stop]
            d = edge_slope[e, start:stop]
            for j in range(m):
                d[j] = 0.0
            for k in range(n_terms):
                c = theta[e, k]
                value_k, slope_k = features[i, k, start:stop], slope[k]
                for j in range(m):
                    out[j] += c * value_k[j]
                    d[j] += c * slope_k[j]


@numba.njit(**_JIT)
def spline_value(x, domain, edge_source, edge_target, theta, output):
    """Add every spline edge to `output` (n_out, n_rows); nothing is kept. Edges sorted by source."""
    n_rows, n_terms = x.shape[1], theta.shape[1]
    value = np.empty((n_terms, _TILE))
    slope = np.empty((n_terms, _TILE))
    for start in range(0, n_rows, _TILE):
        stop = min(start + _TILE, n_rows)
        m = stop - start
        current = -1
        for e in range(theta.shape[0]):
            i = edge_source[e]
            if i != current:
                current = i
                _terms_tile(x[i, start:stop], domain[i, 0], domain[i, 1], value[:, :m], slope[:, :m])
            out = output[edge_target[e], start:stop]
            for k in range(n_terms):
                c, value_k = theta[e, k], value[k]
                for j in range(m):
                    out[j] += c * value_k[j]


@numba.njit(**_JIT)
def spline_jacobian(features, edge_source, edge_target, sensitivity, jacobian):
    """Rows of the Jacobian of one layer: jacobian[e n_terms + k] = features[source(e), k] sensitivity[target(e)]."""
    n_terms, n_rows = features.shape[1], features.shape[2]
    row = 0
    for e in range(edge_source.shape[0]):
        s = sensitivity[edge_target[e]]
        for k in range(n_terms):
            out, value_k = jacobian[row], features[edge_source[e], k]
            for j in range(n_rows):
                out[j] = value_k[j] * s[j]
            row += 1


@numba.njit(**_JIT)
def spline_gradient(features, edge_source, edge_target, sensitivity, gradient):
    """gradient[e n_terms + k] = sum over rows of features[source(e), k] sensitivity[target(e)]."""
    n_terms, n_rows = features.shape[1], features.shape[2]
    for e in range(edge_source.shape[0]):
        s = sensitivity[edge_target[e]]
        for k in range(n_terms):
            total, value_k = 0.0, features[edge_source[e], k]
            for j in range(n_rows):
                total += value_k[j] * s[j]
            gradient[e * n_terms + k] = total


@numba.njit(**_JIT)
def edges_backward(edge_slope, edge_source, edge_target, sensitivity, upstream):
    """Add d output / d x of every edge to `upstream` (n_in, n_rows): edge_slope (n_edges, n_rows) times sensitivity (n_out, n_rows)."""
    for e in range(edge_source.shape[0]):
        into, d, s = upstream[edge_source[e]], edge_slope[e], sensitivity[edge_target[e]]
        for j in range(into.shape[0]):
            into[j] += d[j] * s[j]
