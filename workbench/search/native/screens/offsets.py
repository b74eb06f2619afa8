"""A power law beside a constant, under any transform:  T(h) = c + k u_1^p_1 ... u_k^p_k.

For a given c that is a power law of T(h) - c, which is linear in logarithms; so c alone is searched, beyond the least and beyond the largest value
(variable projection: Golub & Pereyra, 1973).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from workbench.expression import Number, add
from workbench.search.native.screens.power_law import as_power_law
from workbench.search.native.state import HOLE, Candidate, State
from workbench.search.native.transforms import Target, targets
from workbench.search.native.watch import Watch

_TRANSFORMS = ("y", "sqrt(y)", "1/y", "y^2", "log(y)", "1/sqrt(y)", "1/y^2")
_ROWS = 200
_BEYOND = np.geomspace(1e-3, 30.0, 14)  # of the range of T(h): how far c may lie beyond it
_ZOOMS, _NEAR = 5, np.linspace(-1.0, 1.0, 9)
_BEST, _WORTH, _NEARLY = 2, 0.01, 3.0  # how many are offered, and the error, against y's size or the bar, that a polish may mend
_LINEAR = 0.05  # range of log|T(h) - c| below which every function is a straight line


def offset_power_law(state: State, watch: Watch) -> Iterator[Candidate]:
    """Yield power laws beside a constant, the best of each transform."""
    if not state.n_columns or not state.positive.all() or state.n_rows < state.n_columns + 3:
        return
    logs = np.column_stack([np.ones(state.n_rows), np.log(state.columns)])
    found = []
    for target in targets(state, _TRANSFORMS):
        if watch.over:
            return
        for above in (False, True):
            constant, error = _constant(target, logs, above)
            found.append((error, len(found), target, constant))
    for error, _, target, constant in sorted(found, key=lambda own: own[:2])[:_BEST]:
        if error < max(_WORTH * watch.judge.size, _NEARLY * watch.bar):
            yield from _candidates(state, target, constant)


def _constant(target: Target, logs: np.ndarray, above: bool) -> tuple[float, float]:
    """Return the best constant on one side of the values, and the error that is left."""
    part = slice(0, _ROWS)
    values, weights, logs = target.about[part], target.weights[part], logs[part]
    usable = weights > 0
    values, weights, logs = values[usable], weights[usable], logs[usable]
    if len(values) <= logs.shape[1]:
        return 0.0, np.inf
    span, edge = float(np.ptp(values)), float(values.max() if above else values.min())
    sign = 1.0 if above else -1.0
    places, best, error = np.log(_BEYOND), 0.0, np.inf
    step = float(places[1] - places[0])
    for _ in range(_ZOOMS):
        errors = [_error(values, weights, logs, edge + sign * span * np.exp(place), -sign) for place in places]
        least = int(np.argmin(errors))
        if errors[least] < error:
            best, error = float(places[least]), errors[least]
        places, step = best + step * _NEAR, 0.25 * step
    return edge + sign * span * float(np.exp(best)), error


def _error(values: np.ndarray, weights: np.ndarray, logs: np.ndarray, constant: float, sign: float) -> float:
    """Return the error of y that a power law of sign * (T(h) - c) leaves, to first order."""
    left = sign * (values - constant)
    if not (left > 0).all():
        return np.inf
    goal, own = np.log(left), left * weights
    if np.ptp(goal) < _LINEAR:
        return np.inf
    weighted = logs * own[:, None]
    coefficients = np.linalg.lstsq(weighted, goal * own, rcond=None)[0]
    return float(np.sqrt(np.mean((weighted @ coefficients - goal * own) ** 2)))


def _candidates(state: State, target: Target, constant: float) -> Iterator[Candidate]:
    """Yield what the power law of T(h) - c is, with its exponents rounded and free."""
    own = State(state.columns, state.names, target.values - constant, target.weights, HOLE)
    for expression in as_power_law(own):
        yield state.candidate(target.back(add(expression, Number(constant))), f"{target.name} is a power law and a constant")
