"""A formula from a genetic search, made honest: scaled, fitted in float64, and freed from constants that the rows do not need.

    0.52*(x + 0.0003)*exp(-1.9999*y) + 1e-5        ->        0.52*x*exp(-2.0*y)

A constant is set to 0 or 1 where that shortens the formula and the fit that follows is as good as before by Schwarz's criterion: n log(error) grows by less than
the constant cost. Wald's test says cheaply which ones are worth a fit: setting c_i to v raises the sum of squares by about (c_i - v)^2 / [(J^T J)^-1]_ii.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from workbench.exceptions import TrainingError
from workbench.expression import Expression, Number, add, complexity, evaluate, fold, free_constants, mul, with_constants
from workbench.formula.fitting import Sample, fitted

_EXACT = 1e-7  # of the spread of y: below it, errors are rounding and none is better than another
_WORTH_A_FIT = 30.0  # times log(n) in squares of the noise: what Wald's test may say at most, as it is a first approximation
_ROUNDS = 12


def trimmed(expression: Expression, sample: Sample, worth: Callable[[Expression, float], bool] = lambda *_: True) -> tuple[Expression, float] | None:
    """Return the formula with fitted constants, none too many, and its root mean square error; None where it has no value.

    `worth` says of the fitted formula and its error whether it is worth the time; if not it is returned as it is.
    """
    start = scaled(expression, sample)
    best = None if start is None else _fit(start, sample)
    if best is None or not worth(*best):
        return best
    for _ in range(_ROUNDS):
        shorter = _shorter(*best, sample)
        if shorter is None:
            break
        best = shorter
    return best


def scaled(expression: Expression, sample: Sample) -> Expression | None:
    """Return a*f + b with the best a and b in closed form, a and b only where they are needed; None where f has no value."""
    values = np.broadcast_to(evaluate(expression, sample.columns), sample.y.shape)
    if not np.isfinite(values).all():
        return None
    if np.ptp(values) == 0:
        return Number(float(np.average(sample.y, weights=sample.root_weights**2)))
    design = np.column_stack([values, np.ones_like(values)]) * sample.root_weights[:, None]
    a, b = np.linalg.lstsq(design, sample.y * sample.root_weights, rcond=None)[0]
    return fold(add(mul(Number(float(a)), expression), Number(float(b))))


def _fit(expression: Expression, sample: Sample) -> tuple[Expression, float] | None:
    try:
        result = fold(fitted(expression, sample))
    except TrainingError:
        return None
    error = sample.rmse(result)
    return (result, error) if np.isfinite(error) else None


def _shorter(expression: Expression, error: float, sample: Sample) -> tuple[Expression, float] | None:
    """Return a shorter formula that is as good, if setting one constant to 0 or 1 gives one."""
    n = len(sample.y)
    floor = _EXACT * float(np.std(sample.y) or 1.0)
    allowed = np.log(n)  # in n log(error^2): one constant and what stood around it
    for index, value in _candidates(expression, error, sample, floor):
        values: list = list(free_constants(expression))
        values[index] = value
        trial = fold(with_constants(expression, values))
        if complexity(trial) >= complexity(expression) or not np.isfinite(sample.rmse(trial)):
            continue
        result = _fit(trial, sample)
        if result is not None and n * np.log((result[1] ** 2 + floor**2) / (error**2 + floor**2)) <= allowed:
            return result
    return None


def _candidates(expression: Expression, error: float, sample: Sample, floor: float) -> list[tuple[int, int]]:
    """Return which constants may become which number, the most dispensable first."""
    constants = np.array(free_constants(expression))
    if not len(constants):
        return []
    _, jacobian = sample.linearised(expression)
    if not np.isfinite(jacobian).all():
        return []
    size = np.linalg.norm(jacobian, axis=0)
    size[size == 0] = 1.0
    inverse = np.linalg.pinv((jacobian / size).T @ (jacobian / size), rcond=1e-12)
    spread = np.sqrt(np.maximum(np.diag(inverse), 1e-300)) / size
    noise = np.hypot(error, floor)
    rises = {(index, value): abs(constants[index] - value) / (spread[index] * noise) for index in range(len(constants)) for value in (0, 1)}
    limit = np.sqrt(_WORTH_A_FIT * np.log(len(sample.y)))
    return [which for which, rise in sorted(rises.items(), key=lambda item: item[1]) if rise <= limit]
