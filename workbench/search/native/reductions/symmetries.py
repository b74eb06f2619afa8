"""Symmetries that the gradient of a smooth surrogate suggests: a Buckingham pi theorem read from data.

    h(L^a_1 u_1, ..., L^a_k u_k) = L^b h(u)        <=>        sum a_i dh/dlog u_i = b h

With one column, h = u^b g(the others). With more, one column goes into the others: h = u_1^b g(u_2 / u_1^a_2, ...). Gradients only propose; whether
a reduction is kept is for the leave-one-out error of what is left to say.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from workbench.expression import Expression, Number, call, fold, mul, power
from workbench.search.native.monomials import exact_exponent
from workbench.search.native.state import State
from workbench.search.native.surrogate import Slopes, slopes, smooth_error, smoothed

_RATIOS = (1.0, -1.0, 2.0, -2.0, 0.5, -0.5)
_LARGEST_SUPPORT = 3
_NEAR_HALF = 0.15
_LIKELY = 0.04  # misfit of a symmetry that is worth a surrogate
_NO_RISE, _FALL = 1.5, 0.5  # of the leave-one-out error
_POOR, _LESS = 5e-3, 0.85  # relative error of a surrogate that has too few terms for its columns, and to what a column less must lower it then
_UNKNOWN = 0.25  # relative error of a surrogate whose gradient says nothing


@dataclass(frozen=True)
class Scaling:
    """h(L^a u) = L^b h(u) for the columns `support` with weights a; a[0] is 1.

    `misfit` is how far the gradient is from saying so: 0 for an exact symmetry of an exact surrogate, 1 for none.
    """

    misfit: float
    support: tuple[int, ...]
    weights: tuple[float, ...]
    exponent: float


def scalings(state: State, found: Slopes, of_each: int = 4) -> list[Scaling]:
    """Return the most likely scaling symmetries, a few for every number of columns, best first."""
    usable = np.flatnonzero(state.positive)
    measured = _Gradient(found)
    best: list[Scaling] = []
    for count in range(1, min(_LARGEST_SUPPORT, len(usable)) + 1):
        ratios = [(1.0,), *[_RATIOS] * (count - 1)]
        every = [
            measured.scaling(support, weights)
            for support in itertools.combinations(usable.tolist(), count)
            for weights in itertools.product(*ratios)
        ]
        best += sorted((s for s in every if s is not None and s.misfit < 0.7), key=lambda s: s.misfit)[:of_each]
    return sorted(best, key=lambda s: s.misfit + 0.02 * (len(s.support) - 1))


def evidently_scaled(state: State) -> State | None:
    """Return the state reduced by the plainest of its evident symmetries; None where there is none.

    A symmetry is evident when the gradient says so, or nearly says so and a surrogate of what is left predicts much better. The gradient of a surrogate
    that has too few terms for its columns says little: there the symmetry is taken that lets a surrogate predict best, if it does so better than before.
    """
    found = slopes(state)
    if found.error > _UNKNOWN:
        return None
    limit = max(2e-3, min(0.15, 6 * found.error))
    likely = [s for s in scalings(state, found) if s.misfit < max(limit, _LIKELY)]
    before = smooth_error(state) if likely else 0.0
    if before > _POOR * state.size and smoothed(state) is None:
        smaller = [scaled(state, scaling) for scaling in likely]
        error, place = min((smooth_error(each), place) for place, each in enumerate(smaller))
        return smaller[place] if error < _LESS * before else None
    for scaling in sorted(likely, key=lambda s: len(s.support)):
        said = scaling.misfit < limit * (1 if len(scaling.support) == 1 else 0.6)
        smaller = scaled(state, scaling)
        if smooth_error(smaller) < (_NO_RISE if said else _FALL) * before:
            return smaller
    return None


class _Gradient:
    """The gradient, and its size by column, ready to be asked many times."""

    def __init__(self, found: Slopes) -> None:
        self.slope, self.value, self.logarithmic = found.gradient * found.weights[:, None], found.value * found.weights, found.logarithmic
        centred = self.slope - np.outer(self.value, self.value @ self.slope / (self.value @ self.value)) if self.logarithmic else self.slope
        self.own = np.mean(centred**2, axis=0)
        self.whole = float(np.sqrt(self.own.sum())) + 1e-300

    def scaling(self, support: tuple[int, ...], weights: tuple[float, ...]) -> Scaling | None:
        along = self.slope[:, support] @ np.array(weights)
        exponent = float(along @ self.value / (self.value @ self.value))
        misfit = float(np.sqrt(np.mean((along - exponent * self.value) ** 2)))
        independent = float(np.sqrt(sum((w * w) * self.own[i] for i, w in zip(support, weights))))
        if len(support) == 1:
            misfit /= self.whole if self.logarithmic else independent + 0.1 * self.whole
        else:
            misfit /= independent + 1e-300
        nearest = round(2 * exponent) / 2
        return Scaling(misfit, support, weights, nearest) if abs(exponent - nearest) < _NEAR_HALF else None


def scaled(state: State, scaling: Scaling) -> State:
    """Return the state without the first column of the symmetry."""
    first, *others = scaling.support
    pivot, name = state.columns[:, first], state.names[first]
    columns, names = state.columns.copy(), list(state.names)
    for j, weight in zip(others, scaling.weights[1:]):
        columns[:, j] = columns[:, j] / pivot**weight
        names[j] = fold(mul(names[j], power(name, exact_exponent(-weight))))
    note = f"scales with {_named(state, scaling)}"
    moved = State(columns, tuple(names), state.target, state.gain, state.shell, state.path)
    if scaling.exponent:
        moved = moved.divided(pivot**scaling.exponent, power(name, exact_exponent(scaling.exponent)))
    return moved.without([first], note)


def free_factors(state: State, found: Slopes) -> Iterator[tuple[int, np.ndarray, Expression]]:
    """Yield (column, values, factor) for power laws and exponentials with fitted constants: u^p and exp(k u)."""
    if not found.logarithmic:
        return
    for i in range(state.n_columns):
        slope, u = found.gradient[:, i], state.columns[:, i]
        if found.columns[i] and state.positive[i]:
            p = float(np.median(slope))
            if abs(p) > 0.03 and abs(p - round(2 * p) / 2) > 0.02:
                yield i, u**p, power(state.names[i], Number(p))
        k = _rate(state, found, i)
        if k is not None and abs(k) * np.ptp(u) < 60:
            yield i, np.exp(k * u), call("exp", mul(Number(k), state.names[i]))


def _rate(state: State, found: Slopes, i: int) -> float | None:
    """Return the median of d log|h| / d u, for a column by whose logarithm the slope is taken or not."""
    slope = found.gradient[:, i]
    if found.columns[i]:
        slope = slope / state.columns[found.rows, i]
    k = float(np.median(slope))
    return k if np.isfinite(k) and k != 0.0 else None


def _named(state: State, scaling: Scaling) -> str:
    return ", ".join(str(state.names[i]) for i in scaling.support)

