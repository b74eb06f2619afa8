"""A smooth stand-in for the target: a polynomial in scaled columns, with its exact leave-one-out error and its gradient.

    h ~ w * P(u)      or      log|h| ~ P(u)

Columns of one sign enter by their logarithm, in which power laws are straight lines; the others as they are, and so may those that begin next to
zero, such as a time, if that predicts better. The leave-one-out error comes from
one factorisation (Allen, 1974): residual / (1 - leverage). Its degree follows the rows: at least three rows for a coefficient.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from math import comb

import numpy as np

from workbench.search.native import monomials
from workbench.search.native.state import State

_RIDGE = 1e-10
_ROWS_PER_TERM = 3
_SPREAD = 1e-9
_NEXT_TO_ZERO, _EVENLY = 0.05, 0.2  # of the largest value: the least of a column that may be taken as it is, and its median
_TRIED_ROWS = 400
_LARGEST_LEVERAGE = 0.98
_NOISY = 3e-3  # relative error above which logarithms of the values are not taken as they are
_ONE_SIGN, _HARDLY = 0.9, 0.03  # least share of rows with the target's usual sign; or how large, against all, those of the other may be: noise about zero
_LARGEST_LOG = 300.0
_SMOOTH_TERMS = 130
_SETTLED = 0.85  # share of the error of a lower degree to which a higher one lowers it where it follows a law, not noise
_UNKNOWN = 0.6  # relative error of a surrogate that knows little
_ROUNDS, _ENOUGH = 4, 0.97  # of the fit of logarithms; a round that lowers the error no further than to this share is the last
_STEPS_GAIN = 3.0  # times the error that all steps leave, above which the first one or the plain fit never was
_STEP, _RANGE = 2.0, 20.0  # the furthest a value may move such a fit, and how far below the largest value it goes


@dataclass(frozen=True, eq=False)
class Box:
    """Columns mapped to [-1, 1], by logarithm where they are positive.

    Parameters
    ----------
    places : (n_rows, n_columns)
    slopes : (n_rows, n_columns)     d place / d (log of column), or d place / d column where that is not of one sign
    logarithmic : (n_columns,)
    """

    places: np.ndarray
    slopes: np.ndarray
    logarithmic: np.ndarray

    @classmethod
    def of(cls, columns: np.ndarray, straight: bool = False) -> Box:
        """Map columns; those that begin next to zero as they are where `straight`."""
        logarithmic = (columns > 0).all(axis=0) | (columns < 0).all(axis=0)
        by_log = logarithmic & ~from_zero(columns) if straight else logarithmic
        scaled = np.where(by_log, np.log(np.abs(np.where(by_log, columns, 1.0))), columns)
        low, high = scaled.min(axis=0), scaled.max(axis=0)
        half = np.maximum(0.5 * (high - low), _SPREAD * (1 + np.abs(high)))
        slopes = np.where(logarithmic & ~by_log, columns, 1.0) / half
        return cls((scaled - 0.5 * (low + high)) / half, slopes, logarithmic)


def from_zero(columns: np.ndarray) -> np.ndarray:
    """Return which columns, of one sign, begin next to zero and are spread evenly: their logarithm crowds what happens there."""
    size = np.abs(columns)
    most = size.max(axis=0)
    return (size.min(axis=0) < _NEXT_TO_ZERO * most) & (np.median(size, axis=0) > _EVENLY * most)


def boxes(columns: np.ndarray) -> tuple[Box, ...]:
    """Return the ways to map columns."""
    return (Box.of(columns), Box.of(columns, straight=True)) if columns.shape[1] and from_zero(columns).any() else (Box.of(columns),)


@lru_cache(maxsize=16)
def straight(state: State) -> bool:
    """Whether the columns of a state that begin next to zero are better taken as they are."""
    few = state.thinned(_TRIED_ROWS)
    errors = [_plain_or_logarithmic(box, few, _SMOOTH_TERMS) for box in boxes(few.columns)]
    return len(errors) > 1 and errors[1] < errors[0]


def chebyshev(places: np.ndarray, degree: int) -> np.ndarray:
    """Return all products of Chebyshev polynomials up to a total degree: (n_rows, n_terms)."""
    n = places.shape[1]
    degrees = monomials.total_degree(n, degree).astype(int)
    single = np.cos(np.arccos(np.clip(places, -1, 1))[:, :, None] * np.arange(degree + 1))
    product = np.ones((len(places), len(degrees)))
    for i in range(n):
        product *= single[:, i, degrees[:, i]]
    return product


@dataclass(frozen=True, eq=False)
class Fit:
    """A least-squares fit by the first columns of a basis, of as many as predict left-out rows best.

    Parameters
    ----------
    coefficients : (n_terms,)     zeros for the columns that are left out
    values : (n_rows,)     the fit, in units of the target
    error : leave-one-out root mean square error, in weighted units
    n_terms : how many columns are not left out
    settled : whether the last of the ends hardly did better than the one before: what is left is noise
    leverage : (n_rows,)     by how much a row draws the fit to itself
    """

    coefficients: np.ndarray
    values: np.ndarray
    error: float
    n_terms: int
    settled: bool
    leverage: np.ndarray

    @classmethod
    def of(cls, basis: np.ndarray, target: np.ndarray, weights: np.ndarray, ends: Sequence[int] = ()) -> Fit | None:
        """Fit the first `ends` columns, or all; None where the columns are not finite.

        One factorisation L L^T = B^T B gives every one of the fits, as its leading part is that of the first columns.
        """
        from scipy.linalg import solve_triangular

        weighted, values = basis * weights[:, None], target * weights
        size = np.linalg.norm(weighted, axis=0)
        size = np.where(size > 0, size, 1.0)
        factor = _factor(weighted / size)
        if factor is None or not np.isfinite(values).all():
            return None
        q = solve_triangular(factor, (weighted / size).T, lower=True, check_finite=False)
        along = q @ values
        errors, leverages = [], {}
        residual, leverage, first = values, np.zeros_like(values), 0
        for end in ends or (basis.shape[1],):
            residual = residual - along[first:end] @ q[first:end]
            leverage = leverage + np.einsum("ij,ij->j", q[first:end], q[first:end])
            leverages[end] = np.minimum(leverage, _LARGEST_LEVERAGE)
            errors.append((_size(residual / (1 - leverages[end])), end))
            first = end
        error, kept = min(errors)
        settled = len(errors) > 1 and error > _SETTLED * min(errors[:-1])[0]
        coefficients = np.zeros(basis.shape[1])
        coefficients[:kept] = solve_triangular(factor[:kept, :kept], along[:kept], lower=True, trans="T", check_finite=False) / size[:kept]
        return cls(coefficients, basis[:, :kept] @ coefficients[:kept], error, kept, settled, leverages[kept])


def leave_one_out(basis: np.ndarray, target: np.ndarray, weights: np.ndarray, ends: Sequence[int] = ()) -> float:
    """Return the leave-one-out root mean square error of target ~ basis, in weighted units."""
    fit = Fit.of(basis, target, weights, ends)
    return np.inf if fit is None else fit.error


def logarithmic(basis: np.ndarray, h: np.ndarray, gain: np.ndarray, ends: Sequence[int], plain: Fit | None, bar: float = np.inf) -> Fit | None:
    """Fit log|h| by the basis so that the errors of h itself are least; None where h has no sign of its own.

    Where that takes more than one step, it is not done if the error would surely stay above the bar.

    Logarithms of noisy values are biased, and some values lie beyond zero. So exp(P) is fitted to h itself, linear about the plain fit and then about
    the last one, as long as that lowers the error (Gauss & Newton; a generalised linear model with a logarithmic link, Nelder & Wedderburn, 1972).
    """
    sign = -1.0 if np.median(h) < 0 else 1.0
    size, scale = sign * h, _size(gain * h)
    if not ((size > 0).mean() >= _ONE_SIGN or _size(gain * np.minimum(size, 0.0)) < _HARDLY * scale):
        return None
    noisy = plain is not None and plain.settled and plain.error > _NOISY * scale
    if size.min() > 0 and not noisy:
        fit = Fit.of(basis, np.log(size), gain * size, ends)
        if fit is None or fit.error < _NOISY * scale or min(fit.error, np.inf if plain is None else plain.error) > _STEPS_GAIN * bar:
            return fit
        start = fit.values
    elif plain is None or plain.error > _STEPS_GAIN * bar:
        return None
    else:
        start = np.log(np.maximum(sign * plain.values, 0.05 * float(np.median(size))))
    if len(ends) > 1:
        straight_line = _newton(basis[:, : ends[1]], size, gain, ends[:2], start)
        start = start if straight_line is None else straight_line.values
    return _newton(basis, size, gain, ends, start)


def _newton(basis: np.ndarray, size: np.ndarray, gain: np.ndarray, ends: Sequence[int], start: np.ndarray) -> Fit | None:
    """Repeat the fit of exp(P) to `size` about the last P."""
    best, about, highest = None, start, float(np.log(size.max())) + 1
    for _ in range(_ROUNDS):
        model = np.exp(np.clip(about, highest - _RANGE, highest))
        fit = Fit.of(basis, np.log(model) + np.clip((size - model) / model, -_STEP, _STEP), gain * model, ends)
        if fit is None:
            break
        missed = gain * (size - np.exp(np.clip(fit.values, highest - _RANGE, highest)))
        fit = replace(fit, error=_size(missed / (1 - fit.leverage)))
        if best is not None and fit.error >= best.error:
            break
        enough = best is not None and fit.error > _ENOUGH * best.error
        best, about = fit, fit.values
        if enough:
            break
    return best


def ends_of(n_columns: int, degree: int) -> list[int]:
    """Return the numbers of terms up to each total degree."""
    return [comb(n_columns + d, n_columns) for d in range(degree + 1)]


def degrees_of(n_columns: int, degree: int) -> np.ndarray:
    """Return the total degree of every term of `chebyshev`, (n_terms,)."""
    return monomials.total_degree(n_columns, degree).astype(int).sum(axis=1)


def degree_for(n_columns: int, n_rows: int, most: int) -> int:
    """Return the degree that the rows can support, with at most `most` terms."""
    return monomials.largest_degree(n_columns, max(min(most, n_rows // _ROWS_PER_TERM), n_columns + 1), cap=10 if n_columns > 1 else 24)


@lru_cache(maxsize=64)
def smooth_error(state: State, most: int = _SMOOTH_TERMS) -> float:
    """Return the leave-one-out error of y by the best of its surrogates, of h and of log|h|, of the degree that predicts best."""
    return smooth_error_below(np.inf, state, most)


def smooth_error_below(bar: float, state: State, most: int) -> float:
    """Return that error if it is below the bar, and some number above the bar if it is not, which is cheaper to say."""
    if not state.n_rows:
        return np.inf
    return min(_plain_or_logarithmic(box, state, most, bar) for box in boxes(state.columns))


def _plain_or_logarithmic(box: Box, state: State, most: int, bar: float = np.inf) -> float:
    return min((fit.error for fit in _both(box, state, most, bar) if fit is not None), default=np.inf)


def _both(box: Box, state: State, most: int, bar: float = np.inf) -> tuple[Fit | None, Fit | None]:
    """Fit h and log|h|."""
    basis, ends = _basis(box, state, most)
    plain = Fit.of(basis, state.target, state.gain, ends)
    return plain, logarithmic(basis, state.target, state.gain, ends, plain, bar)


@lru_cache(maxsize=16)
def smoothed(state: State) -> np.ndarray | None:
    """Return what the better surrogate says of h, (n_rows,), where what it misses is noise; None where it is not, or is next to nothing or much."""
    if not state.n_rows:
        return None
    fits = [(fit, place) for box in boxes(state.columns) for place, fit in enumerate(_both(box, state, _SMOOTH_TERMS)) if fit is not None]
    best, place = min(fits, key=lambda own: own[0].error, default=(None, 0))
    if best is None or not best.settled or best.error < _NOISY * _size(state.target * state.gain):
        return None
    if best.error > _UNKNOWN * _spread(state.target * state.gain):
        return None
    if place:
        return np.copysign(np.exp(np.minimum(best.values, _LARGEST_LOG)), np.median(state.target))
    return best.values


def _basis(box: Box, state: State, most: int) -> tuple[np.ndarray, list[int]]:
    if not state.n_columns:
        return np.ones((state.n_rows, 1)), [1]
    degree = degree_for(state.n_columns, state.n_rows, most)
    return chebyshev(box.places, degree), ends_of(state.n_columns, degree)


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
    weights : (n_rows,)     how much each row counts: all alike without noise
    """

    gradient: np.ndarray
    value: np.ndarray
    logarithmic: bool
    error: float
    columns: np.ndarray
    rows: np.ndarray
    weights: np.ndarray


def slopes(state: State, most: int = 330) -> Slopes:
    """Fit the better of two surrogates and return its gradient."""
    box = Box.of(state.columns, straight(state))
    degree = degree_for(state.n_columns, state.n_rows, most)
    basis, ends = chebyshev(box.places, degree), ends_of(state.n_columns, degree)
    h, even = state.target, np.ones(state.n_rows)
    choices = [_Choice.of(Fit.of(basis, h, even, ends), _spread(h), even, False)]
    if (h > 0).all() or (h < 0).all():
        logs = np.log(np.abs(h))
        choices.append(_Choice.of(Fit.of(basis, logs, even, ends), _spread(logs), even, True))
    if min(choice.error for choice in choices) > _NOISY:
        choices = _weighted_choices(basis, ends, state)
    best = min(choices, key=lambda choice: choice.error)
    inside = (np.abs(box.places) < 0.92).all(axis=1)
    inside = inside if inside.sum() > min(100, len(h) // 3) else np.ones(len(h), dtype=bool)
    value = even if best.logarithmic else best.values
    gradient = _gradient(box, degree, best.coefficients)
    return Slopes(gradient[inside], value[inside], best.logarithmic, best.error, box.logarithmic, inside, best.weights[inside])


@dataclass(frozen=True, eq=False)
class _Choice:
    """A surrogate with its relative error, and how much its slope counts in each row."""

    error: float
    logarithmic: bool
    coefficients: np.ndarray
    values: np.ndarray
    weights: np.ndarray

    @classmethod
    def of(cls, fit: Fit | None, spread: float, weights: np.ndarray, logarithmic: bool) -> _Choice:
        if fit is None:
            return cls(np.inf, logarithmic, np.zeros(1), np.zeros_like(weights), weights)
        return cls(fit.error / spread, logarithmic, fit.coefficients, fit.values, weights)


def _weighted_choices(basis: np.ndarray, ends: Sequence[int], state: State) -> list[_Choice]:
    """Return both surrogates fitted in units of y, in which noise is the same everywhere."""
    spread, gain = _spread(state.target * state.gain), state.gain / _size(state.gain)
    plain = Fit.of(basis, state.target, state.gain, ends)
    choices = [_Choice.of(plain, spread, gain, False)]
    logs = logarithmic(basis, state.target, state.gain, ends, plain)
    if logs is not None:
        model = gain * np.exp(np.minimum(logs.values, _LARGEST_LOG))
        choices.append(_Choice.of(logs, spread, model / _size(model), True))
    return choices


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


def _size(values: np.ndarray) -> float:
    return float(np.sqrt(np.mean(values**2))) + 1e-300
