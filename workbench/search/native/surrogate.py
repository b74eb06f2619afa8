"""A smooth stand-in for the target: a polynomial in scaled columns, with its exact leave-one-out error and its gradient.

    h ~ w * P(u)      or      log|h| ~ P(u)

Columns of one sign enter by their logarithm, in which power laws are straight lines; the others as they are. The leave-one-out error comes from
one factorisation (Allen, 1974): residual / (1 - leverage). Its degree follows the rows: at least three rows for a coefficient.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workbench.search.native import monomials
from workbench.search.native.state import State

_RIDGE = 1e-10
_ROWS_PER_TERM = 3
_SPREAD = 1e-9


@dataclass(frozen=True, eq=False)
class Box:
    """Columns mapped to [-1, 1], by logarithm where they are positive.

    Parameters
    ----------
    places : (n_rows, n_columns)
    slopes : (n_rows, n_columns)     d place / d (log of column), or d place / d column where that is not positive
    logarithmic : (n_columns,)
    """

    places: np.ndarray
    slopes: np.ndarray
    logarithmic: np.ndarray

    @classmethod
    def of(cls, columns: np.ndarray) -> Box:
        logarithmic = (columns > 0).all(axis=0) | (columns < 0).all(axis=0)
        scaled = np.where(logarithmic, np.log(np.abs(np.where(logarithmic, columns, 1.0))), columns)
        low, high = scaled.min(axis=0), scaled.max(axis=0)
        half = np.maximum(0.5 * (high - low), _SPREAD * (1 + np.abs(high)))
        return cls((scaled - 0.5 * (low + high)) / half, 1 / half, logarithmic)


def chebyshev(places: np.ndarray, degree: int) -> np.ndarray:
    """Return all products of Chebyshev polynomials up to a total degree: (n_rows, n_terms)."""
    n = places.shape[1]
    degrees = monomials.total_degree(n, degree).astype(int)
    single = np.cos(np.arccos(np.clip(places, -1, 1))[:, :, None] * np.arange(degree + 1))
    product = np.ones((len(places), len(degrees)))
    for i in range(n):
        product *= single[:, i, degrees[:, i]]
    return product


def leave_one_out(basis: np.ndarray, target: np.ndarray, weights: np.ndarray) -> float:
    """Return the leave-one-out root mean square error of target ~ basis, in weighted units."""
    weighted, values = _unit_columns(basis * weights[:, None]), target * weights
    factor = _factor(weighted)
    if factor is None:
        return np.inf
    from scipy.linalg import solve_triangular

    q = solve_triangular(factor, weighted.T, lower=True, check_finite=False)
    residual = values - q.T @ (q @ values)
    leverage = np.minimum(np.einsum("ij,ij->j", q, q), 0.98)
    return float(np.sqrt(np.mean((residual / (1 - leverage)) ** 2)))


def degree_for(n_columns: int, n_rows: int, most: int) -> int:
    """Return the degree that the rows can support, with at most `most` terms."""
    return monomials.largest_degree(n_columns, max(min(most, n_rows // _ROWS_PER_TERM), n_columns + 1), cap=10 if n_columns > 1 else 14)


def smooth_error(state: State, most: int = 130, factor: np.ndarray | None = None, degree: int | None = None) -> float:
    """Return the leave-one-out error of y by the better of two surrogates, of h / factor and of log|h / factor|.

    Parameters
    ----------
    factor : (n_rows,)     what h is divided by first
    """
    h = state.target
    w = np.ones_like(h) if factor is None else factor
    if not np.isfinite(w).all() or not state.n_rows:
        return np.inf
    basis = _basis(state, most, degree)
    error = leave_one_out(basis, h / np.where(w == 0, 1.0, w), state.gain * np.abs(w))
    with np.errstate(all="ignore"):
        ratio = h / w
    if (ratio > 0).all() or (ratio < 0).all():
        logs = np.log(np.abs(ratio))
        error = min(error, leave_one_out(basis, logs - logs.mean(), state.gain * np.abs(h)))
    return error


def _basis(state: State, most: int, degree: int | None) -> np.ndarray:
    if not state.n_columns:
        return np.ones((state.n_rows, 1))
    places = Box.of(state.columns).places
    return chebyshev(places, degree or degree_for(state.n_columns, state.n_rows, most))


@dataclass(frozen=True, eq=False)
class Slopes:
    """Gradient of the surrogate at the rows inside the box.

    Parameters
    ----------
    gradient : (n_rows, n_columns)     d log|h| / d log u where `logarithmic`, else d h / d log u; by u itself for columns that are not positive
    value : (n_rows,)     the surrogate of h; ones where `logarithmic`
    logarithmic : whether log|h| was fitted
    error : its relative leave-one-out error
    columns : which columns are of one sign, so that their slope is by log u
    rows : (n_rows of the state,)     which rows lie inside the box
    """

    gradient: np.ndarray
    value: np.ndarray
    logarithmic: bool
    error: float
    columns: np.ndarray
    rows: np.ndarray


def slopes(state: State, most: int = 330) -> Slopes:
    """Fit the better of two surrogates and return its gradient."""
    box = Box.of(state.columns)
    degree = degree_for(state.n_columns, state.n_rows, most)
    basis = chebyshev(box.places, degree)
    h = state.target
    choices = [(leave_one_out(basis, h, np.ones_like(h)) / _spread(h), False)]
    if (h > 0).all() or (h < 0).all():
        logs = np.log(np.abs(h))
        choices.append((leave_one_out(basis, logs, np.ones_like(h)) / _spread(logs), True))
    error, logarithmic = min(choices)
    values = np.log(np.abs(h)) if logarithmic else h
    coefficients = np.linalg.solve(basis.T @ basis + _RIDGE * len(h) * np.eye(basis.shape[1]), basis.T @ values)
    gradient = _gradient(box, degree, coefficients)
    inside = (np.abs(box.places) < 0.92).all(axis=1)
    inside = inside if inside.sum() > min(100, len(h) // 3) else np.ones(len(h), dtype=bool)
    value = np.ones(len(h)) if logarithmic else basis @ coefficients
    return Slopes(gradient[inside], value[inside], logarithmic, error, box.logarithmic, inside)


def _gradient(box: Box, degree: int, coefficients: np.ndarray) -> np.ndarray:
    """Return the derivatives of the surrogate: T_a'(x) = a sin(a t) / sin(t) at x = cos(t)."""
    n = box.places.shape[1]
    degrees = monomials.total_degree(n, degree).astype(int)
    orders = np.arange(degree + 1)
    angle = np.arccos(np.clip(box.places, -1, 1))[:, :, None]
    value, sine = np.cos(angle * orders), np.sin(angle)
    slope = np.where(sine > 1e-6, orders * np.sin(angle * orders) / np.maximum(sine, 1e-6), orders**2.0)
    gradient = np.empty_like(box.places)
    for i in range(n):
        product = slope[:, i, degrees[:, i]].copy()
        for j in range(n):
            if j != i:
                product *= value[:, j, degrees[:, j]]
        gradient[:, i] = product @ coefficients
    return gradient * box.slopes


def _unit_columns(columns: np.ndarray) -> np.ndarray:
    size = np.linalg.norm(columns, axis=0)
    return columns / np.where(size > 0, size, 1.0)


def _factor(weighted: np.ndarray) -> np.ndarray | None:
    """Return the Cholesky factor of the normal matrix; None where it has none."""
    normal = weighted.T @ weighted
    if not np.isfinite(normal).all():
        return None
    try:
        return np.linalg.cholesky(normal + _RIDGE * np.eye(len(normal)))
    except np.linalg.LinAlgError:
        return None


def _spread(values: np.ndarray) -> float:
    return float(np.std(values)) + 1e-300
