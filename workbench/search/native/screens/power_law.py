"""Power laws: log|h| is linear in the logs of the columns.

Exponents that are near a simple fraction are taken for it; the others stay free, for many an empirical law has them.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import numpy as np

from workbench.expression import Expression, Number, mul, power
from workbench.search.native.monomials import exact_exponent
from workbench.search.native.state import Candidate, State
from workbench.search.native.transforms import TRANSFORMS, transformed

_LARGEST = 9.0


def power_law(state: State) -> Iterator[Candidate]:
    """Yield c * u_1^e_1 ... u_k^e_k with exponents rounded, and free."""
    for expression in as_power_law(state):
        yield state.candidate(expression, "a power law: log y is linear in the logs")


def as_power_law(state: State) -> Iterator[Expression]:
    """Yield what h itself is as a power law: exponents rounded, and free."""
    fitted = exponents(state)
    if fitted is None:
        return
    fit, error = fitted
    rounded = np.array([simple_fraction(e, max(2.5 * s, 1e-4)) for e, s in zip(fit, error)])
    variants = [np.round(fit), np.round(2 * fit) / 2, np.round(6 * fit) / 6, rounded]
    offered: list[tuple[float, ...]] = []
    for variant in variants:
        whole = np.where(np.isnan(variant), 0.0, variant)
        key = tuple(variant.tolist())
        if key in offered or (not np.any(whole) and not np.isnan(variant).any()) or np.abs(whole).max() > _LARGEST:
            continue
        offered.append(key)
        yield _scaled(state, variant, fit)
    if np.abs(fit).max() < _LARGEST:
        yield _scaled(state, np.full(len(fit), np.nan), fit)


def exponents(state: State) -> tuple[np.ndarray, np.ndarray] | None:
    """Return the exponents of a power law fitted in logarithms, and their standard errors."""
    if not state.n_columns or not state.positive.all():
        return None
    target = transformed(state, TRANSFORMS["log(y)"])
    if target is None:
        return None
    logs = np.column_stack([np.ones(state.n_rows), np.log(state.columns)]) * target.weights[:, None]
    if state.n_rows <= logs.shape[1]:
        return None
    w, _, rank, _ = np.linalg.lstsq(logs, target.values * target.weights, rcond=None)
    if rank < logs.shape[1]:
        return None
    residual = logs @ w - target.values * target.weights
    covariance = np.linalg.inv(logs.T @ logs) * (residual @ residual) / (state.n_rows - logs.shape[1])
    return w[1:], np.sqrt(np.maximum(np.diag(covariance)[1:], 0.0))


def simple_fraction(value: float, tolerance: float) -> float:
    """Return the fraction with the smallest denominator (up to 6) within a tolerance; NaN where there is none.

    >>> simple_fraction(0.6667, 0.001), simple_fraction(0.617, 0.01)
    (0.6666666666666666, nan)
    """
    for denominator in (1, 2, 3, 4, 5, 6):
        nearest = Fraction(round(value * denominator), denominator)
        if abs(float(nearest) - value) <= tolerance / denominator:
            return float(nearest)
    return float("nan")


def _scaled(state: State, exponents: np.ndarray, fit: np.ndarray) -> Expression:
    """Return the power law; an exponent that is NaN is free and starts at its fitted value."""
    used = np.where(np.isnan(exponents), fit, exponents)
    values = np.exp(np.log(state.columns) @ used) * state.gain
    scale = float(values @ (state.target * state.gain)) / float(values @ values)
    powers = [
        power(name, Number(float(f)) if np.isnan(e) else exact_exponent(e))
        for name, e, f in zip(state.names, exponents, fit)
        if np.isnan(e) or e
    ]
    return mul(Number(scale), *powers)
