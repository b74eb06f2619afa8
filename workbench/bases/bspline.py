"""Cubic B-splines on uniform knots with a smooth base term: the learned function of a KAN edge.

    phi(x) = w silu(u) + sum_k c_k B((x - lo) / h - k + 1),     u = (2x - lo - hi) / (hi - lo),   h = (hi - lo) / n_intervals

The n_intervals + 3 bases sum to one on [lo, hi]; beyond hi + 3h and lo - 3h they are zero and the base term alone remains. The range
[lo, hi] belongs to the input, not to the data: data are never shifted or scaled (Liu et al., 2024, eq. 2.10-2.12; the base term's argument
is mapped to [-1, 1] by the range, which their networks get by scaling the data).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workbench.ops import cpu

# The cardinal cubic pieces on u in [0, 1), constant term first: B(s) for s in [-2,-1), [-1,0), [0,1), [1,2).
_PIECES = np.array([[0, 0, 0, 1], [1, 3, 3, -3], [4, 0, -6, 3], [1, -3, 3, -1]]) / 6.0


def terms(x: np.ndarray, domain: tuple[float, float], n_intervals: int) -> tuple[np.ndarray, np.ndarray]:
    """Evaluate every basis and the base term, with derivatives.

    Parameters
    ----------
    x : (n_rows,)
    domain : (lo, hi)
    n_intervals : int

    Returns
    -------
    values, slopes : (n_intervals + 4, n_rows); the last row is the base term silu(u)
    """
    values = np.empty((1, n_intervals + 4, x.size))
    slopes = np.empty_like(values)
    rows = np.ascontiguousarray(x, dtype=float).reshape(1, -1)
    cpu.spline_terms(rows, np.array([domain], dtype=float), values, slopes)
    return values[0], slopes[0]


def project(curves: np.ndarray, x: np.ndarray, domain: tuple[float, float], n_intervals: int, ridge: float = 1e-9) -> np.ndarray:
    """Fit spline coefficients to curves given on points, by least squares with a little ridge.

    Parameters
    ----------
    curves : (n_curves, n_points)     values to reproduce
    x : (n_points,)
    domain, n_intervals : the range and resolution of the new spline

    Returns
    -------
    (n_curves, n_intervals + 3)
    """
    values, _ = terms(x, domain, n_intervals)
    design = values[:-1].T
    normal = design.T @ design
    normal[np.diag_indices_from(normal)] += ridge * max(1.0, x.size / n_intervals)
    return np.linalg.solve(normal, design.T @ curves.T).T


@dataclass(frozen=True)
class EdgeDefinition:
    """The exact function of an edge that has no name yet: a piecewise cubic plus its base term.

    phi(x) = base u / (1 + exp(-u)) + p_j(x - knots[j]) for knots[j] <= x < knots[j + 1]; the polynomial part is 0 outside the knots.

    Parameters
    ----------
    name : how formulas call it, such as "phi_0_1_2"
    knots : (n_pieces + 1,)     ascending
    polynomials : (n_pieces, 4)     constant term first, in x - knots[j]
    base : weight of the base term
    domain : (lo, hi), which maps x to u = (2x - lo - hi) / (hi - lo)
    """

    name: str
    knots: np.ndarray
    polynomials: np.ndarray
    base: float
    domain: tuple[float, float]

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Evaluate at x (any shape) in float64, from the pieces themselves."""
        return self.value_and_slope(x)[0]

    def value_and_slope(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Evaluate phi and d phi / dx at x (any shape) in float64."""
        x = np.asarray(x, dtype=float)
        low, high = self.domain
        stretch = 2.0 / (high - low)
        u = (2.0 * x - low - high) / (high - low)
        with np.errstate(over="ignore"):
            s = 1.0 / (1.0 + np.exp(-u))
        value = self.base * u * s
        slope = self.base * stretch * s * (1.0 + u * (1.0 - s))  # d silu/du = s + u s (1 - s)
        piece = np.searchsorted(self.knots, x, side="right") - 1
        inside = (piece >= 0) & (piece < len(self.polynomials))
        j = np.where(inside, piece, 0)
        local = x - self.knots[j]
        c = self.polynomials[j]
        spline = ((c[..., 3] * local + c[..., 2]) * local + c[..., 1]) * local + c[..., 0]
        bend = (3.0 * c[..., 3] * local + 2.0 * c[..., 2]) * local + c[..., 1]
        return value + np.where(inside, spline, 0.0), slope + np.where(inside, bend, 0.0)


def definition(name: str, coefficients: np.ndarray, base: float, domain: tuple[float, float]) -> EdgeDefinition:
    """Return the exact piecewise cubic of an edge with coefficients (n_intervals + 3,)."""
    n_bases = len(coefficients)
    low, high = float(domain[0]), float(domain[1])
    h = (high - low) / (n_bases - 3)
    polynomials = np.zeros((n_bases + 3, 4))
    for k, c in enumerate(coefficients):  # basis k covers the four cells from knot k on
        polynomials[k : k + 4] += c * _PIECES
    polynomials /= h ** np.arange(4)
    knots = low + h * np.arange(-3, n_bases + 1)
    return EdgeDefinition(name, knots, polynomials, float(base), (low, high))
