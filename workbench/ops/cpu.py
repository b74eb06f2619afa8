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
bits on every run. They are few, and what a matrix product does as fast is left to it: a first fit after an installation waits for their compiler.
"""

from __future__ import annotations

import math

import numpy as np

from workbench.ops.compiler import kernel

_TILE = 256
_BLOCK_NUMBERS = 1_000_000  # terms held at once where nothing is kept: 8 MB, and as much for their slopes

# Taylor coefficients of exp on |r| <= ln(2) / 2: the remainder after degree 12 is below 2e-16.
_E = tuple(1.0 / math.factorial(k) for k in range(13))
_E12, _E11, _E10, _E9, _E8, _E7, _E6, _E5, _E4, _E3 = _E[12], _E[11], _E[10], _E[9], _E[8], _E[7], _E[6], _E[5], _E[4], _E[3]
_LOG2E = 1.4426950408889634
_LN2_HIGH, _LN2_LOW = 0.6931471803691238, 1.9082149292705877e-10


@kernel()
def _base_term(value, slope):
    """silu(u) = u s and its derivative s (1 + u (1 - s)), s = 1 / (1 + exp(-u)), in place of u, which comes in `slope`.

    Vector arithmetic without a library call.
    """
    for j in range(value.shape[0]):
        v = -slope[j]
        v = v if v > -700.0 else -700.0
        v = v if v < 700.0 else 700.0
        k = math.floor(v * _LOG2E + 0.5)
        r = (v - k * _LN2_HIGH) - k * _LN2_LOW
        p = (((_E12 * r + _E11) * r + _E10) * r + _E9) * r + _E8
        p = (((p * r + _E7) * r + _E6) * r + _E5) * r + _E4
        p = (((p * r + _E3) * r + 0.5) * r + 1.0) * r + 1.0
        value[j] = p * np.int64((np.int64(k) + 1023) << 52).view(np.float64)  # exp(-u) = 2^k p
    for j in range(value.shape[0]):
        u, s = slope[j], 1.0 / (1.0 + value[j])
        value[j] = u * s
        slope[j] = s * (1.0 + u * (1.0 - s))


@kernel()
def _input_terms(x, start, stop, low, high, value, slope):
    """All terms of one input on the rows from `start` to `stop`: value (n_terms, n_rows) there, slope (n_terms, >= stop - start) from 0."""
    n_bases = value.shape[0] - 1
    inverse = (n_bases - 3) / (high - low)
    rows = x[start:stop]
    for k in range(n_bases):
        value_k, slope_k = value[k, start:stop], slope[k]
        shift = 1.0 - k - low * inverse
        for j in range(rows.shape[0]):
            t = rows[j] * inverse + shift
            s = abs(t)
            wide = 2.0 - s if s < 2.0 else 0.0
            near = 1.0 - s if s < 1.0 else 0.0
            wide2, near2 = wide * wide, near * near
            value_k[j] = (wide2 * wide - 4.0 * (near2 * near)) * (1.0 / 6.0)
            d = (2.0 * near2 - 0.5 * wide2) * inverse  # dB/dx for t >= 0; B is even
            slope_k[j] = d if t >= 0.0 else -d
    stretch, last = 2.0 / (high - low), slope[n_bases]
    for j in range(rows.shape[0]):
        last[j] = (rows[j] - low) * stretch - 1.0
    _base_term(value[n_bases, start:stop], last)
    for j in range(rows.shape[0]):
        last[j] *= stretch


def spline_terms(x, domain, features, slopes):
    """Fill features and slopes (n_in, n_terms, n_rows) for x (n_in, n_rows), domain (n_in, 2)."""
    for row, (low, high), value, slope in zip(x, domain, features, slopes, strict=True):
        _input_terms(row, 0, row.size, low, high, value, slope)


def spline_layer(x, domain, edge_source, edge_target, theta, output, features, edge_slope):
    """Add every spline edge to `output` (n_out, n_rows); keep `features` and d phi/dx of each edge, `edge_slope` (n_edges, n_rows).

    Edges must be sorted by source: the terms of an input are made once and used by all its edges.
    """
    slope = np.empty((theta.shape[1], _TILE))  # made here: a kernel that makes arrays takes longer to compile
    _spline_layer(x, domain, edge_source, edge_target, theta, output, features, edge_slope, slope)


@kernel()
def _spline_layer(x, domain, edge_source, edge_target, theta, output, features, edge_slope, slope):
    n_rows, n_terms = x.shape[1], theta.shape[1]
    for start in range(0, n_rows, _TILE):
        stop = start + _TILE if start + _TILE < n_rows else n_rows
        current = -1
        for e in range(theta.shape[0]):
            i = edge_source[e]
            if i != current:
                current = i
                _input_terms(x[i], start, stop, domain[i, 0], domain[i, 1], features[i], slope)
            out = output[edge_target[e], start:stop]
            d = edge_slope[e, start:stop]
            for j in range(stop - start):
                d[j] = 0.0
            for k in range(n_terms):
                c = theta[e, k]
                value_k, slope_k = features[i, k, start:stop], slope[k]
                for j in range(stop - start):
                    out[j] += c * value_k[j]
                    d[j] += c * slope_k[j]


def spline_value(x, domain, edge_source, edge_target, theta, output):
    """Add every spline edge to `output` (n_out, n_rows); nothing is kept: terms of a block of rows, then one matrix product."""
    n_in, n_terms = len(domain), theta.shape[1]
    weights = np.zeros((len(output), n_in, n_terms))
    weights[edge_target, edge_source] = theta
    weights = weights.reshape(len(output), -1)  # (n_out, n_in, n_terms) -> (n_out, n_in n_terms)
    n_block = min(x.shape[1], max(_TILE, _BLOCK_NUMBERS // weights.shape[1]))
    features = np.empty((n_in, n_terms, n_block))
    slopes = np.empty_like(features)
    for start in range(0, x.shape[1], n_block):
        block = np.ascontiguousarray(x[:, start : start + n_block])
        if block.shape[1] < n_block:
            features, slopes = np.empty((2, n_in, n_terms, block.shape[1]))
        spline_terms(block, domain, features, slopes)
        output[:, start : start + n_block] += weights @ features.reshape(weights.shape[1], -1)


@kernel()
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


def spline_gradient(features, edge_source, edge_target, sensitivity, gradient):
    """gradient[e n_terms + k] = sum over rows of features[source(e), k] sensitivity[target(e)]."""
    n_in, n_terms, n_rows = features.shape
    every = features.reshape(-1, n_rows) @ sensitivity.T  # (n_in n_terms, n_rows) @ (n_rows, n_out)
    gradient[:] = every.reshape(n_in, n_terms, -1)[edge_source, :, edge_target].ravel()


@kernel()
def edges_backward(edge_slope, edge_source, edge_target, sensitivity, upstream):
    """Add d output / d x of every edge to `upstream` (n_in, n_rows): edge_slope (n_edges, n_rows) times sensitivity (n_out, n_rows)."""
    for e in range(edge_source.shape[0]):
        into, d, s = upstream[edge_source[e]], edge_slope[e], sensitivity[edge_target[e]]
        for j in range(into.shape[0]):
            into[j] += d[j] * s[j]
