"""Rational edges of a KAN on a CPU: fused Numba kernels in float64, for values, slopes and exact Jacobians.

An edge of a layer is

    phi(x) = P(u) r,     r = 1 / D,     u = 2 (x - lo) / (hi - lo) - 1,     P(u) = a_0 + a_1 u + ... + a_m u^m,     q(z) = b_1 z + ... + b_n z^n

    "sum_abs"   D = 1 + q(|u|) with |b_j|        "abs_sum"   D = 1 + |q(u)|        "square"   D = 1 + q(u)^2

as `ops.reference` has it; |v| has the slope +1 at 0. With t = - phi r dD/dq

    d phi / d a_i = r u^i           d phi / d b_j = t z^j           d phi / d x = (r P'(u) + t dq/du) 2 / (hi - lo)

so that r and t of every edge are all that a backward pass needs. `ops.rational` has the same function as an op on arrays of any precision,
with sums over rows alone; Levenberg-Marquardt wants the derivative of every row.

Shapes: x (n_in, n_rows), domain (n_in, 2), theta (n_edges, m + 1 + n): a_0 ... a_m, b_1 ... b_n of the edges in the list `edge_source`,
`edge_target`. Kernels are serial and release the GIL; NaN comes out as NaN.
"""

from __future__ import annotations

import numpy as np

from workbench.ops.compiler import FINITE_OR_NOT, kernel

_TILE = 256
_BLOCK_NUMBERS = 1_000_000  # numbers of each kind held at once where nothing is kept: 8 MB
_SUM_ABS, _ABS_SUM = 0, 1  # places in ops.rational.FORMS; the third is "square"


def rational_layer(x, domain, edge_source, edge_target, theta, form, output, kept):
    """Add every edge to `output` (n_out, n_rows); keep r, t and d phi/dx of each edge, three arrays (n_edges, n_rows).

    Parameters
    ----------
    form : (m + 1, number of the form of the denominator)
    """
    _rational_layer(x, domain, edge_source, edge_target, theta, *form, output, kept, np.empty((6, _TILE)))


def rational_value(x, domain, edge_source, edge_target, theta, form, output):
    """Add every edge to `output` (n_out, n_rows); nothing is kept."""
    n_block = min(x.shape[1], max(_TILE, _BLOCK_NUMBERS // max(len(theta), 1)))
    for start in range(0, x.shape[1], n_block):
        block = np.ascontiguousarray(x[:, start : start + n_block])
        part, kept = np.zeros((len(output), block.shape[1])), np.empty((3, len(theta), block.shape[1]))
        rational_layer(block, domain, edge_source, edge_target, theta, form, part, tuple(kept))
        output[:, start : start + n_block] += part


def rational_jacobian(x, domain, edge_source, edge_target, theta, form, kept, sensitivity, units, jacobian):
    """Fill jacobian (n_edges n_terms, n_rows) with d phi_e / d theta_k times the sensitivity (n_out, n_rows) of the slot the edge enters.

    Parameters
    ----------
    kept : r, t and d phi/dx of `rational_layer`
    units : what u (n_in,), r and t (n_edges,) are divided by
    """
    _rational_jacobian(x, domain, edge_source, edge_target, theta, *form, kept, sensitivity, units, (0, x.shape[1]), jacobian, np.empty((3, _TILE)))


def rational_gradient(x, domain, edge_source, edge_target, theta, form, kept, sensitivity, gradient):
    """gradient[e n_terms + k] = sum over rows of d phi_e / d theta_k times the sensitivity of the slot the edge enters."""
    n_block = min(x.shape[1], max(_TILE, _BLOCK_NUMBERS // theta.size))
    jacobian, scratch = np.empty((theta.size, n_block)), np.empty((3, _TILE))
    units = np.ones(len(x)), np.ones(len(theta)), np.ones(len(theta))
    gradient[:] = 0.0
    for start in range(0, x.shape[1], n_block):
        stop = min(start + n_block, x.shape[1])
        _rational_jacobian(x, domain, edge_source, edge_target, theta, *form, kept, sensitivity, units, (start, stop), jacobian, scratch)
        gradient += jacobian[:, : stop - start].sum(1)


@kernel(FINITE_OR_NOT)
def _mapped(x, low, high, u):
    """u = 2 (x - lo) / (hi - lo) - 1."""
    stretch = 2.0 / (high - low)
    for j in range(x.shape[0]):
        u[j] = (x[j] - low) * stretch - 1.0


@kernel(FINITE_OR_NOT)
def _horner(z, c, value, slope):
    """value = c_0 + c_1 z + ... and its derivative; 0 where there are no coefficients."""
    for j in range(z.shape[0]):
        value[j] = 0.0
        slope[j] = 0.0
    for k in range(c.shape[0] - 1, -1, -1):
        c_k = c[k]
        for j in range(z.shape[0]):
            slope[j] = slope[j] * z[j] + value[j]
            value[j] = value[j] * z[j] + c_k


@kernel(FINITE_OR_NOT)
def _magnitudes(v, out):
    for j in range(v.shape[0]):
        out[j] = abs(v[j])


@kernel(FINITE_OR_NOT)
def _divided(form, p, q, r, t):
    """r = 1 / D and t = - p r^2 dD/dq from p = P(u) and q."""
    if form == _SUM_ABS:
        for j in range(r.shape[0]):
            r[j] = 1.0 / (1.0 + q[j])
            t[j] = -p[j] * r[j] * r[j]
    elif form == _ABS_SUM:
        for j in range(r.shape[0]):
            r[j] = 1.0 / (1.0 + abs(q[j]))
            t[j] = p[j] * r[j] * r[j] if q[j] < 0.0 else -p[j] * r[j] * r[j]
    else:
        for j in range(r.shape[0]):
            r[j] = 1.0 / (1.0 + q[j] * q[j])
            t[j] = -2.0 * q[j] * (p[j] * r[j]) * r[j]


@kernel(FINITE_OR_NOT)
def _rational_layer(x, domain, edge_source, edge_target, theta, n_above, form, output, kept, scratch):
    u, z, p, dp, q, dq = scratch
    n_rows, inverse, pull, edge_slope = x.shape[1], kept[0], kept[1], kept[2]
    for start in range(0, n_rows, _TILE):
        n = min(_TILE, n_rows - start)
        for e in range(theta.shape[0]):
            i, o = edge_source[e], edge_target[e]
            low, high, b = domain[i, 0], domain[i, 1], theta[e, n_above:].copy()
            _mapped(x[i, start : start + n], low, high, u[:n])
            z[:n] = u[:n]
            if form == _SUM_ABS:
                _magnitudes(u[:n], z[:n])
                _magnitudes(b, b)
            _horner(u[:n], theta[e, :n_above], p, dp)
            _horner(z[:n], b, q, dq)
            for j in range(n):
                dq[j] = dq[j] * z[j] + q[j]  # of z q(z), the polynomial without a constant
                q[j] *= z[j]
            r, t, d = inverse[e, start : start + n], pull[e, start : start + n], edge_slope[e, start : start + n]
            _divided(form, p, q, r, t)
            out, stretch = output[o, start : start + n], 2.0 / (high - low)
            for j in range(n):
                dz = -1.0 if form == _SUM_ABS and u[j] < 0.0 else 1.0
                out[j] += p[j] * r[j]
                d[j] = (r[j] * dp[j] + t[j] * dq[j] * dz) * stretch


@kernel(FINITE_OR_NOT)
def _rational_jacobian(x, domain, edge_source, edge_target, theta, n_above, form, kept, sensitivity, units, rows, jacobian, scratch):
    """The rows of data from rows[0] to rows[1]; `jacobian` begins at the first of them."""
    u, z, power = scratch
    first, last, n_terms = rows[0], rows[1], theta.shape[1]
    for start in range(first, last, _TILE):
        n = min(_TILE, last - start)
        for e in range(theta.shape[0]):
            i, s = edge_source[e], sensitivity[edge_target[e], start : start + n]
            _mapped(x[i, start : start + n], domain[i, 0], domain[i, 1], u[:n])
            per_u, per_r, per_t = 1.0 / units[0][i], 1.0 / units[1][e], 1.0 / units[2][e]
            r, t = kept[0][e, start : start + n], kept[1][e, start : start + n]
            for j in range(n):
                u[j] *= per_u
                z[j] = abs(u[j]) if form == _SUM_ABS else u[j]
                power[j] = s[j] * (r[j] * per_r)
            for k in range(n_above):
                out = jacobian[e * n_terms + k, start - first : start - first + n]
                for j in range(n):
                    out[j] = power[j]
                    power[j] *= u[j]
            for j in range(n):
                power[j] = s[j] * (t[j] * per_t) * z[j]
            for k in range(n_above, n_terms):
                sign = -1.0 if form == _SUM_ABS and theta[e, k] < 0.0 else 1.0
                out = jacobian[e * n_terms + k, start - first : start - first + n]
                for j in range(n):
                    out[j] = sign * power[j]
                    power[j] *= z[j]
